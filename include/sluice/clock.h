/// \file
/// Time, handed in, so that tests own it. Leases never use this clock: they use the state store's.
#pragma once

#include <chrono>
#include <cstdint>

#include "sluice/error.h"

namespace arrow {
class StopToken;
}

namespace sluice {

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock, microseconds since 1970-01-01 UTC. For names and reports, never for decisions.
  virtual int64_t NowMicros() = 0;
  /// Monotonic, for durations.
  virtual std::chrono::nanoseconds Elapsed() = 0;
  /// Returns OK after `duration`, or Cancelled as soon as `stop` is requested (within 50 ms).
  virtual Status Sleep(std::chrono::nanoseconds duration,
                       const arrow::StopToken& stop) = 0;
};

/// The machine's clock; lives as long as the process.
Clock& SystemClock();

}  // namespace sluice
