/// \file
/// When a transient error is tried again: a chunk by transfer, one request by the S3 client.
#pragma once

#include <chrono>
#include <cstdint>

namespace sluice {

struct RetryOptions {
  int attempts_max = 5;
  std::chrono::milliseconds first{200};
  std::chrono::milliseconds longest{10'000};
};

/// Exponential with full jitter: the n-th wait is uniform in [0, min(longest, first * 2^n)].
class Backoff {
 public:
  explicit Backoff(const RetryOptions& options, uint64_t seed);
  /// Counts a failure; false once `attempts_max` attempts have been made.
  bool MayTryAgain();
  std::chrono::nanoseconds Next();

 private:
  RetryOptions options_;
  int failures_ = 0;
  uint64_t random_;
};

}  // namespace sluice
