#include "cli/progress.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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

Event OfChunk(EventKind kind, const std::string& stream, int64_t chunk,
              int64_t rows = 0) {
  Event event = Make(kind, stream, rows);
  event.chunk = chunk;
  return event;
}

/// `stream` copies; about so many rows are expected of it.
void Begin(Progress& progress, const std::string& stream, int64_t estimated_rows,
           double now = 0) {
  Event started = Make(EventKind::kStreamStarted, stream);
  started.estimated_rows = estimated_rows;
  progress.On(started, now);
  progress.On(Make(EventKind::kPhase, stream, 0, "copy"), now);
}

std::string Shown(Progress& progress, ScreenSize screen, double now) {
  std::string text;
  for (const std::string& line : progress.Lines(screen, now)) text += line + "\n";
  return text;
}

TEST(Progress, ShowsStreamsAtWorkAndTheWholeRun) {
  Progress progress(2);
  Begin(progress, "flights", 1000);
  Begin(progress, "planes", 0);
  progress.On(OfChunk(EventKind::kBatch, "flights", 1, 0), 0);
  progress.On(OfChunk(EventKind::kChunkPlanned, "flights", 1), 0);
  progress.On(OfChunk(EventKind::kBatch, "flights", 1, 200), 1);
  progress.On(OfChunk(EventKind::kChunkStaged, "flights", 1, 200), 1);
  progress.On(OfChunk(EventKind::kBatch, "flights", 2, 200), 2);
  EXPECT_EQ(
      Shown(progress, {120, 24}, 2),
      "flights  copy  40%  400 rows  200 rows/s  0 B/s  chunk 2 of about 5  ETA 00:03\n"
      "planes   copy         0 rows    0 rows/s  0 B/s\n"
      "0 of 2 streams, 400 rows, 0 B staged, 200 rows/s, 0 B/s, 00:02\n");
}

TEST(Progress, AnEstimateNeverSaysAHundred) {
  Progress progress(1);
  Begin(progress, "flights", 10);
  progress.On(OfChunk(EventKind::kBatch, "flights", 1, 400), 1);
  EXPECT_NE(progress.Lines({}, 1)[0].find("99%"), std::string::npos);
}

TEST(Progress, RowsThatAreReadAgainCountOnce) {
  Progress progress(1);
  Begin(progress, "flights", 1000);
  progress.On(OfChunk(EventKind::kBatch, "flights", 1, 300), 1);
  Event again = OfChunk(EventKind::kRetry, "flights", 1);
  again.message = "chunk 1: the server went away";
  progress.On(again, 1);
  EXPECT_EQ(progress.Lines({120, 24}, 1)[0],
            "flights  copy  0%  0 rows  0 rows/s  0 B/s  1 retry");
  EXPECT_EQ(progress.Lines({}, 1)[1], "  trying again: chunk 1: the server went away");
  progress.On(OfChunk(EventKind::kBatch, "flights", 1, 300), 2);
  EXPECT_EQ(progress.Lines({}, 2)[0].find("flights  copy  30%  300 rows"), 0u);
  EXPECT_EQ(progress.Lines({}, 2).size(), 2u) << "it waits for nothing any more";
}

TEST(Progress, WhatEarlierRunsStagedCountsAndIsCalledResumed) {
  Progress progress(1);
  Event started = Make(EventKind::kStreamStarted, "flights", 600, "resumed");
  started.chunk = 3;
  started.estimated_rows = 1000;
  progress.On(started, 0);
  progress.On(Make(EventKind::kPhase, "flights", 0, "copy"), 0);
  EXPECT_EQ(progress.Lines({120, 24}, 0)[0],
            "flights  copy  60%  600 rows  0 rows/s  0 B/s  chunk 3 of about 5  resumed");
}

TEST(Progress, FinishedStreamsLeaveTheDisplay) {
  Progress progress(2);
  progress.On(Make(EventKind::kStreamStarted, "a"), 0);
  progress.On(Make(EventKind::kStreamFinished, "a", 7), 1);
  Event failed = Make(EventKind::kStreamFinished, "b");
  failed.exit_code = 1;
  progress.On(failed, 1);
  EXPECT_EQ(progress.Lines({}, 1).size(), 1u);
  EXPECT_EQ(progress.Line(1),
            "1 of 2 streams, 1 failed, 0 rows, 0 B staged, 0 rows/s, 0 B/s, 00:01");
}

TEST(Progress, NeverTakesMoreRowsThanTheScreenHas) {
  Progress progress(500);
  for (int i = 0; i < 500; ++i) {
    Begin(progress, std::to_string(i), 10);
    Event waiting = Make(EventKind::kWaiting, std::to_string(i), 0, "locked");
    progress.On(waiting, 0);
  }
  progress.SetStops(1);
  for (size_t rows = 1; rows < 60; ++rows) {
    const auto lines = progress.Lines({80, rows}, 1);
    EXPECT_LT(lines.size(), std::max<size_t>(rows, 2)) << rows << " rows";
    EXPECT_GE(lines.size(), 1u);
  }
  EXPECT_LE(progress.Lines({80, 60}, 1).size(), 19u) << "nor too many for a large one";
  EXPECT_EQ(progress.Lines({80, 12}, 1)[8], "and 492 more");
}

TEST(Progress, NoLineIsWiderThanTheTerminal) {
  Progress progress(1);
  Begin(progress, "\xe8\xa1\xa8\xe8\xa1\xa8\xe8\xa1\xa8 and\na line break that is long",
        1000);
  progress.On(
      OfChunk(EventKind::kBatch, progress.Snapshot(0)["at_work"][0]["stream"], 1, 9), 1);
  progress.SetStops(1);
  for (size_t columns = 1; columns < 130; ++columns) {
    for (const std::string& line : progress.Lines({columns, 24}, 1)) {
      EXPECT_LE(DisplayWidth(line), columns) << line;
      EXPECT_EQ(line.find('\n'), std::string::npos);
    }
  }
}

TEST(Progress, ANarrowTerminalShowsWhatMattersMost) {
  Progress progress(3);
  Begin(progress, "orders", 1000);
  progress.On(OfChunk(EventKind::kBatch, "orders", 1, 400), 1);
  EXPECT_EQ(Shown(progress, {19, 10}, 7),
            "orders  copy  40%\n"
            "0 of 3 streams\n");
  EXPECT_EQ(Shown(progress, {40, 10}, 7),
            "orders  copy  40%  400 rows  ETA 00:09\n"
            "0 of 3 streams, 400 rows, 00:07\n");
}

TEST(Progress, SaysHowManyChunksItFinishesBeforeItStops) {
  Progress progress(1);
  Begin(progress, "orders", 1000);
  EXPECT_EQ(progress.StoppingLine(), "");
  progress.On(OfChunk(EventKind::kChunkPlanned, "orders", 1), 0);
  progress.On(OfChunk(EventKind::kChunkPlanned, "orders", 2), 0);
  progress.SetStops(1);
  EXPECT_EQ(progress.StoppingLine(),
            "stopping: finishing 2 chunks; Ctrl-C again to stop at once");
  progress.On(OfChunk(EventKind::kChunkStaged, "orders", 1, 5), 0);
  EXPECT_EQ(progress.Lines({}, 0).back(),
            "stopping: finishing 1 chunk; Ctrl-C again to stop at once");
  progress.SetStops(2);
  EXPECT_EQ(progress.StoppingLine(), "stopping at once; what is in hand is given up");
}

TEST(Progress, ItsJsonHasTheRunAndTheStreamsAtWork) {
  Progress progress(2);
  Begin(progress, "orders", 1000);
  progress.On(OfChunk(EventKind::kBatch, "orders", 1, 100), 1);
  progress.On(OfChunk(EventKind::kBatch, "orders", 1, 100), 2);
  const auto json = progress.Snapshot(2);
  EXPECT_EQ(json["streams"], 2);
  EXPECT_EQ(json["rows"], 200);
  EXPECT_EQ(json["rows_per_second"], 200);
  EXPECT_TRUE(json["eta_seconds"].is_null()) << "nothing is known of the other stream";
  ASSERT_EQ(json["at_work"].size(), 1u);
  EXPECT_EQ(json["at_work"][0]["phase"], "copy");
  EXPECT_EQ(json["at_work"][0]["chunks_in_hand"], 1);
  EXPECT_EQ(json["at_work"][0]["eta_seconds"], 4.0);
}

TEST(Console, TextIsCutToTheWidthOfTheTerminal) {
  EXPECT_EQ(CutToWidth("abcdefgh", 6), "abc...");
  EXPECT_EQ(CutToWidth("ab", 1), ".");
  EXPECT_EQ(CutToWidth("ab", 0), "");
}

TEST(Console, WideCharactersTakeTwoColumnsAndCombiningOnesNone) {
  EXPECT_EQ(DisplayWidth("\xe8\xa1\xa8"), 2u);      // CJK
  EXPECT_EQ(DisplayWidth("\xf0\x9f\x98\x80"), 2u);  // an emoji
  EXPECT_EQ(DisplayWidth("e\xcc\x81"), 1u);         // e and an acute accent
  EXPECT_EQ(DisplayWidth("\xff"
                         "a"),
            2u);  // no UTF-8: shown as "?"
  EXPECT_EQ(CutToWidth("\xe8\xa1\xa8\xe8\xa1\xa8\xe8\xa1\xa8", 5), "\xe8\xa1\xa8...");
  EXPECT_EQ(CutToWidth("\xe8\xa1\xa8\xe8\xa1\xa8\xe8\xa1\xa8", 4), "...");
  EXPECT_EQ(CutToWidth("\xe8\xa1\xa8\xe8\xa1\xa8\xe8\xa1\xa8", 6),
            "\xe8\xa1\xa8\xe8\xa1\xa8\xe8\xa1\xa8");
}

TEST(Console, ATableIsAligned) {
  TextTable table("lr");
  table.Add({"a", "1"});
  table.Add({"caf\xc3\xa9", "200"});
  EXPECT_EQ(table.ToString("  "), "  a       1\n  caf\xc3\xa9  200\n");
}

}  // namespace
}  // namespace sluice::cli
