/// \file
/// The tables of a state in a SQLite file.
#pragma once

#include <memory>
#include <string>

#include "driver/sqlite.h"
#include "state/query.h"

namespace sluice::state {

class SqliteTables : public Tables {
 public:
  /// `database` must outlive this.
  SqliteTables(sqlite::Database& database, std::string now_sql)
      : database_(database), now_sql_(std::move(now_sql)) {}

  Result<std::unique_ptr<Rows>> Ask(std::string_view sql,
                                    std::initializer_list<Value> values) override;
  /// kWrite waits for other writers here, not later.
  Status Begin(TransactionKind kind) override;
  Status Commit() override;
  void Rollback() override;
  std::string_view locking() const override { return ""; }
  const std::string& now_sql() const override { return now_sql_; }

 private:
  sqlite::Database& database_;
  std::string now_sql_;
};

}  // namespace sluice::state
