/// \file
/// Who may write for a job: one row each, taken over only from the dead and the expired.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/state_store.h"
#include "state/holder_lock.h"
#include "state/query.h"

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
  LeaseTable(Identity identity, LockFolder locks)
      : identity_(std::move(identity)), locks_(std::move(locks)) {}

  Result<Lease> Acquire(Tables& tables, const std::string& job,
                        const LeaseOptions& options);
  Status Renew(Tables& tables, const Lease& lease);
  Status Release(Tables& tables, const Lease& lease);
  Result<std::optional<LeaseHolder>> Holder(Tables& tables, const std::string& job);
  /// All jobs by name.
  Result<std::vector<LeaseHolder>> Holders(Tables& tables,
                                           std::vector<std::string>* names);

  /// The one this process runs on.
  const std::string& host() const { return identity_.host; }

  /// Within a transaction, before its first write: kHeld "state.fenced" unless `lease` is still
  /// the newest.
  Status CheckFence(Tables& tables, const Lease& lease);

 private:
  struct Row {
    int64_t epoch = 0, pid = 0, expires_millis = 0;
    std::string nonce, host, boot_id, run;
    bool has_lock_file = false;
  };
  Result<Lease> AcquireOnce(Tables& tables, const std::string& job,
                            const LeaseOptions& options);
  Status FreeRow(Tables& tables, const Lease& lease);
  Result<std::optional<Row>> Find(Tables& tables, const std::string& job,
                                  std::string_view locking);
  Result<int64_t> Now(Tables& tables);
  /// Held by somebody who may still be alive.
  bool IsHeld(const std::string& job, const Row& row, int64_t now) const;
  LeaseHolder HolderOf(const std::string& job, const Row& row, int64_t now) const;

  Identity identity_;
  LockFolder locks_;
  std::map<std::string, std::pair<int64_t, HolderLock>>
      held_;  // job -> epoch and its lock
};

}  // namespace sluice::state
