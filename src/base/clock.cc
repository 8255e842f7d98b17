#include "sluice/clock.h"

#include <algorithm>
#include <thread>

#include "arrow/util/cancel.h"

namespace sluice {
namespace {

// Well below the 50 ms within which a request to stop must be seen.
constexpr std::chrono::nanoseconds kPollEvery = std::chrono::milliseconds(20);

class MachineClock : public Clock {
 public:
  int64_t NowMicros() override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  std::chrono::nanoseconds Elapsed() override {
    return std::chrono::steady_clock::now().time_since_epoch();
  }

  Status Sleep(std::chrono::nanoseconds duration, const arrow::StopToken& stop) override {
    const std::chrono::nanoseconds start = Elapsed();
    while (true) {
      ARROW_RETURN_NOT_OK(stop.Poll());
      const std::chrono::nanoseconds left = duration - (Elapsed() - start);
      if (left <= std::chrono::nanoseconds::zero()) return Status::OK();
      std::this_thread::sleep_for(std::min(left, kPollEvery));
    }
  }
};

}  // namespace

Clock& SystemClock() {
  static MachineClock clock;
  return clock;
}

}  // namespace sluice
