/// \file
/// The ledger: the state of runs in tables `_sluice_ledger_…` of a schema of MySQL or MariaDB
/// (docs/state.md), so that several hosts share it, and so that it goes where the schema goes.
#pragma once

#include <memory>
#include <string>

#include "driver/mysql.h"
#include "sluice/state_store.h"

namespace sluice {

struct MysqlStateOptions {
  mysql::ConnectOptions server;  ///< with the database whose tables they are
  bool create = true;            ///< make the tables where there are none
  /// Never creates, never writes; every write is kUsage "state.opened-read-only".
  bool read_only = false;
  /// SQL for the time in milliseconds, of the server's own clock; leases live by it.
  std::string now_sql = "CAST(ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000) AS SIGNED)";
  std::string host = {};     ///< "": this machine's name
  std::string boot_id = {};  ///< "": of this machine since it was started
  /// Where ledgers have the folders of their holders' lock files, made if need be; "": nowhere, and a
  /// dead holder is replaced only when its lease has run out.
  std::string lock_dir = {};
};

/// Connects at once. kUsage: "state.cannot-open" (server, password, database), "state.no-such-file"
/// (no ledger, and none is to be made), "state.newer"; kSource: "state.missing-grant" with the GRANT as
/// hint, "state.corrupt"; kTransient "state.unreachable". A lost connection is replaced by the next
/// call; a call that lost it is kTransient, "state.commit-unknown" where it may have been done: every
/// write may be repeated.
Result<std::unique_ptr<StateStore>> OpenMysqlState(const MysqlStateOptions& options);

}  // namespace sluice
