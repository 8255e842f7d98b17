#include "base/crash_point.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "arrow/util/cancel.h"
#include "sluice/clock.h"

namespace sluice {
namespace {

constexpr std::array<std::string_view, kCrashPointCount> kNames = {
#define SLUICE_CRASH_POINT_NAME(id, name, durable) name,
    SLUICE_CRASH_POINTS(SLUICE_CRASH_POINT_NAME)
#undef SLUICE_CRASH_POINT_NAME
};
constexpr std::array<std::string_view, kCrashPointCount> kDurable = {
#define SLUICE_CRASH_POINT_DURABLE(id, name, durable) durable,
    SLUICE_CRASH_POINTS(SLUICE_CRASH_POINT_DURABLE)
#undef SLUICE_CRASH_POINT_DURABLE
};

// How many reasons there are to look closer: armed signals, and threads with a hook.
std::atomic<int> g_watchers{0};

/// A signal this process sends itself at the n-th passage of a point.
class ArmedSignal {
 public:
  explicit ArmedSignal(int signal) : signal_(signal) {}

  void Arm(CrashPoint point, int64_t passage) {
    point_.store(static_cast<int>(point));
    // Armed again by a test: it is one watcher all the same.
    if (remaining_.exchange(passage) <= 0) g_watchers.fetch_add(1);
  }
  void Pass(CrashPoint point) {
    if (point_.load() != static_cast<int>(point)) return;
    if (remaining_.fetch_sub(1) != 1) return;
    kill(getpid(), signal_);
    // Another thread may take the signal first; nobody passes a point at which the process died.
    while (signal_ == SIGKILL) pause();
  }

 private:
  const int signal_;
  std::atomic<int> point_{-1};
  std::atomic<int64_t> remaining_{0};
};
ArmedSignal g_crash(SIGKILL);
ArmedSignal g_stop(SIGSTOP);

/// Threads that pass a point for the n-th time or later wait there while a file exists.
class Hold {
 public:
  void Arm(CrashPoint point, int64_t passage, std::string file) {
    file_ = std::move(file);
    remaining_ = passage;
    point_ = static_cast<int>(point);
    g_watchers.fetch_add(1);
  }
  void Pass(CrashPoint point) {
    if (point_.load() != static_cast<int>(point)) return;
    if (remaining_.fetch_sub(1) > 1) return;
    while (access(file_.c_str(), F_OK) == 0) {
      const Status slept = SystemClock().Sleep(std::chrono::milliseconds(10),
                                               arrow::StopToken::Unstoppable());
      if (!slept.ok()) return;
    }
  }

 private:
  std::atomic<int> point_{-1};
  std::atomic<int64_t> remaining_{0};
  std::string file_;  // written before the first thread starts
};
Hold g_hold;

struct ThreadHook {
  CrashHook hook;
  ~ThreadHook() { Set(nullptr); }
  void Set(CrashHook next) {
    g_watchers.fetch_add((next ? 1 : 0) - (hook ? 1 : 0));
    hook = std::move(next);
  }
};
thread_local ThreadHook t_hook;

std::optional<CrashPoint> PointNamed(std::string_view name) {
  for (int i = 0; i < kCrashPointCount; ++i) {
    if (kNames[i] == name) return static_cast<CrashPoint>(i);
  }
  return std::nullopt;
}

struct Passage {
  CrashPoint point;
  int64_t number = 1;
};
/// Nothing where the variable is absent or empty.
Result<std::optional<Passage>> PassageFrom(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return std::nullopt;
  std::string_view name = value;
  int64_t passage = 1;
  if (auto colon = name.find(':'); colon != std::string_view::npos) {
    std::string_view digits = name.substr(colon + 1);
    name = name.substr(0, colon);
    auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), passage);
    if (error != std::errc() || end != digits.data() + digits.size() || passage < 1) {
      return Error(ErrorKind::kUsage, "crash-point.passage",
                   std::string(variable) +
                       " wants name or name:n with n from 1, found '" + value + "'");
    }
  }
  std::optional<CrashPoint> point = PointNamed(name);
  if (!point) {
    std::string known;
    for (std::string_view each : kNames)
      known.append(known.empty() ? "" : " ").append(each);
    return Error(
        ErrorKind::kUsage, "crash-point.unknown",
        std::string(variable) + " names no crash point: '" + std::string(name) + "'",
        "The points are: " + known + ".");
  }
  return Passage{*point, passage};
}

Status ArmFrom(const char* variable, ArmedSignal* signal) {
  ARROW_ASSIGN_OR_RAISE(const auto passage, PassageFrom(variable));
  if (passage) signal->Arm(passage->point, passage->number);
  return Status::OK();
}

Status ArmHold() {
  ARROW_ASSIGN_OR_RAISE(const auto passage, PassageFrom("SLUICE_HOLD_AT"));
  const char* file = std::getenv("SLUICE_HOLD_FILE");
  if (passage) g_hold.Arm(passage->point, passage->number, file == nullptr ? "" : file);
  return Status::OK();
}

}  // namespace

std::string_view NameOf(CrashPoint point) { return kNames[static_cast<int>(point)]; }
std::string_view DurableAt(CrashPoint point) { return kDurable[static_cast<int>(point)]; }

Status Reach(CrashPoint point) {
  if (g_watchers.load(std::memory_order_relaxed) == 0) return Status::OK();
  g_hold.Pass(point);
  g_stop.Pass(point);
  g_crash.Pass(point);
  // A copy: the hook may replace itself.
  CrashHook hook = t_hook.hook;
  return hook ? hook(point) : Status::OK();
}

Status ArmCrashPointsFromEnvironment() {
  ARROW_RETURN_NOT_OK(ArmHold());
  ARROW_RETURN_NOT_OK(ArmFrom("SLUICE_STOP_AT", &g_stop));
  return ArmFrom("SLUICE_CRASH_AT", &g_crash);
}

void SetCrashHook(CrashHook hook) { t_hook.Set(std::move(hook)); }
CrashHook CurrentCrashHook() { return t_hook.hook; }

}  // namespace sluice
