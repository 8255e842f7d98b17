/// \file
/// Who may write for a job: one row each, taken over only from the dead and the expired.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "driver/sqlite.h"
#include "sluice/state_store.h"
#include "state/holder_lock.h"

namespace sluice::state {

/// Who this process is, to itself and to others.
struct Identity {
  std::string host, boot_id;
  int64_t pid = 0;
};
/// `host` and `boot_id` as given, or of this machine where they are empty.
Identity ThisProcess(const std::string& host, const std::string& boot_id);

/// One thread at a time. Each call is one transaction of its own, save CheckFence.
class LeaseTable {
 public:
  LeaseTable(std::string now_sql, Identity identity, LockFolder locks)
      : now_sql_(std::move(now_sql)),
        identity_(std::move(identity)),
        locks_(std::move(locks)) {}

  Result<Lease> Acquire(sqlite::Database& database, const std::string& job,
                        const LeaseOptions& options);
  Status Renew(sqlite::Database& database, const Lease& lease);
  Status Release(sqlite::Database& database, const Lease& lease);
  Result<std::optional<LeaseHolder>> Holder(sqlite::Database& database,
                                            const std::string& job);
  /// All jobs by name.
  Result<std::vector<LeaseHolder>> Holders(sqlite::Database& database,
                                           std::vector<std::string>* names);

  /// The one this process runs on.
  const std::string& host() const { return identity_.host; }

  /// Within a transaction, before its first write: kHeld "state.fenced" unless `lease` is still
  /// the newest.
  Status CheckFence(sqlite::Database& database, const Lease& lease);

 private:
  struct Row {
    int64_t epoch = 0, pid = 0, expires_millis = 0;
    std::string nonce, host, boot_id, run;
    bool has_lock_file = false;
  };
  Result<std::optional<Row>> Find(sqlite::Database& database, const std::string& job);
  Result<int64_t> Now(sqlite::Database& database);
  /// Held by somebody who may still be alive.
  bool IsHeld(const std::string& job, const Row& row, int64_t now) const;
  LeaseHolder HolderOf(const std::string& job, const Row& row, int64_t now) const;

  std::string now_sql_;
  Identity identity_;
  LockFolder locks_;
  std::map<std::string, std::pair<int64_t, HolderLock>>
      held_;  // job -> epoch and its lock
};

}  // namespace sluice::state
