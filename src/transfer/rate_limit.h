/// \file
/// At most so many bytes a second, over all threads of a run.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

namespace sluice {

/// Bytes are told after they were read; whoever told them waits until they were due. What was not
/// used is saved up for one second. Thread-safe.
class RateLimit {
 public:
  RateLimit() = default;  ///< without a bound
  explicit RateLimit(int64_t bytes_per_second) : bytes_per_second_(bytes_per_second) {}

  /// How long to wait after reading `bytes`, at `now` of one clock for all calls.
  std::chrono::nanoseconds WaitFor(int64_t bytes, std::chrono::nanoseconds now);

 private:
  const int64_t bytes_per_second_ = 0;  ///< 0: unbounded
  std::mutex mutex_;
  std::chrono::nanoseconds paid_until_{0};  ///< of all bytes told; guarded by mutex_
  bool begun_ = false;                      ///< guarded by mutex_
};

}  // namespace sluice
