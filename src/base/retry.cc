#include "base/retry.h"

#include <algorithm>

namespace sluice {

Backoff::Backoff(const RetryOptions& options, uint64_t seed)
    : options_(options), random_(seed | 1) {}

bool Backoff::MayTryAgain() { return ++failures_ < options_.attempts_max; }

std::chrono::nanoseconds Backoff::Next() {
  // xorshift64: spread, not secrecy.
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  int64_t bound = options_.longest.count();
  if (failures_ < 16) bound = std::min(bound, options_.first.count() << failures_);
  return std::chrono::milliseconds(static_cast<int64_t>(random_ % (bound + 1)));
}

}  // namespace sluice
