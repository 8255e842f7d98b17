#include "cli/progress.h"

#include <gtest/gtest.h>

#include "cli/console.h"

namespace sluice::cli {
namespace {

Event Make(EventKind kind, const std::string& stream, int64_t rows = 0,
           const std::string& message = "") {
  Event event;
  event.kind = kind;
  event.stream = stream;
  event.rows = rows;
  event.message = message;
  return event;
}

TEST(Progress, ShowsStreamsAtWorkAndTheWholeRun) {
  Progress progress(3);
  Event started = Make(EventKind::kStreamStarted, "flights");
  started.estimated_rows = 1000;
  progress.On(started, 0);
  progress.On(Make(EventKind::kPhase, "flights", 0, "copy"), 0);
  progress.On(Make(EventKind::kBatch, "flights", 400), 2);
  EXPECT_EQ(progress.Lines(80, 2),
            (std::vector<std::string>{
                "  flights  copy  400 rows  40%",
                "0 of 3 streams, 400 rows, 0 B staged, 200 rows/s, 00:02"}));
}

TEST(Progress, AnEstimateNeverSaysAHundred) {
  Progress progress(1);
  Event started = Make(EventKind::kStreamStarted, "flights");
  started.estimated_rows = 10;
  progress.On(started, 0);
  progress.On(Make(EventKind::kPhase, "flights", 0, "copy"), 0);
  progress.On(Make(EventKind::kBatch, "flights", 400), 1);
  EXPECT_NE(progress.Lines(80, 1)[0].find("99%"), std::string::npos);
}

TEST(Progress, FinishedStreamsLeaveTheDisplay) {
  Progress progress(2);
  progress.On(Make(EventKind::kStreamStarted, "a"), 0);
  progress.On(Make(EventKind::kStreamFinished, "a", 7), 1);
  Event failed = Make(EventKind::kStreamFinished, "b");
  failed.exit_code = 1;
  progress.On(failed, 1);
  EXPECT_EQ(progress.Lines(80, 1).size(), 1u);
  EXPECT_EQ(progress.Line(1),
            "1 of 2 streams, 0 rows, 0 B staged, 0 rows/s, 00:01, 1 failed");
}

TEST(Progress, FiveHundredStreamsAtWorkTakeAFewLines) {
  Progress progress(500);
  for (int i = 0; i < 500; ++i)
    progress.On(Make(EventKind::kStreamStarted, std::to_string(i)), 0);
  EXPECT_LE(progress.Lines(80, 1).size(), 8u);
}

TEST(Progress, NoLineIsWiderThanTheTerminal) {
  Progress progress(1);
  progress.On(Make(EventKind::kStreamStarted,
                   "a name that is long \xc3\xa9\xc3\xa9 and\nhas a line break"),
              0);
  for (const std::string& line : progress.Lines(20, 1)) {
    EXPECT_LE(DisplayWidth(line), 20u);
    EXPECT_EQ(line.find('\n'), std::string::npos);
  }
}

TEST(Progress, SaysWhatItWaitsForUntilItGoesOn) {
  Progress progress(1);
  progress.On(Make(EventKind::kWaiting, "a", 0, "the database is locked"), 0);
  EXPECT_EQ(progress.Lines(80, 0)[0], "  the database is locked");
  progress.On(Make(EventKind::kBatch, "a", 1), 1);
  EXPECT_EQ(progress.Lines(80, 1)[0].find("locked"), std::string::npos);
}

TEST(Console, TextIsCutToTheWidthOfTheTerminal) {
  EXPECT_EQ(CutToWidth("abcdefgh", 6), "abc...");
  EXPECT_EQ(CutToWidth("ab", 1), ".");
}

TEST(Console, ATableIsAligned) {
  TextTable table("lr");
  table.Add({"a", "1"});
  table.Add({"caf\xc3\xa9", "200"});
  EXPECT_EQ(table.ToString("  "), "  a       1\n  caf\xc3\xa9  200\n");
}

}  // namespace
}  // namespace sluice::cli
