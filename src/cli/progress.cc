#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/quantity.h"
#include "cli/console.h"

namespace sluice::cli {
namespace {

constexpr double kRateWindowSeconds = 5;
constexpr size_t kStreamLinesMax = 6;

std::string Clock(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  if (whole < 3600) return fmt::format("{:02}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace

void Progress::On(const Event& event, double now) {
  switch (event.kind) {
    case EventKind::kStreamStarted: {
      Stream& stream = at_work_[event.stream];
      stream.estimated_rows = event.estimated_rows;
      stream.resumed = event.message == "resumed";
      break;
    }
    case EventKind::kPhase:
      at_work_[event.stream].phase = event.message;
      waiting_.clear();
      break;
    case EventKind::kBatch:
      at_work_[event.stream].rows += event.rows;
      rows_ += event.rows;
      waiting_.clear();
      break;
    case EventKind::kChunkStaged:
      ++at_work_[event.stream].chunks;
      encoded_bytes_ += event.encoded_bytes;
      break;
    case EventKind::kWaiting:
    case EventKind::kRetry: waiting_ = event.message; break;
    case EventKind::kStreamFinished:
      at_work_.erase(event.stream);
      ++(event.exit_code == 0 ? finished_ : failed_);
      break;
    default: break;
  }
  if (samples_.empty()) samples_.emplace_back(now, rows_);
}

double Progress::Rate(double now) {
  if (samples_.empty() || now - samples_.back().first >= 0.1)
    samples_.emplace_back(now, rows_);
  while (samples_.size() > 2 && now - samples_.front().first > kRateWindowSeconds)
    samples_.pop_front();
  const double seconds = now - samples_.front().first;
  return seconds < 0.05 ? 0
                        : static_cast<double>(rows_ - samples_.front().second) / seconds;
}

std::string Progress::Line(double now) {
  std::string line = fmt::format(
      "{} of {}, {} rows, {} staged, {} rows/s, {}", finished_,
      Counted(streams_, "stream"), FormatCount(rows_), FormatSize(encoded_bytes_),
      FormatCount(static_cast<int64_t>(Rate(now))), Clock(now));
  if (failed_ > 0) line += fmt::format(", {} failed", failed_);
  return line;
}

std::vector<std::string> Progress::Lines(size_t columns, double now) {
  std::vector<std::string> lines;
  for (const auto& [name, stream] : at_work_) {
    if (lines.size() == kStreamLinesMax) {
      lines.push_back(fmt::format("  and {} more", at_work_.size() - kStreamLinesMax));
      break;
    }
    std::string line = fmt::format("  {}  {}  {} rows", Printable(name), stream.phase,
                                   FormatCount(stream.rows));
    // An estimate is no fact: it never shows a hundred.
    if (stream.estimated_rows > 0 && !stream.resumed && stream.phase == "copy") {
      line += fmt::format(
          "  {}%", std::min<int64_t>(99, stream.rows * 100 / stream.estimated_rows));
    }
    if (stream.chunks > 0) line += fmt::format("  chunk {}", stream.chunks + 1);
    if (stream.resumed) line += "  resumed";
    lines.push_back(std::move(line));
  }
  if (!waiting_.empty()) lines.push_back("  " + Printable(waiting_));
  lines.push_back(Line(now));
  for (std::string& line : lines) line = CutToWidth(line, columns);
  return lines;
}

std::string FinishedLine(const Event& event, double seconds) {
  const std::string name = Printable(event.stream);
  if (event.exit_code != 0)
    return fmt::format("{}: failed after {}", name, FormatSeconds(seconds));
  return fmt::format("{}: {} rows, {}, {}", name, FormatCount(event.rows),
                     FormatSize(event.encoded_bytes), FormatSeconds(seconds));
}

}  // namespace sluice::cli
