#include "sluice/clock.h"

#include <gtest/gtest.h>

#include <thread>

#include "arrow/util/cancel.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

TEST(SystemClock, ElapsedNeverGoesBackAndSleepLastsItsDuration) {
  Clock& clock = SystemClock();
  const auto start = clock.Elapsed();
  EXPECT_TRUE(clock.Sleep(milliseconds(30), arrow::StopToken::Unstoppable()).ok());
  EXPECT_GE(clock.Elapsed() - start, milliseconds(30));
}

TEST(SystemClock, NowIsInMicrosecondsSince1970) {
  const int64_t now = SystemClock().NowMicros();
  EXPECT_GT(now, 1'700'000'000'000'000);
  EXPECT_LT(now, 5'000'000'000'000'000);
}

TEST(SystemClock, ASleepEndsAsSoonAsStopIsRequested) {
  Clock& clock = SystemClock();
  arrow::StopSource source;
  const auto start = clock.Elapsed();
  std::thread stopper([&] {
    EXPECT_TRUE(clock.Sleep(milliseconds(30), arrow::StopToken::Unstoppable()).ok());
    source.RequestStop();
  });
  const Status status = clock.Sleep(std::chrono::minutes(10), source.token());
  stopper.join();
  EXPECT_EQ(KindOf(status), ErrorKind::kCancelled);
  // Generous: the promise is 50 ms, the machine may be busy.
  EXPECT_LT(clock.Elapsed() - start, std::chrono::seconds(10));
}

TEST(SystemClock, ASleepAfterTheRequestReturnsAtOnce) {
  arrow::StopSource source;
  source.RequestStop();
  EXPECT_EQ(KindOf(SystemClock().Sleep(std::chrono::minutes(10), source.token())),
            ErrorKind::kCancelled);
}

}  // namespace
}  // namespace sluice
