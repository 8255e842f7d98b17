/// \file
/// A clock that a test moves. Sleeping costs no time and moves it.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

#include "sluice/clock.h"

namespace sluice {

/// Thread-safe.
class FakeClock final : public Clock {
 public:
  /// Begins at 2026-01-01 UTC.
  explicit FakeClock(int64_t now_micros = 1'767'225'600'000'000)
      : now_micros_(now_micros) {}

  int64_t NowMicros() override;
  std::chrono::nanoseconds Elapsed() override;
  Status Sleep(std::chrono::nanoseconds duration, const arrow::StopToken& stop) override;

  void Advance(std::chrono::nanoseconds duration);
  /// By all calls of Sleep together.
  std::chrono::nanoseconds slept() const;
  int64_t sleeps() const;

 private:
  mutable std::mutex mutex_;
  const int64_t now_micros_;
  std::chrono::nanoseconds elapsed_{0}, slept_{0};
  int64_t sleeps_ = 0;
};

}  // namespace sluice
