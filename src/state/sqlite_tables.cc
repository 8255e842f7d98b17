#include "state/sqlite_tables.h"

#include <algorithm>
#include <utility>

namespace sluice::state {
namespace {

class SqliteRows : public Rows {
 public:
  explicit SqliteRows(sqlite::Statement statement) : statement_(std::move(statement)) {}
  Result<bool> Next() override { return statement_.Step(); }
  int64_t Number(int column) const override { return statement_.ColumnInt64(column); }
  std::optional<std::string> Text(int column) const override {
    if (statement_.ColumnType(column) == sqlite::Type::kNull) return std::nullopt;
    return std::string(statement_.ColumnText(column));
  }

 private:
  sqlite::Statement statement_;
};

Status Bind(sqlite::Statement& statement, int index, const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNumber: return statement.BindInt64(index, value.number());
    case Value::Kind::kText: return statement.BindText(index, value.text());
    case Value::Kind::kNull: break;
  }
  return statement.BindNull(index);
}

}  // namespace

Result<std::unique_ptr<Rows>> SqliteTables::Ask(std::string_view sql,
                                                std::initializer_list<Value> values) {
  std::string text(sql);
  std::erase(text, '$');
  ARROW_ASSIGN_OR_RAISE(sqlite::Statement statement, database_.PrepareKept(text));
  int index = 0;
  for (const Value& value : values) {
    ARROW_RETURN_NOT_OK(Bind(statement, index++, value));
  }
  return std::make_unique<SqliteRows>(std::move(statement));
}

Status SqliteTables::Begin(TransactionKind kind) {
  return database_.Execute(kind == TransactionKind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
}

Status SqliteTables::Commit() { return database_.Execute("COMMIT"); }

void SqliteTables::Rollback() {
  // It fails where SQLite rolled back by itself (disk full, I/O error): undone either way.
  if (!database_.Execute("ROLLBACK").ok()) return;
}

}  // namespace sluice::state
