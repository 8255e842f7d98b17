#include "state/query.h"

namespace sluice::state {

Status Value::BindTo(sqlite::Statement& statement, int index) const {
  switch (kind_) {
    case Kind::kNumber: return statement.BindInt64(index, number_);
    case Kind::kText: return statement.BindText(index, text_);
    case Kind::kNull: break;
  }
  return statement.BindNull(index);
}

Result<Query> Query::Make(sqlite::Database& database, std::string_view sql,
                          std::initializer_list<Value> values) {
  ARROW_ASSIGN_OR_RAISE(sqlite::Statement statement, database.PrepareKept(sql));
  int index = 0;
  for (const Value& value : values) {
    ARROW_RETURN_NOT_OK(value.BindTo(statement, index++));
  }
  return Query(std::move(statement));
}

std::optional<std::string> Query::OptionalText(int column) const {
  if (statement_.ColumnType(column) == sqlite::Type::kNull) return std::nullopt;
  return Text(column);
}

Status Run(sqlite::Database& database, std::string_view sql,
           std::initializer_list<Value> values) {
  ARROW_ASSIGN_OR_RAISE(Query query, Query::Make(database, sql, values));
  bool more = true;
  while (more) {
    ARROW_ASSIGN_OR_RAISE(more, query.Next());
  }
  return Status::OK();
}

Result<std::optional<int64_t>> FindNumber(sqlite::Database& database,
                                          std::string_view sql,
                                          std::initializer_list<Value> values) {
  ARROW_ASSIGN_OR_RAISE(Query query, Query::Make(database, sql, values));
  ARROW_ASSIGN_OR_RAISE(const bool found, query.Next());
  return found ? std::make_optional(query.Number(0)) : std::nullopt;
}

Result<std::optional<std::string>> FindText(sqlite::Database& database,
                                            std::string_view sql,
                                            std::initializer_list<Value> values) {
  ARROW_ASSIGN_OR_RAISE(Query query, Query::Make(database, sql, values));
  ARROW_ASSIGN_OR_RAISE(const bool found, query.Next());
  return found ? query.OptionalText(0) : std::nullopt;
}

Result<Transaction> Transaction::Begin(sqlite::Database& database, Kind kind) {
  ARROW_RETURN_NOT_OK(
      database.Execute(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN"));
  return Transaction(&database);
}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  // It fails where SQLite rolled back by itself (disk full, I/O error): undone either way.
  if (!database_->Execute("ROLLBACK").ok()) return;
}

Status Transaction::Commit() {
  ARROW_RETURN_NOT_OK(database_->Execute("COMMIT"));
  database_ = nullptr;
  return Status::OK();
}

}  // namespace sluice::state
