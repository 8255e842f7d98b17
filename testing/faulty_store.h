/// \file
/// Any Store, made to fail where a test says, and to die with its process.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "sluice/clock.h"
#include "sluice/store.h"

namespace sluice {

/// kWrite and kStage are calls of a PendingObject, kReadBytes of a file that Read gave.
enum class StoreCall {
  kProbe,
  kBegin,
  kWrite,
  kStage,
  kPublish,
  kAbort,
  kPut,
  kGet,
  kHead,
  kRead,
  kReadBytes,
  kList,
  kListStaged,
  kDelete,
};
inline constexpr int kStoreCallCount = static_cast<int>(StoreCall::kDelete) + 1;

enum class FaultKind {
  kErrorBefore,  ///< nothing is done, `error` is returned
  kErrorAfter,   ///< all is done, `error` is returned
  kLostRequest,  ///< nothing is done, kCommitUnknown is returned
  kLostReply,    ///< all is done, kCommitUnknown is returned
  kShortRead,    ///< kGet, kReadBytes: half of the bytes; other calls: no fault
  kSlow,         ///< sleeps for `duration` on the script's clock first
  kHang,         ///< waits for ReleaseHangs or Kill, at most ten seconds; then kTransient
};

struct Fault {
  StoreCall call = StoreCall::kBegin;
  int64_t nth = 1;  ///< of the calls of that sort, from 1
  FaultKind kind = FaultKind::kErrorBefore;
  int64_t times = 1;  ///< also the calls that follow
  ErrorKind error = ErrorKind::kTransient;
  std::chrono::nanoseconds duration = std::chrono::seconds(1);
};

/// What one process meets. Thread-safe; shared with the test. Faulty objects that a
/// killed process drops are kept as they are until the script goes, so that a kill leaves
/// what a kill leaves.
class FaultScript {
 public:
  explicit FaultScript(Clock* clock = nullptr) : clock_(clock) {}

  void Add(const Fault& fault);
  /// From now on every call fails with "fault.dead", without effect.
  void Kill();
  bool dead() const;
  void ReleaseHangs();
  int64_t calls(StoreCall call) const;
  int64_t calls() const;

 private:
  friend class FaultGate;
  mutable std::mutex mutex_;
  std::condition_variable released_;
  Clock* const clock_;
  std::vector<Fault> faults_;
  std::map<StoreCall, int64_t> calls_;
  std::vector<std::unique_ptr<PendingObject>> abandoned_;
  bool dead_ = false, hangs_released_ = false;
};

/// One process's handle. The script may be shared by several handles of that process.
std::unique_ptr<Store> NewFaultyStore(std::unique_ptr<Store> store,
                                      std::shared_ptr<FaultScript> script);

const char* ToString(StoreCall call);
const char* ToString(FaultKind kind);

}  // namespace sluice
