/// \file
/// The tables of a ledger over one connection: its session's settings, its transactions, and their
/// errors in the words of the state.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "driver/mysql.h"
#include "state/mysql_state.h"
#include "state/query.h"

namespace sluice::state {

/// "mysql://host:port/schema"
std::string LedgerUri(const mysql::ConnectOptions& server);
/// An error of the server or of stored JSON, as whoever runs a job must act on it.
Status LedgerError(const Status& status, const mysql::ConnectOptions& server);

class MysqlTables : public Tables {
 public:
  explicit MysqlTables(const MysqlStateOptions& options);

  /// Where there is no connection: opens one, sets what its session must have, and looks whether it has.
  Status Connect();
  /// A session that says nothing for so long is ended by the server, which frees its rows.
  void EndSilenceAfter(int64_t millis);

  Result<std::unique_ptr<Rows>> Ask(std::string_view sql,
                                    std::initializer_list<Value> values) override;
  /// One statement as it is; an error that ends the connection is noted.
  Result<std::vector<mysql::TextRow>> Send(const std::string& sql);
  /// Connects again where the connection was lost: nothing was begun on it.
  Status Begin(TransactionKind kind) override;
  /// kTransient "state.commit-unknown" where no answer came.
  Status Commit() override;
  void Rollback() override;
  std::string_view locking() const override { return " FOR UPDATE"; }
  bool WasRaced(const Status& status) const override;
  const std::string& now_sql() const override { return options_.now_sql; }

 private:
  Status Pin();
  Status CheckPinned();
  Status BeginNow(TransactionKind kind);

  const MysqlStateOptions options_;
  int64_t idle_seconds_;
  std::unique_ptr<mysql::Connection> connection_;  ///< null: lost, or not yet open
};

}  // namespace sluice::state
