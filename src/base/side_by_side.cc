#include "base/side_by_side.h"

#include <algorithm>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "base/crash_point.h"

namespace sluice {
namespace {

/// What the threads of one call share.
struct Progress {
  std::mutex mutex;
  size_t next = 0;
  size_t failed_at = 0;
  Status failure;

  /// The next number, or `count` when there is none.
  size_t Take(size_t count) {
    const std::lock_guard lock(mutex);
    return failure.ok() && next < count ? next++ : count;
  }
  void Fail(size_t at, const Status& status) {
    const std::lock_guard lock(mutex);
    if (!failure.ok() && failed_at < at) return;
    failure = status;
    failed_at = at;
  }
};

}  // namespace

Status ForEachSideBySide(size_t count, int width,
                         const std::function<Status(size_t)>& act) {
  Progress progress;
  const auto work = [&] {
    for (size_t at = progress.Take(count); at < count; at = progress.Take(count)) {
      const Status status = act(at);
      if (!status.ok()) progress.Fail(at, status);
    }
  };
  const size_t threads = std::min(count, static_cast<size_t>(std::max(width, 1)));
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) {
    try {
      others.emplace_back([&work, hook = CurrentCrashHook()] {
        SetCrashHook(hook);
        work();
      });
    } catch (const std::system_error&) {
      break;  // The system has no thread to give: those there are do it all.
    }
  }
  work();
  for (std::thread& other : others) other.join();
  return progress.failure;
}

}  // namespace sluice
