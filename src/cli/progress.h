/// \file
/// What a run has done so far, from its events, as lines for a terminal or a log, or as
/// JSON. No clock, no I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "sluice/notifier.h"

namespace sluice::cli {

/// Rows and bytes a second over the last seconds.
class RateMeter {
 public:
  struct Rates {
    double rows = 0, bytes = 0;  // a second
  };
  void Add(int64_t rows, int64_t bytes, double now);
  Rates At(double now);

 private:
  struct Sample {
    double time;
    int64_t rows, bytes;
  };
  void Take(double now);

  int64_t rows_ = 0, bytes_ = 0;
  std::deque<Sample> samples_;
};

struct ScreenSize {
  size_t columns = 80, rows = 24;
};

/// One thread at a time. Times are seconds since the run began.
class Progress {
 public:
  explicit Progress(int64_t streams) : streams_(streams) {}

  void On(const Event& event, double now);
  /// How many signals asked the run to stop: none, one (drain) or more (at once).
  void SetStops(int stops) { stops_ = stops; }

  /// The display: streams at work, what they wait for, a line for the whole run. None is
  /// wider than the screen, and there are fewer than it has rows.
  std::vector<std::string> Lines(const ScreenSize& screen, double now);
  /// The whole run in one line.
  std::string Line(double now);
  /// "stopping: finishing 2 chunks; Ctrl-C again to stop at once"; "" when nobody asked.
  std::string StoppingLine() const;
  /// The members of a "progress" object (docs/commands.md).
  nlohmann::ordered_json Snapshot(double now);
  int64_t streams() const { return streams_; }

 private:
  struct Stream {
    std::string load, phase, waiting;
    int64_t estimated_rows = 0;
    int64_t staged_rows = 0, chunks = 0;         // by earlier runs too
    std::map<int64_t, int64_t> rows_in_hand;     // of chunks begun and not staged
    int64_t source_bytes = 0, staged_bytes = 0;  // by this run
    int64_t retries = 0;
    bool resumed = false;
    RateMeter rate;

    int64_t Rows() const;
    /// -1: not known.
    int64_t Percent() const;
    int64_t AboutChunks() const;
    double EtaSeconds(double rows_per_second) const;
  };
  struct Total {
    std::string text;
    int rank;  // the least goes last where there is no room
  };

  std::vector<Total> Totals(double now);
  double EtaSeconds(double now);
  std::vector<std::string> Cells(const std::string& name, Stream& stream, double now);
  std::vector<std::string> StreamLines(size_t columns, size_t lines_max, double now);

  int64_t streams_;
  int64_t finished_ = 0, failed_ = 0;
  int64_t rows_ = 0;  // read by this run
  int64_t source_bytes_ = 0, staged_bytes_ = 0, retries_ = 0;
  int stops_ = 0;
  std::map<std::string, Stream> at_work_;
  RateMeter rate_;
};

/// "flights: 336,776 rows, 7.1 MiB, 0.4 s" of a kStreamFinished event.
std::string FinishedLine(const Event& event, double seconds);

}  // namespace sluice::cli
