// Streams of a query instead of a table.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "driver/sqlite.h"
#include "source/sqlite.h"
#include "testing/batches.h"
#include "testing/scratch_folder.h"

namespace sluice {
namespace {

class SqliteQueryStream : public ::testing::Test {
 protected:
  SqliteQueryStream() {
    Execute(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, day DATE, price REAL, note TEXT, raw BLOB);"
        "INSERT INTO t VALUES (1,'2024-01-01',1.5,'a',x'00'),(2,NULL,2.5,NULL,NULL),"
        "(3,'2024-02-29',-0.5,'ü',x'FF')");
    set_ = OpenSqliteSource(Path(), {})
               .ValueOrDie()
               ->Open(Consistency::kPerChunk, 1)
               .ValueOrDie();
  }
  std::string Path() const { return folder_.Path("s.db"); }
  void Execute(const std::string& sql) {
    auto database = sqlite::Database::Open(
        {.path = Path(), .mode = sqlite::OpenMode::kReadWriteCreate},
        sqlite::Role::kState);
    const Status status = (*database)->Execute(sql);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  Session& session() { return *set_.sessions[0]; }
  Result<TableInfo> Describe(const std::string& sql) {
    Relation relation;
    relation.name = {"", "q"};
    relation.sql = sql;
    return session().Describe(relation);
  }

  ScratchFolder folder_{ScratchPlace::kMemory};
  SessionSet set_;
};

TEST_F(SqliteQueryStream, ColumnsHaveTheTypesOfWhatTheyShow) {
  const auto info = Describe(
      "-- every kind\nWITH w AS (SELECT * FROM t) SELECT id, day AS d, price, raw, note, "
      "count(*) AS n FROM w GROUP BY id;");
  ASSERT_TRUE(info.ok()) << info.status().ToString();
  EXPECT_EQ(
      info->schema->ToString(/*show_metadata=*/false),
      "id: int64\nd: date32[day]\nprice: double\nraw: binary\nnote: string\nn: string");
  EXPECT_EQ(info->relation.name, (TableName{"main", "q"}));
  EXPECT_TRUE(info->key.empty());
  EXPECT_EQ(session().DigestOf(*info, {}).ValueOrDie(), std::nullopt);
  EXPECT_TRUE(session().CheckUnchanged(*info).ok());
  const auto rows = ReadRows(*session().Read(*info, {}, {}).ValueOrDie()).ValueOrDie();
  EXPECT_EQ(rows.size(), 3U);
}

TEST_F(SqliteQueryStream, NoRowsAreRowsOfTheirTypes) {
  const auto info = Describe("SELECT id FROM t WHERE id > 100").ValueOrDie();
  EXPECT_EQ(info.schema->field(0)->type()->ToString(), "int64");
  EXPECT_TRUE(ReadRows(*session().Read(info, {}, {}).ValueOrDie()).ValueOrDie().empty());
}

TEST_F(SqliteQueryStream, ValuesThatDoNotFitGoByThePolicy) {
  Execute("INSERT INTO t VALUES (4,'no date',0,'b',NULL)");
  Relation relation;
  relation.name = {"main", "q"};
  relation.sql = "SELECT day, note FROM t ORDER BY id";
  auto read = [&](TableInfo* info, ReadTally* tally) -> Status {
    ARROW_ASSIGN_OR_RAISE(*info, session().Describe(relation));
    ARROW_ASSIGN_OR_RAISE(auto reader, session().Read(*info, {}, {.tally = tally}));
    return ReadRows(*reader).status();
  };
  TableInfo info;
  ReadTally tally;
  EXPECT_EQ(IdOf(read(&info, &tally)), "source.type-mismatch");
  relation.column_policies = {{"day", {{"on_type_mismatch", "null"}}}};
  ASSERT_TRUE(read(&info, &tally).ok());
  EXPECT_EQ(tally.coerced, (std::map<std::string, int64_t>{{"day", 1}}));
  relation.column_policies = {{"day", {{"on_type_mismatch", "string"}}}};
  ASSERT_TRUE(read(&info, &tally).ok());
  EXPECT_EQ(info.schema->field(0)->type()->ToString(), "string");
}

TEST_F(SqliteQueryStream, WhatIsNoQueryOfSteadyRowsIsRefused) {
  for (const char* wrong : {"",
                            ";",
                            "DELETE FROM t",
                            "WITH w AS (SELECT 1) DELETE FROM t",
                            "PRAGMA user_version",
                            "EXPLAIN SELECT 1 AS a",
                            "SELECT 1 AS a; SELECT 2 AS b",
                            "SELECT id FROM nowhere",
                            "SELECT nothing FROM t",
                            "SELECT id, id FROM t",
                            "SELECT id, note AS ID FROM t",
                            "SELECT ? AS a",
                            "SELECT :a AS a",
                            "SELECT random() AS a",
                            "SELECT date('now') AS a",
                            "SELECT current_timestamp AS a",
                            "SELECT (1 AS a",
                            "INSERT INTO t(id) VALUES (9) RETURNING id",
                            "ATTACH 'x' AS y",
                            "SELECT 'a",
                            "SELECT 1 AS a /* ",
                            "VACUUM"}) {
    const auto info = Describe(wrong);
    EXPECT_EQ(KindOf(info.status()), ErrorKind::kUsage) << wrong;
    EXPECT_EQ(IdOf(info.status()), "source.query") << wrong << info.status().ToString();
  }
  EXPECT_TRUE(Describe("VALUES (1, 2)").ok());
  EXPECT_TRUE(Describe("SELECT 'now; -- it''s /*' AS a").ok());
}

TEST_F(SqliteQueryStream, AQueryStandsAlone) {
  Relation relation;
  relation.name = {"main", "q"};
  relation.sql = "SELECT id FROM t";
  relation.where = "id > 1";
  EXPECT_EQ(IdOf(session().Describe(relation).status()), "source.query");
  relation.where.clear();
  relation.columns = {"id"};
  EXPECT_EQ(IdOf(session().Describe(relation).status()), "source.query");
  relation.columns.clear();
  relation.column_policies = {{"elsewhere", {{"on_type_mismatch", "null"}}}};
  EXPECT_TRUE(session().Describe(relation).ok());
  relation.column_policies = {{"id", {{"zero_date", "null"}}}};
  EXPECT_EQ(IdOf(session().Describe(relation).status()), "source.policy");
}

TEST_F(SqliteQueryStream, WhatItGivesMustNotChangeMeanwhile) {
  const auto info = Describe("SELECT * FROM t").ValueOrDie();
  EXPECT_TRUE(session().CheckUnchanged(info).ok());
  Execute("ALTER TABLE t ADD COLUMN more INT");
  EXPECT_EQ(IdOf(session().CheckUnchanged(info)), "source.changed");
  EXPECT_EQ(KindOf(session().CheckUnchanged(info)), ErrorKind::kSource);
  Execute("ALTER TABLE t RENAME TO u");
  EXPECT_EQ(IdOf(session().CheckUnchanged(info)), "source.changed");
}

TEST_F(SqliteQueryStream, ADetailCrossesProcesses) {
  const auto info = Describe("SELECT id FROM t -- all").ValueOrDie();
  TableInfo crossed = info;
  crossed.schema = info.schema;
  set_ = OpenSqliteSource(Path(), {})
             .ValueOrDie()
             ->Open(Consistency::kPerChunk, 1)
             .ValueOrDie();
  EXPECT_EQ(ReadRows(*session().Read(crossed, {}, {}).ValueOrDie()).ValueOrDie().size(),
            3U);
}

}  // namespace
}  // namespace sluice
