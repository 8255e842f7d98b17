/// \file
/// A ledger in a database of a test's own, whose leases live by a clock that only Advance moves.
#pragma once

#include <memory>
#include <string>

#include "server_database.h"
#include "state/mysql_state.h"
#include "testing/scratch_folder.h"
#include "testing/state_store_conformance.h"

namespace sluice {

class MysqlStateWorld : public StateStoreWorld {
 public:
  explicit MysqlStateWorld(ServerKind kind) : database_(kind) {
    database_.Execute(
        "CREATE TABLE test_clock (millis BIGINT NOT NULL);\n"
        "INSERT INTO test_clock VALUES (1700000000000)");
  }

  MysqlStateOptions options() const {
    MysqlStateOptions options;
    options.server = database_.options();
    options.now_sql = "(SELECT millis FROM `" + database_.name() + "`.test_clock)";
    options.lock_dir = folder_.Path("a/locks");
    return options;
  }
  Result<std::unique_ptr<StateStore>> Open() override {
    return OpenMysqlState(options());
  }
  void AdvanceClock(int64_t millis) override {
    database_.Execute("UPDATE test_clock SET millis = millis + " +
                      std::to_string(millis));
  }
  /// As the administrator, from a connection that is none of the ledger's.
  ServerDatabase& database() { return database_; }
  ScratchFolder& folder() { return folder_; }

  /// Ids of the other connections to the database: those of ledgers.
  std::vector<std::string> Connections(const std::string& condition = "1 = 1") {
    const auto rows = database_.Query(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '" + database_.name() +
        "' AND ID <> CONNECTION_ID() AND " + condition);
    std::vector<std::string> ids;
    for (const mysql::TextRow& row : rows.ValueOrDie()) ids.push_back(*row[0]);
    return ids;
  }
  /// Waits until a connection is in that condition, and ends it.
  void KillOnce(const std::string& condition) {
    std::vector<std::string> found;
    while (found.empty()) found = Connections(condition);
    for (const std::string& id : found) database_.Execute("KILL " + id);
  }

 private:
  ScratchFolder folder_{ScratchPlace::kMemory};
  ServerDatabase database_;
};

}  // namespace sluice
