/// \file
/// What a run has done so far, from its events, as lines for a terminal or a log. No
/// clock, no I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "sluice/notifier.h"

namespace sluice::cli {

/// One thread at a time. Times are seconds since the run began.
class Progress {
 public:
  explicit Progress(int64_t streams) : streams_(streams) {}

  void On(const Event& event, double now);

  /// The display: a line a stream at work, and one for the whole run; none is wider than
  /// `columns`.
  std::vector<std::string> Lines(size_t columns, double now);
  /// The whole run in one line.
  std::string Line(double now);
  int64_t streams() const { return streams_; }

 private:
  struct Stream {
    int64_t rows = 0;  // read by this run
    int64_t estimated_rows = 0;
    int64_t chunks = 0;  // staged by this run
    bool resumed = false;
    std::string phase;
  };
  /// Rows a second over the last seconds.
  double Rate(double now);

  int64_t streams_;
  int64_t finished_ = 0, failed_ = 0;
  int64_t rows_ = 0, encoded_bytes_ = 0;
  std::map<std::string, Stream> at_work_;
  std::deque<std::pair<double, int64_t>> samples_;  // time and rows
  std::string waiting_;
};

/// "flights: 336,776 rows in 1 file…" of a kStreamFinished event.
std::string FinishedLine(const Event& event, double seconds);

}  // namespace sluice::cli
