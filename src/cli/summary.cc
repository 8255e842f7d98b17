#include "cli/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "app/policy_advice.h"
#include "app/quantity.h"
#include "base/vocabulary_json.h"
#include "cli/console.h"

namespace sluice::cli {
namespace {

/// Beyond it the summary has totals and failures only.
constexpr size_t kStreamsShownMax = 20;
constexpr size_t kWarningsShownMax = 10;
/// What a source without names for its snapshots gets.
constexpr std::string_view kUnnamed = "unnamed:";

double SecondsOf(const StreamReport& stream) {
  return std::accumulate(stream.timings.begin(), stream.timings.end(), 0.0,
                         [](double sum, const auto& step) { return sum + step.second; });
}

std::string RateOf(const StreamReport& stream) {
  const double seconds = SecondsOf(stream);
  if (seconds < 0.001 || stream.rows_read == 0) return {};
  return FormatCount(
             static_cast<int64_t>(static_cast<double>(stream.rows_read) / seconds)) +
         " rows/s";
}

std::string NoteOf(const StreamReport& stream) {
  std::string note = stream.status.ok() ? Printable(stream.location)
                                        : fmt::format("FAILED: {}", IdOf(stream.status));
  if (stream.resumed)
    note += fmt::format(", resumed: {} rows read", FormatCount(stream.rows_read));
  if (stream.mixed) note += ", mixed";
  return note;
}

std::string StreamLines(const TransferReport& report) {
  TextTable table("lrrrrrl");
  size_t shown = 0;
  const bool many = report.streams.size() > kStreamsShownMax;
  for (const StreamReport& stream : report.streams) {
    if (many && (stream.status.ok() || ++shown > kStreamsShownMax)) continue;
    table.Add({Printable(stream.stream), FormatCount(stream.rows) + " rows",
               Counted(stream.files, "file"), FormatSize(stream.bytes),
               FormatSeconds(SecondsOf(stream)), RateOf(stream), NoteOf(stream)});
  }
  std::string text = table.ToString();
  for (const StreamReport& stream : report.streams) {
    for (const auto& [column, count] : stream.coerced) {
      text += fmt::format("{}.{}: {} did not fit and went by the policy\n",
                          Printable(stream.stream), Printable(column),
                          Counted(count, "value"));
    }
  }
  return text;
}

std::string TotalLine(const TransferReport& report, double seconds) {
  int64_t rows = 0, bytes = 0, files = 0, done = 0;
  for (const StreamReport& stream : report.streams) {
    if (!stream.status.ok()) continue;
    ++done;
    rows += stream.rows;
    bytes += stream.bytes;
    files += stream.files;
  }
  const auto all = static_cast<int64_t>(report.streams.size());
  return fmt::format("{}{}: {} rows, {}, {} in {}\n",
                     done == all ? "" : fmt::format("{} of ", FormatCount(done)),
                     Counted(all, "stream"), FormatCount(rows), Counted(files, "file"),
                     FormatSize(bytes), FormatSeconds(seconds));
}

std::string ConsistencyOf(const TransferReport& report) {
  if (report.position.empty()) return {};
  std::string text = ToString(report.consistency);
  if (!report.position.starts_with(kUnnamed)) text += " at " + report.position;
  return text;
}

bool AnyFailsAgain(const TransferReport& report) {
  return std::ranges::any_of(report.streams, [](const StreamReport& stream) {
    return FailsAgain(stream.status);
  });
}

}  // namespace

const char* MeaningOf(int exit_code) {
  switch (exit_code) {
    case 0: return "";
    case 2: return "the request is wrong";
    case 3: return "verification mismatch";
    case 4: return "another run holds the job";
    case 5: return "may go away by itself";
    case 6: return "the source or the state needs an operator";
    case 7: return "the destination refuses";
    case 8: return "a bound of memory or disk of our own";
    case 130:
    case 143: return "stopped by a signal";
    default: return "failed";
  }
}

bool Resumes(int exit_code) {
  constexpr std::array kResumable = {4, 5, 7, 8, 130, 143};
  return std::ranges::find(kResumable, exit_code) != kResumable.end();
}

std::string SummaryOf(const TransferReport& report, const SummaryFacts& facts) {
  std::string text = StreamLines(report) + TotalLine(report, facts.seconds);
  TextTable table("ll");
  const auto add = [&table](const char* name, const std::string& value) {
    if (!value.empty()) table.Add({name, Printable(value)});
  };
  add("run", report.run);
  add("job", facts.job);
  add("source", facts.source);
  add("destination", facts.destination);
  add("state", facts.state);
  add("consistency", ConsistencyOf(report));
  for (size_t i = 0; i < report.warnings.size() && i < kWarningsShownMax; ++i)
    add(i == 0 ? "warnings" : "", report.warnings[i]);
  if (report.warnings.size() > kWarningsShownMax)
    add("", fmt::format("and {} more", report.warnings.size() - kWarningsShownMax));
  if (facts.exit_code != 0)
    add("exit", fmt::format("{}, {}", facts.exit_code, MeaningOf(facts.exit_code)));
  if (facts.exit_code == 1 && AnyFailsAgain(report))
    add("again", "the same run fails again until the value or the policy is changed");
  if (Resumes(facts.exit_code)) {
    add("resume with", facts.command);
    if (facts.command.find("***") != std::string::npos)
      add("", "where *** stands for the password, better given by ${env:NAME}");
  }
  return text + table.ToString();
}

}  // namespace sluice::cli
