/// \file
/// Keeps the lease while the run works, and ends the run when it is lost or must stop at once.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

#include "arrow/util/cancel.h"
#include "sluice/clock.h"
#include "sluice/state_store.h"

namespace sluice {

/// One thread from construction to destruction. Every third of the lease's time it renews; where
/// that fails as fenced, or fails for a whole lease, or `stop_now` is requested, `abandon` is
/// requested with the reason and `cancel` is called once.
class Watch {
 public:
  struct Options {
    Lease lease;
    int64_t ttl_millis = 60'000;  ///< 0: no thread at all (single-threaded tests)
  };
  Watch(const Options& options, StateStore& state, Clock& clock,
        arrow::StopToken stop_now, std::function<void()> cancel);
  ~Watch();

  /// Requested once the run must not go on. Poll gives the reason, with its kind.
  const arrow::StopToken& abandoned() const { return token_; }
  Status reason() const;

 private:
  void Run();
  void Abandon(const Status& why);

  const Options options_;
  StateStore& state_;
  Clock& clock_;
  arrow::StopToken stop_now_;
  std::function<void()> cancel_;
  arrow::StopSource abandon_, end_;
  arrow::StopToken token_;
  mutable std::mutex mutex_;
  Status reason_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace sluice
