#include <memory>
#include <string>
#include <utility>

#include "driver/sqlite.h"
#include "source/sqlite.h"
#include "source/sqlite_definition.h"
#include "testing/scratch_folder.h"
#include "testing/source_conformance.h"

namespace sluice {
namespace {

/// A database file, and the connection of somebody who writes to it.
class SqliteWorld : public SourceWorld {
 public:
  explicit SqliteWorld(std::string key_clause) : key_clause_(std::move(key_clause)) {
    writer_ = sqlite::Database::Open({.path = folder_.Path("world.db"),
                                      .mode = sqlite::OpenMode::kReadWriteCreate},
                                     sqlite::Role::kState)
                  .ValueOrDie();
    // In rollback mode nobody can write while a snapshot is open.
    Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF");
  }

  std::string schema() const override { return "main"; }

  void Create(const SampleTable& table, const std::vector<Row>& rows) override {
    std::string sql = "CREATE TABLE " + sqlite::Quote(table.name) + " (";
    for (const SampleColumn& column : table.columns) sql += Define(column) + ", ";
    if (table.key.empty()) {
      sql.resize(sql.size() - 2);
    } else {
      sql += key_clause_ + " (";
      for (const std::string& column : table.key) sql += sqlite::Quote(column) + ",";
      sql.back() = ')';
    }
    const bool without_rowid = key_clause_ == "PRIMARY KEY" && !table.key.empty();
    Execute(sql + ")" + (without_rowid ? " WITHOUT ROWID" : ""));
    Insert(table, rows);
  }

  void Insert(const SampleTable& table, const std::vector<Row>& rows) override {
    Execute("BEGIN");
    std::string sql = "INSERT INTO " + sqlite::Quote(table.name) + " VALUES (?";
    for (size_t i = 1; i < table.columns.size(); ++i) sql += ",?";
    auto insert = writer_->Prepare(sql + ")").ValueOrDie();
    for (const Row& row : rows) {
      for (size_t i = 0; i < row.size(); ++i)
        Must(row[i] ? insert.BindText(static_cast<int>(i), *row[i])
                    : insert.BindNull(static_cast<int>(i)));
      Must(insert.Step().status());
      Must(insert.Reset());
    }
    Execute("COMMIT");
  }

  void AddColumn(const SampleTable& table, const SampleColumn& column) override {
    Execute("ALTER TABLE " + sqlite::Quote(table.name) + " ADD COLUMN " + Define(column));
  }

  void Drop(const SampleTable& table) override {
    Execute("DROP TABLE " + sqlite::Quote(table.name));
  }

  Result<std::unique_ptr<Source>> Open() override {
    return OpenSqliteSource(folder_.Path("world.db"));
  }

 private:
  static std::string Define(const SampleColumn& column) {
    return sqlite::Quote(column.name) +
           (column.type == SampleType::kInteger ? " INTEGER" : " TEXT") +
           (column.nullable ? "" : " NOT NULL");
  }
  static void Must(const Status& status) {
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  void Execute(const std::string& sql) { Must(writer_->Execute(sql)); }

  ScratchFolder folder_;
  std::string key_clause_;
  std::unique_ptr<sqlite::Database> writer_;
};

SourceMaker Maker(const std::string& key_clause) {
  return SourceMaker([=] { return std::make_unique<SqliteWorld>(key_clause); });
}

INSTANTIATE_TEST_SUITE_P(SqliteWithoutRowid, SourceConformance,
                         ::testing::Values(Maker("PRIMARY KEY")));
INSTANTIATE_TEST_SUITE_P(SqliteByUniqueIndex, SourceConformance,
                         ::testing::Values(Maker("UNIQUE")));
// With a rowid: a PRIMARY KEY of one INTEGER column is a name of it.
INSTANTIATE_TEST_SUITE_P(SqliteByRowid, SourceConformance,
                         ::testing::Values(Maker("CONSTRAINT k PRIMARY KEY")));

}  // namespace
}  // namespace sluice
