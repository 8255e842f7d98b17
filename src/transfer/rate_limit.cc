#include "transfer/rate_limit.h"

#include <algorithm>

namespace sluice {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kBurst = std::chrono::seconds(1);
/// Longer than any run, short of what 64 bits of nanoseconds hold.
constexpr double kYears = 1e9;

}  // namespace

nanoseconds RateLimit::WaitFor(int64_t bytes, nanoseconds now) {
  if (bytes_per_second_ <= 0 || bytes <= 0) return nanoseconds(0);
  const double seconds =
      static_cast<double>(bytes) / static_cast<double>(bytes_per_second_);
  const auto cost = nanoseconds(static_cast<int64_t>(std::min(seconds, kYears) * 1e9));
  const std::lock_guard lock(mutex_);
  const nanoseconds earliest = now - kBurst;
  paid_until_ = (begun_ ? std::max(paid_until_, earliest) : earliest) + cost;
  begun_ = true;
  return std::max(paid_until_ - now, nanoseconds(0));
}

}  // namespace sluice
