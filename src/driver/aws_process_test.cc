#include "driver/aws_process.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace sluice::aws {
namespace {

/// A minute of patience passes in a moment.
class HurriedClock final : public Clock {
 public:
  int64_t NowMicros() override { return SystemClock().NowMicros(); }
  std::chrono::nanoseconds Elapsed() override { return SystemClock().Elapsed() * 100; }
  Status Sleep(std::chrono::nanoseconds duration, const arrow::StopToken& stop) override {
    return SystemClock().Sleep(duration, stop);
  }
};

std::string Told(const std::string& command) {
  HurriedClock clock;
  const auto output = OutputOfCommand(command, clock);
  return output.ok() ? *output : output.status().message();
}

TEST(AwsProcess, WhatACommandPrintsIsGiven) {
  EXPECT_EQ(*OutputOfCommand("sh -c 'echo a; echo b'", SystemClock()), "a\nb\n");
}

TEST(AwsProcess, ACommandThatClosesItsOutputAndStaysIsEnded) {
  EXPECT_EQ(Told("sh -c 'echo test; exec >&-; sleep 200'"),
            "credential_process does not end");
}

}  // namespace
}  // namespace sluice::aws
