#include "state/query.h"

namespace sluice::state {

Result<Query> Query::Make(Tables& tables, std::string_view sql,
                          std::initializer_list<Value> values) {
  ARROW_ASSIGN_OR_RAISE(auto rows, tables.Ask(sql, values));
  return Query(std::move(rows));
}

Status Run(Tables& tables, std::string_view sql, std::initializer_list<Value> values) {
  ARROW_ASSIGN_OR_RAISE(Query query, Query::Make(tables, sql, values));
  bool more = true;
  while (more) {
    ARROW_ASSIGN_OR_RAISE(more, query.Next());
  }
  return Status::OK();
}

Result<std::optional<int64_t>> FindNumber(Tables& tables, std::string_view sql,
                                          std::initializer_list<Value> values) {
  ARROW_ASSIGN_OR_RAISE(Query query, Query::Make(tables, sql, values));
  ARROW_ASSIGN_OR_RAISE(const bool found, query.Next());
  return found ? std::make_optional(query.Number(0)) : std::nullopt;
}

Result<std::optional<std::string>> FindText(Tables& tables, std::string_view sql,
                                            std::initializer_list<Value> values) {
  ARROW_ASSIGN_OR_RAISE(Query query, Query::Make(tables, sql, values));
  ARROW_ASSIGN_OR_RAISE(const bool found, query.Next());
  return found ? query.OptionalText(0) : std::nullopt;
}

Result<Transaction> Transaction::Begin(Tables& tables, TransactionKind kind) {
  ARROW_RETURN_NOT_OK(tables.Begin(kind));
  return Transaction(&tables);
}

Transaction::~Transaction() {
  if (tables_ != nullptr) tables_->Rollback();
}

Status Transaction::Commit() {
  ARROW_RETURN_NOT_OK(tables_->Commit());
  tables_ = nullptr;
  return Status::OK();
}

}  // namespace sluice::state
