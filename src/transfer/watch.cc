#include "transfer/watch.h"

#include <algorithm>
#include <utility>

#include "base/crash_point.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// How soon a request to stop at once is seen.
constexpr milliseconds kPatience{50};

}  // namespace

Watch::Watch(const Options& options, StateStore& state, Clock& clock,
             arrow::StopToken stop_now, std::function<void()> cancel)
    : options_(options),
      state_(state),
      clock_(clock),
      stop_now_(std::move(stop_now)),
      cancel_(std::move(cancel)),
      token_(abandon_.token()) {
  if (options_.ttl_millis > 0) {
    thread_ = std::thread([this, hook = CurrentCrashHook()] {
      SetCrashHook(hook);
      Run();
    });
  }
}

Watch::~Watch() {
  end_.RequestStop();
  if (thread_.joinable()) thread_.join();
}

Status Watch::reason() const {
  std::lock_guard lock(mutex_);
  return reason_;
}

void Watch::Abandon(const Status& why) {
  {
    std::lock_guard lock(mutex_);
    reason_ = why;
  }
  abandon_.RequestStop(why);
  cancel_();
}

void Watch::Run() {
  const nanoseconds ttl = milliseconds(options_.ttl_millis);
  const nanoseconds step = std::min<nanoseconds>(kPatience, ttl / 6);
  const arrow::StopToken end = end_.token();
  nanoseconds renewed = clock_.Elapsed();
  while (clock_.Sleep(step, end).ok()) {
    if (stop_now_.IsStopRequested()) {
      return Abandon(Error(ErrorKind::kCancelled, "run.stopped",
                           "stopped at once, chunks in flight were given up",
                           "run the same command again: it resumes"));
    }
    if (clock_.Elapsed() - renewed < ttl / 3) continue;
    const nanoseconds asked = clock_.Elapsed();
    const Status status = state_.Renew(options_.lease);
    if (status.ok()) {
      renewed = asked;
      continue;
    }
    if (KindOf(status) == ErrorKind::kHeld) return Abandon(status);
    if (clock_.Elapsed() - renewed >= ttl) {
      return Abandon(InContext(status, "the lease could not be renewed in time"));
    }
  }
}

}  // namespace sluice
