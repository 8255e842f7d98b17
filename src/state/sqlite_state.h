/// \file
/// The state of runs in one SQLite file (docs/state.md).
#pragma once

#include <memory>
#include <string>

#include "sluice/state_store.h"

namespace sluice {

struct SqliteStateOptions {
  std::string path;
  bool create = true;  ///< make the file (0600) and its folders (0700) if need be
  /// Never creates, never writes; every write is kUsage "state.opened-read-only".
  bool read_only = false;
  /// SQL for the time in milliseconds, of SQLite's own clock; leases live by it.
  std::string now_sql = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";
  std::string host = {};      ///< "": this machine's name
  std::string boot_id = {};   ///< "": of this machine since it was started
  std::string lock_dir = {};  ///< of the holders' lock files; "": "{path}.locks"
  int busy_timeout_millis = 5000;
};

/// kUsage: no such file, a folder, of a newer version ("state.newer"); kSource "state.corrupt":
/// not a state file, or damaged; kResource: the disk is full or read-only.
Result<std::unique_ptr<StateStore>> OpenSqliteState(const SqliteStateOptions& options);

}  // namespace sluice
