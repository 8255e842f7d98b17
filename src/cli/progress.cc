#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <numeric>

#include "app/quantity.h"
#include "cli/console.h"

namespace sluice::cli {
namespace {

constexpr double kRateWindowSeconds = 5;
constexpr size_t kStreamsShownMax = 8;
constexpr double kUnknown = -1;

std::string Clock(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  if (whole < 3600) return fmt::format("{:02}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string PerSecond(double rows) {
  return FormatCount(static_cast<int64_t>(rows)) + " rows/s";
}
std::string BytesPerSecond(double bytes) {
  return FormatSize(static_cast<int64_t>(bytes)) + "/s";
}

/// A column of the live display.
struct Column {
  char alignment;
  int rank;  // where there is no room the greatest goes first
};
constexpr auto kColumns = std::to_array<Column>({
    {'l', 0},  // name
    {'l', 1},  // phase
    {'r', 2},  // percent
    {'r', 3},  // rows
    {'r', 5},  // rows/s
    {'r', 7},  // bytes/s
    {'l', 6},  // chunk
    {'l', 4},  // ETA
    {'l', 8},  // retries
    {'l', 9},  // resumed
});

/// Which columns fit, the most important first; an empty one takes no room.
std::array<bool, kColumns.size()> ColumnsThatFit(
    const std::array<size_t, kColumns.size()>& widths, size_t columns) {
  std::array<bool, kColumns.size()> shown{};
  size_t used = 0;
  for (int rank = 0; rank < static_cast<int>(kColumns.size()); ++rank) {
    for (size_t i = 0; i < kColumns.size(); ++i) {
      if (kColumns[i].rank != rank || widths[i] == 0) continue;
      const size_t more = widths[i] + (used == 0 ? 0 : 2);
      if (used + more > columns && rank > 0) return shown;
      shown[i] = true;
      used += more;
    }
  }
  return shown;
}

size_t NameWidthMax(size_t columns) {
  return std::clamp<size_t>(columns / 3, std::min<size_t>(columns, 6), 32);
}

}  // namespace

void RateMeter::Add(int64_t rows, int64_t bytes, double now) {
  if (samples_.empty()) Take(now);
  rows_ += rows;
  bytes_ += bytes;
}

void RateMeter::Take(double now) { samples_.push_back({now, rows_, bytes_}); }

RateMeter::Rates RateMeter::At(double now) {
  if (samples_.empty() || now - samples_.back().time >= 0.1) Take(now);
  while (samples_.size() > 2 && now - samples_.front().time > kRateWindowSeconds)
    samples_.pop_front();
  const Sample& first = samples_.front();
  const double seconds = now - first.time;
  if (seconds < 0.05) return {};
  return {static_cast<double>(rows_ - first.rows) / seconds,
          static_cast<double>(bytes_ - first.bytes) / seconds};
}

int64_t Progress::Stream::Rows() const {
  return std::accumulate(
      rows_in_hand.begin(), rows_in_hand.end(), staged_rows,
      [](int64_t sum, const auto& chunk) { return sum + chunk.second; });
}

// An estimate is no fact: it never shows a hundred.
int64_t Progress::Stream::Percent() const {
  if (estimated_rows <= 0 || phase != "copy") return -1;
  return std::min<int64_t>(99, Rows() * 100 / estimated_rows);
}

int64_t Progress::Stream::AboutChunks() const {
  if (chunks == 0 || staged_rows == 0 || estimated_rows <= staged_rows) return -1;
  const int64_t rows_a_chunk = std::max<int64_t>(1, staged_rows / chunks);
  const int64_t left = (estimated_rows - staged_rows + rows_a_chunk - 1) / rows_a_chunk;
  return chunks + left;
}

double Progress::Stream::EtaSeconds(double rows_per_second) const {
  if (estimated_rows <= 0 || phase != "copy" || rows_per_second < 1) return kUnknown;
  return static_cast<double>(std::max<int64_t>(0, estimated_rows - Rows())) /
         rows_per_second;
}

void Progress::On(const Event& event, double now) {
  switch (event.kind) {
    case EventKind::kStreamStarted: {
      Stream& stream = at_work_[event.stream];
      stream.load = event.load;
      stream.estimated_rows = event.estimated_rows;
      stream.staged_rows = event.rows;
      stream.chunks = event.chunk;
      stream.resumed = event.message == "resumed";
      break;
    }
    case EventKind::kPhase: {
      Stream& stream = at_work_[event.stream];
      stream.phase = event.message;
      stream.waiting.clear();
      break;
    }
    case EventKind::kChunkPlanned:
      at_work_[event.stream].rows_in_hand[event.chunk] = 0;
      break;
    case EventKind::kBatch: {
      Stream& stream = at_work_[event.stream];
      stream.rows_in_hand[event.chunk] += event.rows;
      stream.source_bytes += event.source_bytes;
      stream.rate.Add(event.rows, event.source_bytes, now);
      stream.waiting.clear();
      rows_ += event.rows;
      source_bytes_ += event.source_bytes;
      rate_.Add(event.rows, event.source_bytes, now);
      break;
    }
    case EventKind::kChunkStaged: {
      Stream& stream = at_work_[event.stream];
      stream.rows_in_hand.erase(event.chunk);
      stream.staged_rows += event.rows;
      stream.staged_bytes += event.encoded_bytes;
      ++stream.chunks;
      staged_bytes_ += event.encoded_bytes;
      break;
    }
    case EventKind::kRetry: {
      Stream& stream = at_work_[event.stream];
      // What was read of it is read again.
      stream.rows_in_hand[event.chunk] = 0;
      stream.waiting = "trying again: " + event.message;
      ++stream.retries;
      ++retries_;
      break;
    }
    case EventKind::kWaiting:
      if (!event.stream.empty()) at_work_[event.stream].waiting = event.message;
      break;
    case EventKind::kStreamFinished:
      at_work_.erase(event.stream);
      ++(event.exit_code == 0 ? finished_ : failed_);
      break;
    default: break;
  }
}

double Progress::EtaSeconds(double now) {
  // Of a stream that has not begun nothing is known.
  if (finished_ + failed_ + static_cast<int64_t>(at_work_.size()) < streams_)
    return kUnknown;
  double left = 0;
  for (const auto& [name, stream] : at_work_) {
    if (stream.estimated_rows <= 0) return kUnknown;
    left +=
        static_cast<double>(std::max<int64_t>(0, stream.estimated_rows - stream.Rows()));
  }
  const double rate = rate_.At(now).rows;
  return rate < 1 ? kUnknown : left / rate;
}

std::vector<Progress::Total> Progress::Totals(double now) {
  const RateMeter::Rates rates = rate_.At(now);
  std::vector<Total> totals = {
      {fmt::format("{} of {}", finished_, Counted(streams_, "stream")), 0}};
  if (failed_ > 0) totals.push_back({fmt::format("{} failed", failed_), 1});
  totals.push_back({FormatCount(rows_) + " rows", 3});
  totals.push_back({FormatSize(staged_bytes_) + " staged", 6});
  totals.push_back({PerSecond(rates.rows), 5});
  totals.push_back({BytesPerSecond(rates.bytes), 7});
  if (retries_ > 0)
    totals.push_back(
        {retries_ == 1 ? "1 retry" : fmt::format("{} retries", retries_), 8});
  totals.push_back({Clock(now), 2});
  const double eta = EtaSeconds(now);
  if (eta >= 0) totals.push_back({"ETA " + Clock(eta), 4});
  return totals;
}

std::string Progress::Line(double now) {
  std::string line;
  for (const Total& total : Totals(now)) line += (line.empty() ? "" : ", ") + total.text;
  return line;
}

std::string Progress::StoppingLine() const {
  if (stops_ == 0) return {};
  if (stops_ > 1) return "stopping at once; what is in hand is given up";
  size_t chunks = 0;
  for (const auto& [name, stream] : at_work_) chunks += stream.rows_in_hand.size();
  return fmt::format(
      "stopping: finishing {}; Ctrl-C again to stop at once",
      chunks == 0 ? "what is begun" : Counted(static_cast<int64_t>(chunks), "chunk"));
}

std::vector<std::string> Progress::Cells(const std::string& name, Stream& stream,
                                         double now) {
  const RateMeter::Rates rates = stream.rate.At(now);
  const bool copies = stream.phase == "copy";
  const int64_t percent = stream.Percent(), about = stream.AboutChunks();
  const double eta = stream.EtaSeconds(rates.rows);
  std::string chunk;
  if (copies && stream.chunks > 0) {
    const int64_t at = stream.chunks + (stream.rows_in_hand.empty() ? 0 : 1);
    chunk = fmt::format("chunk {}", FormatCount(at));
    if (about > stream.chunks) chunk += fmt::format(" of about {}", FormatCount(about));
  }
  std::string retries;
  if (stream.retries > 0) {
    retries = stream.retries == 1 ? "1 retry" : fmt::format("{} retries", stream.retries);
  }
  return {Printable(name),
          stream.phase,
          percent < 0 ? "" : fmt::format("{}%", percent),
          FormatCount(stream.Rows()) + " rows",
          copies ? PerSecond(rates.rows) : "",
          copies ? BytesPerSecond(rates.bytes) : "",
          chunk,
          eta < 0 ? "" : "ETA " + Clock(eta),
          retries,
          stream.resumed ? "resumed" : ""};
}

/// A line a stream, in columns, and one for what it waits for.
std::vector<std::string> Progress::StreamLines(size_t columns, size_t lines_max,
                                               double now) {
  std::vector<std::string> lines;
  if (lines_max == 0 || at_work_.empty()) return lines;
  const bool all = at_work_.size() <= std::min(lines_max, kStreamsShownMax);
  const size_t shown_max =
      all ? at_work_.size() : std::min(lines_max - 1, kStreamsShownMax);
  std::vector<std::vector<std::string>> table;
  std::vector<const Stream*> shown;
  std::array<size_t, kColumns.size()> widths{};
  for (auto& [name, stream] : at_work_) {
    if (table.size() == shown_max) break;
    std::vector<std::string> cells = Cells(name, stream, now);
    cells[0] = CutToWidth(cells[0], NameWidthMax(columns));
    for (size_t i = 0; i < cells.size(); ++i)
      widths[i] = std::max(widths[i], DisplayWidth(cells[i]));
    table.push_back(std::move(cells));
    shown.push_back(&stream);
  }
  size_t room = lines_max - shown_max - (all ? 0 : 1);
  const auto fits = ColumnsThatFit(widths, columns);
  for (size_t row = 0; row < table.size(); ++row) {
    std::string line;
    for (size_t i = 0; i < kColumns.size(); ++i) {
      if (!fits[i]) continue;
      const std::string& cell = table[row][i];
      const std::string padding(widths[i] - DisplayWidth(cell), ' ');
      if (i > 0) line += "  ";
      line += kColumns[i].alignment == 'r' ? padding + cell : cell + padding;
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    lines.push_back(std::move(line));
    if (shown[row]->waiting.empty() || room == 0) continue;
    --room;
    lines.push_back("  " + Printable(shown[row]->waiting));
  }
  if (!all) lines.push_back(fmt::format("and {} more", at_work_.size() - shown_max));
  return lines;
}

std::vector<std::string> Progress::Lines(const ScreenSize& screen, double now) {
  std::string total;
  auto totals = Totals(now);
  // What has no room is left out, the least important first.
  for (int dropped = 9; dropped > 0; --dropped) {
    total.clear();
    for (const Total& each : totals) {
      if (each.rank < dropped) total += (total.empty() ? "" : ", ") + each.text;
    }
    if (DisplayWidth(total) <= screen.columns) break;
  }
  std::vector<std::string> lines = {total};
  if (stops_ > 0) lines.push_back(StoppingLine());
  // The cursor needs a row of its own below the last line.
  const size_t room = std::max<size_t>(2, screen.rows) - 1;
  if (lines.size() > room) lines.erase(lines.begin());
  const auto streams = StreamLines(screen.columns, room - lines.size(), now);
  lines.insert(lines.begin(), streams.begin(), streams.end());
  for (std::string& line : lines) line = CutToWidth(line, screen.columns);
  return lines;
}

nlohmann::ordered_json Progress::Snapshot(double now) {
  const auto whole = [](double number) { return static_cast<int64_t>(number); };
  const auto known = [](double number) {
    return number < 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(number);
  };
  const RateMeter::Rates rates = rate_.At(now);
  nlohmann::ordered_json json = {{"seconds", now},
                                 {"streams", streams_},
                                 {"finished", finished_},
                                 {"failed", failed_},
                                 {"rows", rows_},
                                 {"source_bytes", source_bytes_},
                                 {"staged_bytes", staged_bytes_},
                                 {"rows_per_second", whole(rates.rows)},
                                 {"bytes_per_second", whole(rates.bytes)},
                                 {"retries", retries_},
                                 {"eta_seconds", known(EtaSeconds(now))},
                                 {"stopping", stops_ > 0},
                                 {"at_work", nlohmann::ordered_json::array()}};
  for (auto& [name, stream] : at_work_) {
    const RateMeter::Rates of_stream = stream.rate.At(now);
    json["at_work"].push_back({{"stream", name},
                               {"load", stream.load},
                               {"phase", stream.phase},
                               {"rows", stream.Rows()},
                               {"estimated_rows", stream.estimated_rows},
                               {"source_bytes", stream.source_bytes},
                               {"staged_bytes", stream.staged_bytes},
                               {"rows_per_second", whole(of_stream.rows)},
                               {"bytes_per_second", whole(of_stream.bytes)},
                               {"chunks_staged", stream.chunks},
                               {"chunks_in_hand", stream.rows_in_hand.size()},
                               {"retries", stream.retries},
                               {"resumed", stream.resumed},
                               {"eta_seconds", known(stream.EtaSeconds(of_stream.rows))},
                               {"waiting", stream.waiting}});
  }
  return json;
}

std::string FinishedLine(const Event& event, double seconds) {
  const std::string name = Printable(event.stream);
  if (event.exit_code != 0)
    return fmt::format("{}: failed after {}", name, FormatSeconds(seconds));
  return fmt::format("{}: {} rows, {}, {}", name, FormatCount(event.rows),
                     FormatSize(event.encoded_bytes), FormatSeconds(seconds));
}

}  // namespace sluice::cli
