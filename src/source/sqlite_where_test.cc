#include "source/sqlite_where.h"

#include <gtest/gtest.h>

#include "testing/scratch_folder.h"

namespace sluice::sqlite {
namespace {

class SqliteWhere : public ::testing::Test {
 protected:
  SqliteWhere() {
    database_ =
        Database::Open({.path = folder_.Path("w.db"), .mode = OpenMode::kReadWriteCreate},
                       Role::kSource)
            .ValueOrDie();
    EXPECT_TRUE(
        database_
            ->Execute("CREATE TABLE t(a INT, b TEXT, \"odd ) name\" INT, day DATE, "
                      "\"now\" TEXT); CREATE TABLE u(a INT)")
            .ok());
  }
  void ExpectTaken(const std::string& where) {
    const Status status = CheckWhere(*database_, "main.\"t\"", where);
    EXPECT_TRUE(status.ok()) << where << ": " << status.ToString();
  }
  void ExpectRefused(const std::string& where) {
    const Status status = CheckWhere(*database_, "main.\"t\"", where);
    EXPECT_EQ(KindOf(status), ErrorKind::kUsage) << where << ": " << status.ToString();
    EXPECT_EQ(IdOf(status), "source.where") << where << ": " << status.ToString();
  }

  ScratchFolder folder_;
  std::unique_ptr<Database> database_;
};

TEST_F(SqliteWhere, OrdinaryConditionsAreTaken) {
  for (const char* where :
       {"a > 1", "a IN (1, 2) AND (b LIKE 'x%' OR b IS NULL)",
        "b = 'it''s; -- no ) comment'", "\"odd ) name\" = 1", "[odd ) name] = 1",
        "`odd ) name` = 1", "a = 1.5e3 OR a = x'00'",
        "day >= date('2024-01-31', '-1 month')", "strftime('%Y', day) = '2024'",
        "b = 'now'", "\"now\" = 'now'", "a IN (SELECT a FROM u)", "rowid % 2 = 0",
        "CASE WHEN a THEN 1 ELSE 0 END", "b ->> '$.x' = 1", "1", "a\n=\t1", "abs(a) < 2"})
    ExpectTaken(where);
}

TEST_F(SqliteWhere, MoreOrLessThanOneExpressionIsRefused) {
  for (const char* where :
       {"", "  ", "a = 1) OR (1 = 1", "(a = 1", "a = 1)", "a = 1; DROP TABLE t",
        "a = 1 -- end", "a = 1 /* end */", "a = 1 ORDER BY a", "a, b", "SELECT 1",
        "VALUES (1)", "WHERE a = 1", "b = 'open", "\"open", "a = 1 LIMIT 1"})
    ExpectRefused(where);
  ExpectRefused(std::string("a = 1\0 OR 1", 11));
}

TEST_F(SqliteWhere, ParametersAreRefused) {
  for (const char* where : {"a = ?", "a = ?1", "a = :x", "a = @x", "a = $x"})
    ExpectRefused(where);
}

TEST_F(SqliteWhere, WhatDependsOnTheClockIsRefused) {
  for (const char* where :
       {"day > date('now')", "day > DATE ( 'NOW' )", "day > date()",
        "day > date('now', '-1 day')", "a > julianday()", "a > strftime('%s')",
        "a > strftime('%s', 'now')", "a > unixepoch()", "day = current_date",
        "day < CURRENT_TIMESTAMP", "a < \"date\"()", "day > date(substr('now', 1))",
        "day > date('no' || 'w')", "day > date(lower('N' || 'ow'))", "a > timediff(day)",
        "a > timediff('now', day)"})
    ExpectRefused(where);
}

TEST_F(SqliteWhere, WhatDependsOnTheTimeZoneOfTheMachineIsRefused) {
  for (const char* where : {"day > date(day, 'localtime')", "day > datetime(a, 'UTC')",
                            "a = strftime('%H', day, '-1 day', 'LocalTime')"})
    ExpectRefused(where);
  ExpectTaken("b = 'utc'");
  ExpectTaken("day > datetime(day, '+02:00')");
}

TEST_F(SqliteWhere, WhatDependsOnChanceOrTheConnectionIsRefused) {
  for (const char* where :
       {"random() > 0", "a = RANDOM ()", "b = randomblob(4)", "changes() = 0",
        "a = last_insert_rowid()", "total_changes() = 0"})
    ExpectRefused(where);
}

TEST_F(SqliteWhere, AMisspeltColumnIsRefusedInAnyQuotes) {
  for (const char* where : {"c = 1", "\"c\" = 1", "[c] = 1", "t2.a = 1", "nofunc(a)"})
    ExpectRefused(where);
}

}  // namespace
}  // namespace sluice::sqlite
