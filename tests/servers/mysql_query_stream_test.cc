// Streams of a query instead of a table, on each server.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "server_database.h"
#include "testing/batches.h"

namespace sluice {
namespace {

class ServerQueryStream : public ::testing::TestWithParam<ServerKind> {
 protected:
  ServerQueryStream() : database_(GetParam()) {
    database_.Execute(
        "SET sql_mode='';\n"
        "CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY, day DATE, at DATETIME(3), seen TIMESTAMP NULL, "
        "price DECIMAL(12,2), wide DECIMAL(50,3), ratio DOUBLE, note VARCHAR(20) CHARACTER SET utf8mb4, "
        "old VARCHAR(20) CHARACTER SET latin1, raw VARBINARY(9), flag TINYINT(1), bits BIT(7), "
        "mood ENUM('a',''), big LONGTEXT CHARACTER SET utf8mb4, spot POINT);\n"
        "INSERT INTO t VALUES (1,'2024-01-01','2024-01-01 01:02:03.004','2024-01-01 00:00:01',1.25,"
        "123.456,0.1,'ü',_latin1 x'FC',x'00FF',1,5,'a',REPEAT('x',70000),POINT(1,2)),"
        "(2,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'','',NULL),"
        "(18446744073709551615,'9999-12-31','1000-01-01','2038-01-19 03:14:07',-1.25,-0.5,-0.0,'','',"
        "'',0,127,'nonsense',NULL,NULL)");
    source_ = database_.Open().ValueOrDie();
    set_ = source_->Open(Consistency::kSnapshot, 1).ValueOrDie();
  }
  Session& session() { return *set_.sessions[0]; }
  static Relation Query(const std::string& sql) {
    Relation relation;
    relation.name = {"", "q"};
    relation.sql = sql;
    return relation;
  }
  Result<TableInfo> Describe(const std::string& sql) {
    return session().Describe(Query(sql));
  }
  Result<std::vector<Row>> Read(const TableInfo& info, ReadTally* tally = nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto reader, session().Read(info, {}, {.tally = tally}));
    return ReadRows(*reader);
  }
  std::string TypesOf(const TableInfo& info) {
    std::string text;
    for (const auto& field : info.schema->fields())
      text += field->name() + " " + field->type()->ToString() + "; ";
    return text;
  }

  ServerDatabase database_;
  std::unique_ptr<Source> source_;
  SessionSet set_;
};

INSTANTIATE_TEST_SUITE_P(All, ServerQueryStream,
                         ::testing::Values(ServerKind::kMysql, ServerKind::kMariaDb),
                         [](const auto& param) { return NameOf(param.param); });

constexpr char kPlain[] =
    "SELECT id, day, at, seen, price, wide, ratio, note, raw, flag, bits FROM t ORDER BY id";
constexpr char kPlainTypes[] =
    "id decimal128(20, 0); day date32[day]; at timestamp[us]; seen timestamp[us, tz=UTC]; "
    "price decimal128(12, 2); wide string; ratio double; note string; raw binary; flag int8; "
    "bits int64; ";

TEST_P(ServerQueryStream, ColumnsHaveTheTypesOfWhatTheyShow) {
  const auto info = Describe(kPlain);
  ASSERT_TRUE(info.ok()) << info.status().ToString();
  EXPECT_EQ(TypesOf(*info), kPlainTypes);
  EXPECT_TRUE(info->key.empty());
  EXPECT_EQ(info->relation.name, (TableName{database_.name(), "q"}));
  EXPECT_EQ(session().DigestOf(*info, {}).ValueOrDie(), std::nullopt);
  // A query gives what a copy of the table gives.
  Relation table;
  table.name = {database_.name(), "t"};
  table.columns = {"id",    "day",  "at",  "seen", "price", "wide",
                   "ratio", "note", "raw", "flag", "bits"};
  const auto of_table = session().Describe(table).ValueOrDie();
  EXPECT_EQ(TypesOf(of_table), kPlainTypes);
  EXPECT_EQ(Read(*info).ValueOrDie(), Read(of_table).ValueOrDie());
  EXPECT_TRUE(session().CheckUnchanged(*info).ok());
}

TEST_P(ServerQueryStream, WhatMustBeConvertedOrGuardedIs) {
  Relation query = Query("SELECT id, old, mood, big, spot FROM t /* all */ ;");
  query.type_policies = {{"enum", {{"enum_error", "null"}}}};
  const auto info = session().Describe(query);
  ASSERT_TRUE(info.ok()) << info.status().ToString();
  EXPECT_EQ(TypesOf(*info),
            "id decimal128(20, 0); old string; mood string; big string; spot binary; ");
  ReadTally tally;
  auto rows = Read(*info, &tally).ValueOrDie();
  std::sort(rows.begin(), rows.end());
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0][1], "ü");
  EXPECT_EQ(rows[0][2], "a");
  EXPECT_EQ(rows[0][3]->size(), 70'000U);
  EXPECT_EQ(rows[0][4]->size(), 21U);
  EXPECT_EQ(rows[2][2], "");
  EXPECT_EQ(rows[1][2], std::nullopt);
  EXPECT_EQ(tally.coerced, (std::map<std::string, int64_t>{{"mood", 1}}));
  // The value is not even sent.
  ReadContext small;
  small.row_bytes_max = 10'000;
  auto reader = session().Read(*info, {}, small).ValueOrDie();
  EXPECT_EQ(IdOf(ReadRows(*reader).status()), "source.row-too-big");
}

TEST_P(ServerQueryStream, ExpressionsHaveTypesToo) {
  const auto info = Describe(
      "WITH w AS (SELECT id, price, note FROM t) SELECT COUNT(*) AS n, SUM(price) AS total, "
      "MAX(CONCAT(note, 'x')) AS most, CAST(NULL AS CHAR(3)) AS nothing, 'text' AS word FROM w");
  ASSERT_TRUE(info.ok()) << info.status().ToString();
  EXPECT_EQ(
      TypesOf(*info),
      "n int64; total decimal128(34, 2); most string; nothing string; word string; ");
  EXPECT_EQ(Read(*info).ValueOrDie(),
            (std::vector<Row>{{"3", "0.00", "üx", std::nullopt, "text"}}));
}

TEST_P(ServerQueryStream, NoRowsAreRowsOfTheirTypes) {
  const auto info = Describe("SELECT id, old FROM t WHERE id = 77").ValueOrDie();
  EXPECT_TRUE(Read(info).ValueOrDie().empty());
}

TEST_P(ServerQueryStream, PoliciesConcernTheColumnsOfAQuery) {
  Relation query = Query(
      "SELECT id, flag, wide, day FROM t WHERE id < 9 UNION ALL "
      "SELECT id, flag, wide, day FROM t WHERE id > 9");
  query.policies = {{"tinyint1", "bool"}, {"wide_decimal", "decimal256"}};
  query.column_policies = {{"id", {{"unsigned", "native"}}}};
  const auto info = session().Describe(query);
  ASSERT_TRUE(info.ok()) << info.status().ToString();
  EXPECT_EQ(info->schema->field(0)->type()->ToString(), "uint64");
  EXPECT_EQ(info->schema->field(2)->type()->ToString(), "decimal256(50, 3)");
  EXPECT_EQ(Read(*info).ValueOrDie().size(), 3U);
}

TEST_P(ServerQueryStream, WhatIsNoQueryOfSteadyRowsIsRefused) {
  for (const char* wrong : {"",
                            "DELETE FROM t",
                            "SELECT id FROM t FOR UPDATE",
                            "SELECT id FROM t LOCK IN SHARE MODE",
                            "SELECT id FROM t INTO OUTFILE '/tmp/x'",
                            "SELECT id INTO @a FROM t",
                            "CALL p()",
                            "SELECT 1 AS a; SELECT 2 AS b",
                            "SHOW TABLES",
                            "SELECT id FROM nowhere",
                            "SELECT nothing FROM t",
                            "SELECT id, id FROM t",
                            "SELECT id, note AS ID FROM t",
                            "SELECT ? AS a",
                            "SELECT @x AS a",
                            "SELECT NOW() AS a",
                            "SELECT current_date AS a",
                            "SELECT RAND() AS a",
                            "SELECT id /*! , 1 */ AS a FROM t",
                            "SELECT (1 AS a",
                            "SELECT 'a",
                            "SELECT NULL AS a",
                            "SET @a = 1",
                            "EXPLAIN SELECT 1 AS a",
                            "SELECT '' FROM t"}) {
    const auto info = Describe(wrong);
    EXPECT_EQ(KindOf(info.status()), ErrorKind::kUsage) << wrong;
    EXPECT_EQ(IdOf(info.status()), "source.query")
        << wrong << ": " << info.status().ToString();
  }
  EXPECT_TRUE(
      Describe(
          "SELECT REPLACE(note, 'a', 'b') AS `update`, INSERT(note, 1, 1, '') AS i FROM t")
          .ok());
  EXPECT_TRUE(Describe("(SELECT 1 AS a) UNION (SELECT 2)").ok());
}

TEST_P(ServerQueryStream, NothingIsWrittenByAFunctionOfAQuery) {
  database_.Execute(
      "CREATE TABLE log (a INT);\n"
      "CREATE FUNCTION f() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO log VALUES (1); RETURN 1; END");
  auto set = source_->Open(Consistency::kPerChunk, 1).ValueOrDie();
  const auto info = set.sessions[0]->Describe(Query("SELECT f() AS a"));
  Status status = info.status();
  if (status.ok()) {
    auto reader = set.sessions[0]->Read(*info, {}, {});
    status = reader.ok() ? ReadRows(**reader).status() : reader.status();
  }
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(database_.Query("SELECT COUNT(*) FROM log").ValueOrDie()[0][0], "0");
}

TEST_P(ServerQueryStream, WhatItGivesMustNotChangeMeanwhile) {
  auto set = source_->Open(Consistency::kPerChunk, 1).ValueOrDie();
  const auto info = set.sessions[0]
                        ->Describe(Query("SELECT * FROM (SELECT id, note FROM t) AS x"))
                        .ValueOrDie();
  EXPECT_TRUE(set.sessions[0]->CheckUnchanged(info).ok());
  set_ = {};
  database_.Execute("ALTER TABLE t MODIFY note VARCHAR(30) CHARACTER SET latin1");
  EXPECT_EQ(IdOf(set.sessions[0]->CheckUnchanged(info)), "source.changed");
  database_.Execute("DROP TABLE t");
  EXPECT_EQ(IdOf(set.sessions[0]->CheckUnchanged(info)), "source.changed");
  EXPECT_EQ(KindOf(set.sessions[0]->CheckUnchanged(info)), ErrorKind::kSource);
}

TEST_P(ServerQueryStream, APolicyOfAColumnThatIsNotItsIsRefused) {
  Relation table;
  table.name = {database_.name(), "t"};
  table.column_policies = {{"DAY", {{"zero_date", "null"}}}};
  const auto info = session().Describe(table);
  ASSERT_TRUE(info.ok()) << info.status().ToString();
  EXPECT_TRUE(info->relation.column_policies.contains("day")) << "by its own name";
  table.column_policies = {{"elsewhere", {{"zero_date", "null"}}}};
  EXPECT_TRUE(session().Describe(table).ok()) << "said of many tables";
  table.column_policies = {{"note", {{"zero_date", "null"}}}};
  EXPECT_EQ(IdOf(session().Describe(table).status()), "source.policy");
  table.column_policies = {{"day", {{"zero_date", "maybe"}}}};
  EXPECT_EQ(IdOf(session().Describe(table).status()), "source.policy");
  table.column_policies = {};
  table.type_policies = {{"date", {{"on_type_mismatch", "maybe"}}}};
  EXPECT_EQ(IdOf(session().Describe(table).status()), "source.policy");
}

}  // namespace
}  // namespace sluice
