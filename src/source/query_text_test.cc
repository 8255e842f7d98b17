#include "source/query_text.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(QueryText, CommentsAndTheLastSemicolonGo) {
  const auto mysql = [](std::string_view sql) {
    return BareQuery(sql, Dialect::kMysql).ValueOr("refused");
  };
  EXPECT_EQ(mysql(" SELECT 1 ; \n"), "SELECT 1");
  EXPECT_EQ(mysql("-- what it is\nSELECT 1 # one\n, 2"), "SELECT 1  \n, 2");
  EXPECT_EQ(mysql("SELECT/* a */1"), "SELECT 1");
  EXPECT_EQ(mysql("SELECT 3--2"), "SELECT 3--2");
  EXPECT_EQ(mysql(R"(SELECT '-- no', "#no", `/*no*/`, 'it''s # not', 'a\'-- b')"),
            R"(SELECT '-- no', "#no", `/*no*/`, 'it''s # not', 'a\'-- b')");
  EXPECT_EQ(BareQuery("SELECT [--x], '\\' --y", Dialect::kSqlite).ValueOrDie(),
            "SELECT [--x], '\\'");
}

TEST(QueryText, WhatWouldRunUnseenIsRefused) {
  for (const char* wrong : {"SELECT 1 /*! INTO OUTFILE 'x' */", "SELECT 1 /*M! , 2 */",
                            "SELECT 1 /* ", "", " ;", "-- only this", "SELECT '\xff'"})
    EXPECT_EQ(IdOf(BareQuery(wrong, Dialect::kMysql).status()), "source.query") << wrong;
  // Only one semicolon belongs to the end.
  EXPECT_EQ(BareQuery("SELECT 1;;", Dialect::kMysql).ValueOrDie(), "SELECT 1;");
}

TEST(QueryText, EachColumnHasANameOfItsOwn) {
  EXPECT_TRUE(CheckColumnNames({"a", "b"}).ok());
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"a", "A"}, {"a", ""}, {}}) {
    const Status status = CheckColumnNames(wrong);
    EXPECT_EQ(IdOf(status), "source.query");
    EXPECT_NE(HintOf(status), "");
  }
}

}  // namespace
}  // namespace sluice
