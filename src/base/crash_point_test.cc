#include "base/crash_point.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <set>
#include <thread>
#include <vector>

namespace sluice {
namespace {

/// Runs `body` in a child with one variable set; the child's wait status, its first stop or its end.
template <typename Body>
int WaitStatusOfChild(const char* variable, const char* value, Body body) {
  const pid_t child = fork();
  if (child == 0) {
    setenv(variable, value, 1);
    if (!ArmCrashPointsFromEnvironment().ok()) _exit(90);
    body();
    _exit(7);
  }
  int status = 0;
  waitpid(child, &status, WUNTRACED);
  if (WIFSTOPPED(status)) {
    kill(child, SIGCONT);
    int end = 0;
    waitpid(child, &end, 0);
    EXPECT_TRUE(WIFEXITED(end) && WEXITSTATUS(end) == 7);
  }
  return status;
}

void PassThrice() {
  for (int i = 0; i < 3; ++i) {
    if (!Reach(CrashPoint::kPublishObject).ok()) _exit(91);
  }
}

bool DiedOf(int status, int signal) {
  return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

TEST(CrashPoint, NamesAreUniqueAndSayWhatIsDurable) {
  std::set<std::string_view> names;
  for (int i = 0; i < kCrashPointCount; ++i) {
    names.insert(NameOf(static_cast<CrashPoint>(i)));
    EXPECT_FALSE(DurableAt(static_cast<CrashPoint>(i)).empty());
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(kCrashPointCount));
  EXPECT_EQ(NameOf(CrashPoint::kDiscardHalf), "discard.half");
}

TEST(CrashPoint, ThePointNamedInTheEnvironmentKillsAtTheNthPassage) {
  EXPECT_TRUE(DiedOf(WaitStatusOfChild("SLUICE_CRASH_AT", "publish.object", PassThrice),
                     SIGKILL));
  EXPECT_TRUE(DiedOf(WaitStatusOfChild("SLUICE_CRASH_AT", "publish.object:3", PassThrice),
                     SIGKILL));
  for (const char* harmless : {"publish.object:4", "publish.all", ""}) {
    const int status = WaitStatusOfChild("SLUICE_CRASH_AT", harmless, PassThrice);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << harmless;
  }
}

TEST(CrashPoint, APassageBeforeTheNthIsSurvived) {
  const int status = WaitStatusOfChild("SLUICE_CRASH_AT", "publish.object:3", [] {
    for (int i = 0; i < 2; ++i) {
      if (!Reach(CrashPoint::kPublishObject).ok()) _exit(91);
    }
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

TEST(CrashPoint, AStopCanBeContinued) {
  const int status = WaitStatusOfChild("SLUICE_STOP_AT", "publish.object:2", PassThrice);
  EXPECT_TRUE(WIFSTOPPED(status));
}

TEST(CrashPoint, AnUnknownNameOrPassageIsAUsageError) {
  for (const char* bad : {"nowhere", "publish.object:0", "publish.object:x",
                          "publish.object:", "publish.object:-1", ":2"}) {
    setenv("SLUICE_CRASH_AT", bad, 1);
    EXPECT_EQ(KindOf(ArmCrashPointsFromEnvironment()), ErrorKind::kUsage) << bad;
  }
  unsetenv("SLUICE_CRASH_AT");
  EXPECT_TRUE(ArmCrashPointsFromEnvironment().ok());
}

TEST(CrashPoint, AHookSeesItsOwnThreadsPassagesOnly) {
  std::vector<CrashPoint> seen;
  SetCrashHook([&](CrashPoint point) {
    seen.push_back(point);
    return Status::OK();
  });
  EXPECT_TRUE(Reach(CrashPoint::kUploadHalf).ok());
  std::thread([] { EXPECT_TRUE(Reach(CrashPoint::kUploadStaged).ok()); }).join();
  SetCrashHook(nullptr);
  EXPECT_TRUE(Reach(CrashPoint::kPublishAll).ok());
  EXPECT_EQ(seen, std::vector{CrashPoint::kUploadHalf});
}

TEST(CrashPoint, AHookHandedOnRunsInTheOtherThreadAndItsErrorIsReturned) {
  SetCrashHook([](CrashPoint) { return Error(ErrorKind::kFailed, "test.dead", "dead"); });
  std::thread([hook = CurrentCrashHook()] {
    SetCrashHook(hook);
    EXPECT_EQ(IdOf(Reach(CrashPoint::kUploadStaged)), "test.dead");
  }).join();
  SetCrashHook(nullptr);
  EXPECT_FALSE(CurrentCrashHook());
}

TEST(CrashPoint, AHookMayRemoveItself) {
  SetCrashHook([](CrashPoint) {
    SetCrashHook(nullptr);
    return Error(ErrorKind::kFailed, "test.dead", "dead");
  });
  EXPECT_FALSE(Reach(CrashPoint::kUploadStaged).ok());
  EXPECT_TRUE(Reach(CrashPoint::kUploadStaged).ok());
}

}  // namespace
}  // namespace sluice
