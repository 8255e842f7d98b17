#include "source/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/util/key_value_metadata.h"
#include "base/vocabulary_json.h"
#include "driver/sqlite.h"
#include "testing/batches.h"
#include "testing/scratch_folder.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

class SqliteSourceTest : public ::testing::Test {
 protected:
  std::string Path() const { return folder_.Path("s.db"); }
  std::unique_ptr<sqlite::Database> Writer() {
    return sqlite::Database::Open({.path = Path(),
                                   .mode = sqlite::OpenMode::kReadWriteCreate,
                                   .busy_timeout_millis = 0},
                                  sqlite::Role::kState)
        .ValueOrDie();
  }
  void Execute(const std::string& sql) {
    const Status status = Writer()->Execute("PRAGMA synchronous=OFF;" + sql);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  std::unique_ptr<Source> Open() {
    return OpenSqliteSource(Path(), {.busy_timeout_millis = 50}).ValueOrDie();
  }
  Session& OneSession(Consistency wanted = Consistency::kSnapshot) {
    set_.sessions.clear();
    set_ = Open()->Open(wanted, 1).ValueOrDie();
    return *set_.sessions[0];
  }
  static Relation T(OnTypeMismatch policy = OnTypeMismatch::kError) {
    Relation relation;
    relation.name = {"main", "t"};
    relation.on_type_mismatch = policy;
    return relation;
  }
  static Status ReadStatus(Session& session, const TableInfo& table,
                           const ReadContext& context = {}) {
    auto reader = session.Read(table, {}, context);
    return reader.ok() ? ReadRows(**reader).status() : reader.status();
  }
  static void ExpectError(const Status& status, ErrorKind kind, std::string_view id) {
    EXPECT_EQ(KindOf(status), kind) << status.ToString();
    EXPECT_EQ(IdOf(status), id) << status.ToString();
  }

  ScratchFolder folder_;
  SessionSet set_;
};

TEST_F(SqliteSourceTest, AFileThatIsNoDatabaseIsRefusedWhenOpened) {
  ExpectError(OpenSqliteSource(Path()).status(), ErrorKind::kUsage,
              "source.no-such-file");
  std::ofstream(Path()) << "id,name\n";
  ExpectError(OpenSqliteSource(Path()).status(), ErrorKind::kUsage,
              "source.not-a-database");
}

TEST_F(SqliteSourceTest, TablesOfOthersAreNotListed) {
  Execute(
      "CREATE TABLE b(a); CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT);"
      "CREATE VIEW v AS SELECT * FROM b; CREATE VIRTUAL TABLE f USING fts5(x);"
      "INSERT INTO b VALUES (1); ANALYZE");
  Session& session = OneSession();
  const std::vector<TableName> of_f = {{"main", "f_data"},
                                       {"main", "f_idx"},
                                       {"main", "f_content"},
                                       {"main", "f_docsize"},
                                       {"main", "f_config"}};
  std::vector<TableName> wanted = {{"main", "b"}, {"main", "a"}};
  wanted.insert(wanted.end(), of_f.begin(), of_f.end());
  EXPECT_EQ(session.List({}).ValueOrDie(), wanted);
  wanted = {{"main", "b"}, {"main", "a"}, {"main", "v"}, {"main", "f"}};
  wanted.insert(wanted.end(), of_f.begin(), of_f.end());
  EXPECT_EQ(session.List({.views = true}).ValueOrDie(), wanted);
}

TEST_F(SqliteSourceTest, ATableNamedLikeOneOfAnIndexIsListedAndRead) {
  Execute(
      "CREATE TABLE docs_content(id INTEGER PRIMARY KEY, body TEXT);"
      "INSERT INTO docs_content VALUES (1, 'mine');"
      "CREATE VIRTUAL TABLE docs USING fts5(body, content='docs_content', content_rowid='id')");
  Session& session = OneSession();
  const auto names = session.List({}).ValueOrDie();
  EXPECT_EQ(names[0], (TableName{"main", "docs_content"}));
  Relation relation;
  relation.name = names[0];
  const TableInfo table = session.Describe(relation).ValueOrDie();
  EXPECT_EQ(table.key, (std::vector<std::string>{"id"}));
  EXPECT_EQ(ReadRows(*session.Read(table, {}, {}).ValueOrDie()).ValueOrDie(),
            (std::vector<Row>{{"1", "mine"}}));
}

TEST_F(SqliteSourceTest, FunctionsOfSqliteInASchemaAreNoHarm) {
  Execute(
      "CREATE TABLE t(j TEXT, v TEXT AS (json_extract(j, '$.v')) STORED);"
      "CREATE INDEX i ON t(json_extract(j, '$.w')); INSERT INTO t VALUES ('{\"v\":\"x\"}')");
  Session& session = OneSession();
  const TableInfo table = session.Describe(T()).ValueOrDie();
  EXPECT_EQ(ReadRows(*session.Read(table, {}, {}).ValueOrDie()).ValueOrDie(),
            (std::vector<Row>{{"{\"v\":\"x\"}", "x"}}));
}

TEST_F(SqliteSourceTest, AVirtualTableIsReadWhenNamed) {
  Execute("CREATE VIRTUAL TABLE t USING fts5(x, y); INSERT INTO t VALUES ('a','b')");
  Session& session = OneSession();
  const TableInfo table = session.Describe(T()).ValueOrDie();
  EXPECT_EQ(table.schema->field_names(), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(ReadRows(*session.Read(table, {}, {}).ValueOrDie()).ValueOrDie(),
            (std::vector<Row>{{"a", "b"}}));
}

TEST_F(SqliteSourceTest, NamesAreFoundExactlyFirstThenIgnoringCase) {
  Execute("CREATE TABLE T(\"Name\" INT, \"\xC3\x84\" INT)");
  Session& session = OneSession();
  Relation relation = T();
  relation.columns = {"NAME"};
  const TableInfo table = session.Describe(relation).ValueOrDie();
  EXPECT_EQ(table.relation.name.table, "T");
  EXPECT_EQ(table.relation.columns, std::vector<std::string>{"Name"});
  relation.columns = {"Name", "name"};
  ExpectError(session.Describe(relation).status(), ErrorKind::kUsage,
              "source.column-twice");
  relation.columns = {"Nam"};
  const Status status = session.Describe(relation).status();
  ExpectError(status, ErrorKind::kUsage, "source.no-such-column");
  EXPECT_THAT(std::string(HintOf(status)), HasSubstr("Name"));
}

TEST_F(SqliteSourceTest, FieldsSayWhereTheyComeFrom) {
  Execute(
      "CREATE TABLE t(a VARCHAR(9) NOT NULL COLLATE NOCASE, b INT NOT NULL, c, "
      "PRIMARY KEY(b, a))");
  const TableInfo table = OneSession().Describe(T()).ValueOrDie();
  const auto metadata = [&](int field, const char* name) {
    return table.schema->field(field)->metadata()->Get(name).ValueOr("-");
  };
  EXPECT_EQ(metadata(0, "sluice.source_type"), "VARCHAR(9)");
  EXPECT_EQ(metadata(0, "sluice.collation"), "NOCASE");
  EXPECT_EQ(metadata(0, "sluice.key"), "2");
  EXPECT_EQ(metadata(1, "sluice.key"), "1");
  EXPECT_EQ(metadata(2, "sluice.key"), "-");
  EXPECT_FALSE(table.schema->field(0)->nullable());
  EXPECT_TRUE(table.schema->field(2)->nullable());
}

TEST_F(SqliteSourceTest, AColumnThatAPolicyMayEmptyIsNullable) {
  Execute("CREATE TABLE t(a INT NOT NULL); INSERT INTO t VALUES ('x')");
  Session& session = OneSession();
  const TableInfo table = session.Describe(T(OnTypeMismatch::kNull)).ValueOrDie();
  EXPECT_TRUE(table.schema->field(0)->nullable());
  EXPECT_TRUE(ReadStatus(session, table).ok());
  EXPECT_FALSE(session.Describe(T()).ValueOrDie().schema->field(0)->nullable());
}

TEST_F(SqliteSourceTest, AMisfitNamesTableKeyColumnAndWhatWasFound) {
  Execute(
      "CREATE TABLE t(a INT NOT NULL, b TEXT NOT NULL, price INT, PRIMARY KEY(a,b));"
      "INSERT INTO t VALUES (1,'x',5),(1,'y','secret')");
  Session& session = OneSession();
  Relation relation = T();
  relation.columns = {"price"};
  const Status status = ReadStatus(session, session.Describe(relation).ValueOrDie());
  ExpectError(status, ErrorKind::kFailed, "source.type-mismatch");
  EXPECT_THAT(status.message(),
              HasSubstr("main.t, row a=1, b='y', column price: wanted int64, "
                        "found TEXT of 6 bytes"));
  EXPECT_THAT(std::string(HintOf(status)), HasSubstr("--on-type-mismatch null"));
  EXPECT_THAT(status.message(), ::testing::Not(HasSubstr("secret")));
}

TEST_F(SqliteSourceTest, OnlyColumnsWithAMisfitBecomeStrings) {
  Execute(
      "CREATE TABLE t(a INT, b INT, c DATE, d BLOB); INSERT INTO t VALUES (1,2,'2024-01-01',x'00'),"
      "('x',3,'2024-01-01',x'01'); INSERT INTO t VALUES (5,'y','no day',zeroblob(2000000))");
  Session& session = OneSession();
  Relation relation = T(OnTypeMismatch::kString);
  EXPECT_EQ(session.Describe(relation).ValueOrDie().schema->ToString(false),
            "a: string\nb: string\nc: string\nd: binary");
  const std::string all = session.Describe(relation).ValueOrDie().fingerprint;
  relation.where = "a IS NOT 5";
  const TableInfo some = session.Describe(relation).ValueOrDie();
  EXPECT_EQ(some.schema->ToString(false),
            "a: string\nb: int64\nc: date32[day]\nd: binary");
  EXPECT_NE(some.fingerprint, all);
}

TEST_F(SqliteSourceTest, ADescriptionSurvivesTheStateAndAnotherSession) {
  Execute(
      "CREATE TABLE t(a TEXT NOT NULL UNIQUE, b INT); INSERT INTO t VALUES ('x',1),('y',2)");
  const TableInfo table = OneSession().Describe(T()).ValueOrDie();
  const TableInfo again =
      TableInfoFromJson(nlohmann::json::parse(ToJson(table).dump())).ValueOrDie();
  Session& other = OneSession();
  EXPECT_TRUE(other.CheckUnchanged(again).ok());
  const auto last = other.LastKey(again).ValueOrDie();
  EXPECT_EQ(ReadRows(*other.Read(again, {std::nullopt, last}, {}).ValueOrDie())
                .ValueOrDie()
                .size(),
            2u);
}

TEST_F(SqliteSourceTest, TwoThousandColumnsAreRead) {
  std::string sql = "CREATE TABLE t(c0 INTEGER PRIMARY KEY", values = "1";
  for (int i = 1; i < 2000; ++i) {
    sql += ", c" + std::to_string(i) + (i % 2 == 0 ? " TEXT" : " INT");
    values += ",1";
  }
  Execute(sql + "); INSERT INTO t VALUES (" + values + ")");
  Session& session = OneSession();
  const TableInfo table = session.Describe(T(OnTypeMismatch::kString)).ValueOrDie();
  EXPECT_EQ(table.schema->num_fields(), 2000);
  EXPECT_EQ(ReadRows(*session.Read(table, {}, {}).ValueOrDie()).ValueOrDie()[0].size(),
            2000u);
}

TEST_F(SqliteSourceTest, ABlobAboveTheLimitIsFoundWithoutLoadingIt) {
  Execute(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, big BLOB);"
      "INSERT INTO t VALUES (1,'x',zeroblob(10)),(42,'x',zeroblob(100000000))");
  Session& session = OneSession();
  const TableInfo table = session.Describe(T()).ValueOrDie();
  const Status status = ReadStatus(session, table, {.row_bytes_max = 64 << 20});
  ExpectError(status, ErrorKind::kResource, "source.row-too-big");
  EXPECT_THAT(status.message(),
              HasSubstr("main.t, row id=42, column big: wanted rows of at most "
                        "64.0 MiB, found one of 95.4 MiB"));
  EXPECT_EQ(HintOf(status), "--memory 382MiB would do, or leave the column out");
}

TEST_F(SqliteSourceTest, ManyLargeValuesInOneRowAreARowAboveTheLimit) {
  Execute(
      "CREATE TABLE t(a, b TEXT); INSERT INTO t VALUES (printf('%.600000c','x'), "
      "printf('%.700000c','y'))");
  Session& session = OneSession();
  const Status status = ReadStatus(session, session.Describe(T()).ValueOrDie(),
                                   {.row_bytes_max = 1'000'000});
  ExpectError(status, ErrorKind::kResource, "source.row-too-big");
  EXPECT_THAT(status.message(), HasSubstr("rowid=1, column b"));
}

TEST_F(SqliteSourceTest, ADamagedPageEndsTheReadAsCorrupt) {
  Execute(
      "CREATE TABLE t(a TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
      "WHERE i<2000) INSERT INTO t SELECT printf('%.100c','x') FROM n");
  std::fstream file(Path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096 * 20);
  file << std::string(4096, '\xee');
  file.close();
  Session& session = OneSession();
  const Status status = ReadStatus(session, session.Describe(T()).ValueOrDie());
  ExpectError(status, ErrorKind::kSource, "source.corrupt");
  EXPECT_THAT(status.message(), HasSubstr("main.t"));
}

TEST_F(SqliteSourceTest, ATruncatedFileEndsTheReadAsCorrupt) {
  Execute(
      "CREATE TABLE t(a TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
      "WHERE i<2000) INSERT INTO t SELECT printf('%.100c','x') FROM n");
  Session& session = OneSession();
  const TableInfo table = session.Describe(T()).ValueOrDie();
  ASSERT_EQ(truncate(Path().c_str(), 4096 * 5), 0);
  const Status status = ReadStatus(session, table);
  EXPECT_EQ(KindOf(status), ErrorKind::kSource) << status.ToString();
}

TEST_F(SqliteSourceTest, InRollbackModeAWriterWaitsForTheSnapshot) {
  Execute("CREATE TABLE t(a); INSERT INTO t VALUES (1)");
  set_ = Open()->Open(Consistency::kSnapshot, 2).ValueOrDie();
  EXPECT_EQ(set_.sessions.size(), 2u);
  ExpectError(Writer()->Execute("INSERT INTO t VALUES (2)"), ErrorKind::kTransient,
              "state.busy");
  set_.sessions.clear();
  EXPECT_TRUE(Writer()->Execute("INSERT INTO t VALUES (2)").ok());
}

TEST_F(SqliteSourceTest, PerChunkEachReadSeesWhatIsThereThen) {
  Execute("CREATE TABLE t(a INT); INSERT INTO t VALUES (1)");
  Session& session = OneSession(Consistency::kPerChunk);
  EXPECT_EQ(set_.kind, Consistency::kPerChunk);
  EXPECT_EQ(set_.position, "");
  const TableInfo table = session.Describe(T()).ValueOrDie();
  Execute("INSERT INTO t VALUES (2)");
  EXPECT_EQ(ReadRows(*session.Read(table, {}, {}).ValueOrDie()).ValueOrDie().size(), 2u);
  Execute("DROP TABLE t");
  ExpectError(session.CheckUnchanged(table), ErrorKind::kSource, "source.table-gone");
  ExpectError(ReadStatus(session, table), ErrorKind::kSource, "source.changed");
}

TEST_F(SqliteSourceTest, ThePositionMovesWithEveryCommitInBothJournalModes) {
  for (const char* mode : {"DELETE", "WAL"}) {
    SCOPED_TRACE(mode);
    Execute(std::string("PRAGMA journal_mode=") + mode);
    Execute(
        "DROP TABLE IF EXISTS t; CREATE TABLE t(id INTEGER PRIMARY KEY, a);"
        "INSERT INTO t VALUES (1, 1)");
    OneSession();
    const std::string before = set_.position;
    EXPECT_THAT(before, ::testing::StartsWith("sqlite:change="));
    OneSession();
    EXPECT_EQ(set_.position, before);
    set_.sessions.clear();
    // In place: in WAL mode neither the change counter nor the size of the file moves.
    Execute("UPDATE t SET a = 2");
    OneSession();
    EXPECT_NE(set_.position, before);
    set_.sessions.clear();
  }
}

TEST_F(SqliteSourceTest, ALockedDatabaseIsTransient) {
  Execute("CREATE TABLE t(a)");
  auto writer = Writer();
  auto source = Open();
  ASSERT_TRUE(writer->Execute("BEGIN EXCLUSIVE").ok());
  const Status status = source->Open(Consistency::kSnapshot, 1).status();
  ExpectError(status, ErrorKind::kTransient, "source.locked");
}

TEST_F(SqliteSourceTest, ABrokenViewIsUsage) {
  Execute("CREATE TABLE b(a); CREATE VIEW t AS SELECT a FROM b; DROP TABLE b");
  const Status status = OneSession().Describe(T()).status();
  ExpectError(status, ErrorKind::kUsage, "source.sql");
  EXPECT_THAT(status.message(), HasSubstr("main.t"));
}

TEST_F(SqliteSourceTest, EstimatesAreOfTheRightSize) {
  Execute(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION "
      "ALL SELECT i+1 FROM n WHERE i<5000) INSERT INTO t SELECT i*1000000, 'some text' FROM n");
  TableInfo table = OneSession().Describe(T()).ValueOrDie();
  EXPECT_GT(table.estimated_rows, 1'000);
  EXPECT_LT(table.estimated_rows, 25'000);
  EXPECT_EQ(table.estimated_bytes, table.estimated_rows * 25);
  set_.sessions.clear();
  Execute("ANALYZE");
  EXPECT_EQ(OneSession().Describe(T()).ValueOrDie().estimated_rows, 5'000);
}

TEST_F(SqliteSourceTest, MisfitsGoByTheColumnsWordThenItsTypesThenTheRelations) {
  Execute(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT NOT NULL, b INT, c DATE, d DATE);"
      "INSERT INTO t VALUES (1,'x',2,'y','z'),(2,3,4,'2024-01-01','2024-01-02')");
  Session& session = OneSession();
  Relation relation = T();
  relation.type_policies = {{"DATE", {{"on_type_mismatch", "null"}}}};
  relation.column_policies = {{"A", {{"on_type_mismatch", "null"}}},
                              {"d", {{"on_type_mismatch", "string"}}},
                              {"elsewhere", {{"on_type_mismatch", "null"}}}};
  const TableInfo table = session.Describe(relation).ValueOrDie();
  EXPECT_EQ(table.schema->ToString(/*show_metadata=*/false),
            "id: int64 not null\na: int64\nb: int64\nc: date32[day]\nd: string");
  ReadTally tally;
  ASSERT_TRUE(ReadStatus(session, table, {.tally = &tally}).ok());
  EXPECT_EQ(tally.coerced, (std::map<std::string, int64_t>{{"a", 1}, {"c", 1}}));
  relation.column_policies.erase("A");
  ExpectError(ReadStatus(session, session.Describe(relation).ValueOrDie()),
              ErrorKind::kFailed, "source.type-mismatch");
  relation.column_policies = {{"a", {{"on_type_mismatch", "perhaps"}}}};
  ExpectError(session.Describe(relation).status(), ErrorKind::kUsage, "source.policy");
  relation.column_policies = {{"a", {{"zero_date", "null"}}}};
  ExpectError(session.Describe(relation).status(), ErrorKind::kUsage, "source.policy");
}

}  // namespace
}  // namespace sluice
