#include "transfer/rate_limit.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(RateLimit, WithoutABoundNobodyWaits) {
  RateLimit none, zero(0);
  EXPECT_EQ(none.WaitFor(int64_t{1} << 40, seconds(1)).count(), 0);
  EXPECT_EQ(zero.WaitFor(int64_t{1} << 40, seconds(1)).count(), 0);
}

TEST(RateLimit, ASecondIsSavedUpAndNoMore) {
  RateLimit limit(1'000);
  EXPECT_EQ(limit.WaitFor(1'000, seconds(100)), seconds(0));
  EXPECT_EQ(limit.WaitFor(500, seconds(100)), milliseconds(500));
  // An hour later: one second's worth again, not an hour's.
  EXPECT_EQ(limit.WaitFor(1'000, seconds(3'700)), seconds(0));
  EXPECT_EQ(limit.WaitFor(1'000, seconds(3'700)), seconds(1));
}

TEST(RateLimit, WhoComesLaterWaitsForThoseBefore) {
  RateLimit limit(1'000);
  limit.WaitFor(1'000, seconds(0));
  std::vector<nanoseconds> waits;
  waits.reserve(4);
  for (int i = 0; i < 4; ++i) waits.push_back(limit.WaitFor(1'000, seconds(0)));
  EXPECT_EQ(waits,
            (std::vector<nanoseconds>{seconds(1), seconds(2), seconds(3), seconds(4)}));
}

TEST(RateLimit, HugeReadsDoNotOverflow) {
  RateLimit limit(1);
  EXPECT_GT(limit.WaitFor(int64_t{1} << 62, seconds(5)), seconds(900'000'000));
}

}  // namespace
}  // namespace sluice
