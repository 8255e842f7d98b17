#include "base/side_by_side.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <vector>

#include "base/crash_point.h"

namespace sluice {
namespace {

Status Broken(size_t at) {
  return Error(ErrorKind::kDestination, "test.broken", std::to_string(at));
}

TEST(SideBySide, CallsEachNumberOnce) {
  for (const int width : {0, 1, 3, 50}) {
    std::mutex mutex;
    std::vector<size_t> seen;
    ASSERT_TRUE(ForEachSideBySide(20, width, [&](size_t at) {
                  const std::lock_guard lock(mutex);
                  seen.push_back(at);
                  return Status::OK();
                }).ok());
    std::sort(seen.begin(), seen.end());
    std::vector<size_t> wanted(20);
    std::iota(wanted.begin(), wanted.end(), 0);
    EXPECT_EQ(seen, wanted) << width;
  }
  EXPECT_TRUE(ForEachSideBySide(0, 4, Broken).ok());
}

TEST(SideBySide, HasAsManyAtOnceAsWidthSays) {
  std::mutex mutex;
  std::condition_variable arrived;
  int there = 0;
  ASSERT_TRUE(ForEachSideBySide(3, 3, [&](size_t) {
                std::unique_lock lock(mutex);
                ++there;
                arrived.notify_all();
                arrived.wait(lock, [&] { return there == 3; });
                return Status::OK();
              }).ok());
}

TEST(SideBySide, BeginsNoneAfterAFailureAndTellsTheFirst) {
  std::atomic<int> calls = 0;
  const Status alone = ForEachSideBySide(9, 1, [&](size_t at) {
    ++calls;
    return at < 4 ? Status::OK() : Broken(at);
  });
  EXPECT_EQ(alone.message(), "4");
  EXPECT_EQ(calls, 5);

  std::mutex mutex;
  std::condition_variable arrived;
  int there = 0;
  const Status both = ForEachSideBySide(9, 2, [&](size_t at) {
    std::unique_lock lock(mutex);
    ++there;
    arrived.notify_all();
    arrived.wait(lock, [&] { return there >= 2; });
    return Broken(at);
  });
  EXPECT_EQ(both.message(), "0");
  EXPECT_EQ(there, 2);
}

TEST(SideBySide, GivesItsThreadsTheCrashHook) {
  std::atomic<int> passed = 0;
  SetCrashHook([&](CrashPoint) {
    ++passed;
    return Status::OK();
  });
  EXPECT_TRUE(ForEachSideBySide(8, 4, [](size_t) {
                return Reach(CrashPoint::kPublishObject);
              }).ok());
  SetCrashHook({});
  EXPECT_EQ(passed, 8);
}

}  // namespace
}  // namespace sluice
