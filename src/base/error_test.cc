#include "sluice/error.h"

#include <gtest/gtest.h>

#include <csignal>
#include <vector>

#include "arrow/util/io_util.h"

namespace sluice {
namespace {

const std::vector<std::pair<ErrorKind, int>> kCodes = {
    {ErrorKind::kFailed, 1},    {ErrorKind::kUsage, 2},
    {ErrorKind::kMismatch, 3},  {ErrorKind::kHeld, 4},
    {ErrorKind::kTransient, 5}, {ErrorKind::kCommitUnknown, 5},
    {ErrorKind::kSource, 6},    {ErrorKind::kDestination, 7},
    {ErrorKind::kResource, 8},  {ErrorKind::kCancelled, 130},
};

TEST(Error, EveryKindSurvivesTheStatusAndHasItsExitCode) {
  for (auto [kind, code] : kCodes) {
    const Status status = Error(kind, "area.id", "wanted x, found y", "Do z.");
    EXPECT_EQ(KindOf(status), kind);
    EXPECT_EQ(IdOf(status), "area.id");
    EXPECT_EQ(HintOf(status), "Do z.");
    EXPECT_EQ(status.message(), "wanted x, found y");
    EXPECT_EQ(ExitCodeOf(status), code);
  }
}

TEST(Error, AContextKeepsKindIdAndHint) {
  const Status status = InContext(
      Error(ErrorKind::kTransient, "source.locked", "locked", "Wait."), "reading t");
  EXPECT_EQ(status.message(), "reading t: locked");
  EXPECT_EQ(KindOf(status), ErrorKind::kTransient);
  EXPECT_EQ(IdOf(status), "source.locked");
  EXPECT_EQ(HintOf(status), "Wait.");
  EXPECT_TRUE(InContext(Status::OK(), "reading t").ok());
}

TEST(Error, TheTextSaysEverythingOnce) {
  const std::string text =
      Error(ErrorKind::kUsage, "source.no-table", "no table 'a'", "Is it 'b'?")
          .ToString();
  EXPECT_EQ(text, "Invalid: no table 'a'. Detail: [source.no-table] HINT: Is it 'b'?");
}

TEST(Error, StatusesMadeElsewhereFailClosed) {
  EXPECT_EQ(KindOf(Status::OutOfMemory("m")), ErrorKind::kResource);
  EXPECT_EQ(KindOf(Status::CapacityError("m")), ErrorKind::kResource);
  EXPECT_EQ(KindOf(Status::Cancelled("m")), ErrorKind::kCancelled);
  EXPECT_EQ(KindOf(Status::IOError("m")), ErrorKind::kFailed);
  EXPECT_EQ(KindOf(Status::UnknownError("m")), ErrorKind::kFailed);
  EXPECT_EQ(IdOf(Status::IOError("m")), "");
  EXPECT_EQ(HintOf(Status::IOError("m")), "");
  // A detail of somebody else's is not read as ours.
  EXPECT_EQ(KindOf(arrow::internal::IOErrorFromErrno(5, "m")), ErrorKind::kFailed);
}

TEST(Error, TheSignalThatAskedToStopDecidesTheExitCode) {
  EXPECT_EQ(ExitCodeOf(Status::OK()), 0);
  EXPECT_EQ(ExitCodeOf(arrow::internal::CancelledFromSignal(SIGINT, "m")), 130);
  EXPECT_EQ(ExitCodeOf(arrow::internal::CancelledFromSignal(SIGTERM, "m")), 143);
  EXPECT_EQ(
      ExitCodeOf(InContext(arrow::internal::CancelledFromSignal(SIGTERM, "m"), "c")),
      143);
}

TEST(Error, OfManyStreamsTheWorstCodeWinsInTheDocumentedOrder) {
  const std::vector<int> order = {143, 130, 3, 6, 4, 2, 7, 8, 1, 5, 0};
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t j = i; j < order.size(); ++j) {
      EXPECT_EQ(WorstExitCode(order[i], order[j]), order[i]);
      EXPECT_EQ(WorstExitCode(order[j], order[i]), order[i]);
    }
  }
}

}  // namespace
}  // namespace sluice
