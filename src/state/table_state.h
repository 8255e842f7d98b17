/// \file
/// The state of runs in tables: every call of a StateStore as transactions on them, wherever they are.
#pragma once

#include <memory>
#include <string>

#include "sluice/state_store.h"
#include "state/holder_lock.h"
#include "state/lease_table.h"
#include "state/query.h"

namespace sluice::state {

/// What is said and done differently where the tables are in another place. One thread at a time.
class Place {
 public:
  virtual ~Place() = default;
  virtual std::string Describe() const = 0;  ///< "sqlite:/a/state.db"
  virtual std::string Named() const = 0;     ///< "the state file /a/state.db"
  virtual bool is_read_only() const = 0;
  virtual Tables& tables() = 0;
  /// An error of the database or of what it holds, as whoever runs a job must act on it.
  virtual Status ErrorOf(const Status& status) const = 0;
  /// What was read since the last call is of one moment. False: it is not, read again.
  virtual Result<bool> StoodStill() { return true; }
  /// A holder that says nothing for so long has lost its lease.
  virtual void HoldsLeaseFor(int64_t) {}
};

std::unique_ptr<StateStore> MakeTableState(std::unique_ptr<Place> place,
                                           Identity identity, LockFolder locks);

}  // namespace sluice::state
