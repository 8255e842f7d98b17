#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "server_database.h"
#include "sql/mysql_text.h"
#include "testing/source_conformance.h"

namespace sluice {
namespace {

/// How the tables of a world are keyed and their text is compared.
struct Shape {
  ServerKind server;
  std::string key_clause = "PRIMARY KEY";
  std::string text_key = "VARCHAR(190) CHARACTER SET utf8mb4";
};

class MysqlWorld : public SourceWorld {
 public:
  explicit MysqlWorld(Shape shape) : shape_(std::move(shape)), database_(shape_.server) {}

  std::string schema() const override { return database_.name(); }
  /// Names hold no character beyond U+FFFF there.
  bool CanName(const std::string& name) const override {
    return name.find('\xF0') == std::string::npos;
  }

  void Create(const SampleTable& table, const std::vector<Row>& rows) override {
    std::string sql = "CREATE TABLE " + mysql::QuoteName(table.name) + " (";
    for (const SampleColumn& column : table.columns) sql += Define(table, column) + ", ";
    if (table.key.empty()) {
      sql.resize(sql.size() - 2);
    } else {
      sql += shape_.key_clause + " (";
      for (const std::string& column : table.key) sql += mysql::QuoteName(column) + ",";
      sql.back() = ')';
    }
    database_.Execute(sql + ")");
    Insert(table, rows);
  }

  void Insert(const SampleTable& table, const std::vector<Row>& rows) override {
    if (rows.empty()) return;
    std::string sql = "INSERT INTO " + mysql::QuoteName(table.name) + " VALUES ";
    for (const Row& row : rows) {
      sql += &row == rows.data() ? "(" : "),(";
      for (size_t i = 0; i < row.size(); ++i) {
        if (i > 0) sql += ",";
        const bool is_text = table.columns[i].type == SampleType::kText;
        sql += !row[i] ? "NULL" : is_text ? mysql::TextLiteral(*row[i]) : *row[i];
      }
    }
    database_.Execute(sql + ")");
  }

  void AddColumn(const SampleTable& table, const SampleColumn& column) override {
    database_.Execute("ALTER TABLE " + mysql::QuoteName(table.name) + " ADD COLUMN " +
                      Define(table, column));
  }
  void Drop(const SampleTable& table) override {
    database_.Execute("DROP TABLE " + mysql::QuoteName(table.name));
  }
  Result<std::unique_ptr<Source>> Open() override { return database_.Open(); }

 private:
  std::string Define(const SampleTable& table, const SampleColumn& column) const {
    const bool is_key =
        std::find(table.key.begin(), table.key.end(), column.name) != table.key.end();
    std::string type = "BIGINT";
    if (column.type == SampleType::kText) type = is_key ? shape_.text_key : "LONGTEXT";
    return mysql::QuoteName(column.name) + " " + type +
           (column.nullable ? "" : " NOT NULL");
  }

  Shape shape_;
  ServerDatabase database_;
};

SourceMaker Maker(Shape shape) {
  return SourceMaker([=] { return std::make_unique<MysqlWorld>(shape); });
}

INSTANTIATE_TEST_SUITE_P(MysqlByPrimaryKey, SourceConformance,
                         ::testing::Values(Maker({.server = ServerKind::kMysql})));
INSTANTIATE_TEST_SUITE_P(
    MysqlByUniqueKey, SourceConformance,
    ::testing::Values(Maker({.server = ServerKind::kMysql,
                             .key_clause = "UNIQUE KEY",
                             .text_key = "VARCHAR(190) CHARACTER SET "
                                         "utf8mb4 COLLATE "
                                         "utf8mb4_bin"})));
INSTANTIATE_TEST_SUITE_P(MariaDbByPrimaryKey, SourceConformance,
                         ::testing::Values(Maker({.server = ServerKind::kMariaDb})));
INSTANTIATE_TEST_SUITE_P(
    MariaDbByUniqueKey, SourceConformance,
    ::testing::Values(Maker({.server = ServerKind::kMariaDb,
                             .key_clause = "UNIQUE KEY",
                             .text_key = "VARCHAR(190) CHARACTER SET "
                                         "utf8mb4 COLLATE "
                                         "utf8mb4_bin"})));

}  // namespace
}  // namespace sluice
