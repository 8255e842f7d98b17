#include "testing/fake_clock.h"

#include "arrow/util/cancel.h"

namespace sluice {

int64_t FakeClock::NowMicros() {
  const std::lock_guard lock(mutex_);
  return now_micros_ +
         std::chrono::duration_cast<std::chrono::microseconds>(elapsed_).count();
}

std::chrono::nanoseconds FakeClock::Elapsed() {
  const std::lock_guard lock(mutex_);
  return elapsed_;
}

Status FakeClock::Sleep(std::chrono::nanoseconds duration, const arrow::StopToken& stop) {
  ARROW_RETURN_NOT_OK(stop.Poll());
  const std::lock_guard lock(mutex_);
  elapsed_ += duration;
  slept_ += duration;
  ++sleeps_;
  return Status::OK();
}

void FakeClock::Advance(std::chrono::nanoseconds duration) {
  const std::lock_guard lock(mutex_);
  elapsed_ += duration;
}

std::chrono::nanoseconds FakeClock::slept() const {
  const std::lock_guard lock(mutex_);
  return slept_;
}

int64_t FakeClock::sleeps() const {
  const std::lock_guard lock(mutex_);
  return sleeps_;
}

}  // namespace sluice
