// Which key chunks are cut by, and that no chunk costs more than its rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arrow/record_batch.h"
#include "arrow/scalar.h"
#include "source/sqlite_definition.h"
#include "source/sqlite_query.h"
#include "source/sqlite_session.h"
#include "testing/batches.h"
#include "testing/scratch_folder.h"

namespace sluice::sqlite {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// One search by all parts of the key, and no sorting.
auto SearchBy(const std::string& how) {
  return AllOf(StartsWith("SEARCH "), HasSubstr(how + "\n"),
               Not(HasSubstr("TEMP B-TREE")));
}

class SqliteKey : public ::testing::Test {
 protected:
  SqliteKey()
      : database_(Database::Open(
                      {.path = folder_.Path("k.db"), .mode = OpenMode::kReadWriteCreate},
                      Role::kSource)
                      .ValueOrDie()),
        session_(MakeSession(database_)) {}

  void Execute(const std::string& sql) {
    const Status status = database_->Execute("PRAGMA synchronous=OFF;" + sql);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  TableInfo Described(const std::string& where = "") {
    Relation relation;
    relation.name = {"main", "t"};
    relation.where = where;
    return session_->Describe(relation).ValueOrDie();
  }
  std::vector<std::string> KeyOfTable(const std::string& sql) {
    Execute("DROP TABLE IF EXISTS t; " + sql);
    return Described().key;
  }
  /// What SQLite will do for a range of the described table.
  std::string PlanOf(const TableInfo& table) {
    const RelationFacts facts = FactsOf(table).ValueOrDie();
    const Key key(facts.key.columns.size(), std::make_shared<arrow::Int64Scalar>(1));
    const std::string sql = SelectRows(facts, {key, key}).sql;
    Statement rows = database_->Prepare("EXPLAIN QUERY PLAN " + sql).ValueOrDie();
    std::string plan;
    while (rows.Step().ValueOrDie()) plan += std::string(rows.ColumnText(3)) + "\n";
    return plan;
  }
  std::vector<Row> Read(const TableInfo& table, const KeyRange& range = {}) {
    return ReadRows(*session_->Read(table, range, {}).ValueOrDie()).ValueOrDie();
  }
  /// The rows of all ranges of `rows_wanted`, in order.
  std::vector<Row> ReadInRanges(const TableInfo& table, int64_t rows_wanted) {
    std::vector<Row> rows;
    KeyRange range{std::nullopt, {}};
    const auto last = session_->LastKey(table).ValueOrDie();
    while (true) {
      const auto bound =
          session_->Bound(table, {range.after, last}, rows_wanted).ValueOrDie();
      range.upto = bound ? bound : last;
      for (Row& row : Read(table, range)) rows.push_back(std::move(row));
      if (!bound) return rows;
      range.after = bound;
    }
  }

  using Names = std::vector<std::string>;
  ScratchFolder folder_;
  std::shared_ptr<Database> database_;
  std::unique_ptr<Session> session_;
};

TEST_F(SqliteKey, IsTheIntegerPrimaryKeyFirst) {
  EXPECT_EQ(KeyOfTable("CREATE TABLE t(a INT NOT NULL UNIQUE, id INTEGER PRIMARY KEY)"),
            Names{"id"});
  EXPECT_TRUE(Described().key_is_integer);
  EXPECT_EQ(KeyOfTable("CREATE TABLE t(id integer, a, PRIMARY KEY(id))"), Names{"id"});
}

TEST_F(SqliteKey, IsNotAPrimaryKeyThatMayBeNull) {
  EXPECT_EQ(KeyOfTable("CREATE TABLE t(a TEXT PRIMARY KEY)"), Names{});
  EXPECT_EQ(KeyOfTable("CREATE TABLE t(a INT PRIMARY KEY)"), Names{});
  EXPECT_EQ(KeyOfTable("CREATE TABLE t(a INT NOT NULL, b INT, PRIMARY KEY(a,b))"),
            Names{});
  EXPECT_EQ(KeyOfTable("CREATE TABLE t(a INT UNIQUE)"), Names{});
}

TEST_F(SqliteKey, IsThePrimaryKeyWhereNoPartMayBeNull) {
  EXPECT_EQ(
      KeyOfTable("CREATE TABLE t(z INT NOT NULL UNIQUE, a INT NOT NULL, b TEXT NOT NULL, "
                 "PRIMARY KEY(b,a))"),
      (Names{"b", "a"}));
  EXPECT_EQ(KeyOfTable("CREATE TABLE t(a TEXT, b INT, PRIMARY KEY(a,b)) WITHOUT ROWID"),
            (Names{"a", "b"}));
  EXPECT_EQ(KeyOfTable("CREATE TABLE t(a INTEGER NOT NULL PRIMARY KEY DESC)"),
            Names{"a"});
  EXPECT_FALSE(Described().key_is_integer);
}

TEST_F(SqliteKey, IsElseTheUniqueIndexOfFewestColumnsThenByName) {
  EXPECT_EQ(
      KeyOfTable(
          "CREATE TABLE t(a INT NOT NULL, b INT NOT NULL, c INT NOT NULL, d INT NOT NULL);"
          "CREATE UNIQUE INDEX t1 ON t(a,b); CREATE UNIQUE INDEX t3 ON t(d);"
          "CREATE UNIQUE INDEX t2 ON t(c)"),
      Names{"c"});
}

TEST_F(SqliteKey, IsNoIndexThatIsPartialOrOfExpressionsOrOfDoublesOrOfMixedDirections) {
  const std::string table =
      "CREATE TABLE t(a INT NOT NULL, b INT NOT NULL, r REAL NOT NULL);";
  EXPECT_EQ(KeyOfTable(table + "CREATE UNIQUE INDEX i ON t(a) WHERE b > 0"), Names{});
  EXPECT_EQ(KeyOfTable(table + "CREATE UNIQUE INDEX i ON t(a+1)"), Names{});
  EXPECT_EQ(KeyOfTable(table + "CREATE UNIQUE INDEX i ON t(a,r)"), Names{});
  EXPECT_EQ(KeyOfTable(table + "CREATE UNIQUE INDEX i ON t(a,b DESC)"), Names{});
  EXPECT_EQ(KeyOfTable(table + "CREATE INDEX i ON t(a)"), Names{});
  EXPECT_EQ(KeyOfTable(table + "CREATE UNIQUE INDEX i ON t(a DESC,b DESC)"),
            (Names{"a", "b"}));
}

TEST_F(SqliteKey, IsTheRowidAloneInAUtf16Database) {
  const ScratchFolder folder;
  database_ =
      Database::Open({.path = folder.Path("16.db"), .mode = OpenMode::kReadWriteCreate},
                     Role::kSource)
          .ValueOrDie();
  session_ = MakeSession(database_);
  Execute("PRAGMA encoding='UTF-16'");
  EXPECT_EQ(KeyOfTable("CREATE TABLE t(a TEXT NOT NULL UNIQUE)"), Names{});
  EXPECT_EQ(KeyOfTable("CREATE TABLE t(a INTEGER PRIMARY KEY, b)"), Names{"a"});
}

TEST_F(SqliteKey, EveryRangeIsASearchInTheKeysIndex) {
  KeyOfTable(
      "CREATE TABLE t(a INT NOT NULL, b TEXT NOT NULL, c INT, PRIMARY KEY(a,b));"
      "CREATE INDEX c ON t(c)");
  EXPECT_THAT(PlanOf(Described("c = 5")),
              SearchBy("sqlite_autoindex_t_1 ((a,b)>(?,?) AND (a,b)<(?,?))"));
  KeyOfTable(
      "CREATE TABLE t(a INT, b TEXT, c INT, PRIMARY KEY(a,b)) WITHOUT ROWID;"
      "CREATE INDEX c ON t(c)");
  EXPECT_THAT(PlanOf(Described("c = 5")),
              SearchBy("PRIMARY KEY ((a,b)>(?,?) AND (a,b)<(?,?))"));
  KeyOfTable("CREATE TABLE t(id INTEGER PRIMARY KEY, c INT); CREATE INDEX c ON t(c)");
  EXPECT_THAT(PlanOf(Described("c = 5")),
              SearchBy("INTEGER PRIMARY KEY (rowid>? AND rowid<?)"));
  KeyOfTable(
      "CREATE TABLE t(a TEXT NOT NULL, b TEXT NOT NULL);"
      "CREATE UNIQUE INDEX \"odd \"\" name\" ON t(a COLLATE nocase, b COLLATE rtrim)");
  EXPECT_THAT(PlanOf(Described()), SearchBy("odd \" name ((a,b)>(?,?) AND (a,b)<(?,?))"));
  KeyOfTable(
      "CREATE TABLE t(a INT NOT NULL, b INT NOT NULL);"
      "CREATE UNIQUE INDEX i ON t(a DESC, b DESC)");
  EXPECT_THAT(PlanOf(Described()), SearchBy("i ((a,b)>(?,?) AND (a,b)<(?,?))"));
}

TEST_F(SqliteKey, RangesFollowTheCollationOfTheIndexNotOfTheColumn) {
  Execute(
      "CREATE TABLE t(a TEXT NOT NULL, n INT); CREATE UNIQUE INDEX i ON t(a COLLATE nocase);"
      "INSERT INTO t VALUES ('b',1),('A',2),('C',3),('d',4),('E',5),('a ',6),('Z',7),('y',8)");
  const TableInfo table = Described();
  ASSERT_EQ(table.key, Names{"a"});
  const std::vector<Row> all = Read(table);
  EXPECT_EQ(all[0], (Row{"A", "2"}));
  EXPECT_EQ(all[7], (Row{"Z", "7"}));
  for (const int64_t rows : {1, 2, 3}) EXPECT_EQ(ReadInRanges(table, rows), all);
}

TEST_F(SqliteKey, AKeyOfSeveralStorageClassesIsCutLikeAnyOther) {
  Execute(
      "CREATE TABLE t(a NOT NULL UNIQUE);"
      "INSERT INTO t VALUES (1),(2.5),(-9223372036854775808),('x'),(''),(3),(1e300),('2')");
  const TableInfo table = Described();
  ASSERT_EQ(table.key, Names{"a"});
  EXPECT_EQ(ReadInRanges(table, 1), Read(table));
  EXPECT_EQ(Read(table).size(), 8u);
  Execute("INSERT INTO t VALUES (x''),(x'ff'),(x'00')");
  Relation relation;
  relation.name = {"main", "t"};
  relation.on_type_mismatch = OnTypeMismatch::kString;
  const TableInfo with_blobs = session_->Describe(relation).ValueOrDie();
  EXPECT_EQ(ReadInRanges(with_blobs, 2), Read(with_blobs));
  EXPECT_EQ(Read(with_blobs).size(), 11u);
}

TEST_F(SqliteKey, KeysAtTheEndsOfTheIntegersAreCut) {
  Execute(
      "CREATE TABLE t(id INTEGER PRIMARY KEY);"
      "INSERT INTO t VALUES (-9223372036854775808),(-9223372036854775807),(0),"
      "(9223372036854775806),(9223372036854775807)");
  const TableInfo table = Described();
  for (const int64_t rows : {1, 2, 3, 100})
    EXPECT_EQ(ReadInRanges(table, rows).size(), 5u);
}

TEST_F(SqliteKey, AColumnNamedRowidDoesNotHideTheRowid) {
  Execute(
      "CREATE TABLE t(rowid TEXT, _rowid_ TEXT, a INT);"
      "INSERT INTO t VALUES ('x','y',1),('z','w','bad')");
  const TableInfo table = Described();
  EXPECT_TRUE(table.key.empty());
  auto reader = session_->Read(table, {}, {}).ValueOrDie();
  const Status status = ReadRows(*reader).status();
  EXPECT_NE(status.message().find("rowid=2"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace sluice::sqlite
