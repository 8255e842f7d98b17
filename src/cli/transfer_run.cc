#include "cli/transfer_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "app/quantity.h"
#include "base/log.h"
#include "base/redact.h"
#include "cli/console.h"
#include "cli/display.h"
#include "cli/signals.h"

namespace sluice::cli {
namespace {

/// Beyond it the summary has totals and failures only.
constexpr size_t kStreamsShownMax = 20;
constexpr size_t kErrorsShownMax = 20;

/// Below `destination`; null for a load that has none yet.
nlohmann::ordered_json UriOrNull(const Endpoint& destination, const std::string& path) {
  if (path.empty()) return nullptr;
  return UriBelow(destination, path);
}

nlohmann::ordered_json LoadJson(const StreamReport& stream, const Endpoint& destination) {
  nlohmann::ordered_json load = {{"stream", stream.stream},
                                 {"load", stream.load},
                                 {"phase", ToString(stream.phase)},
                                 {"rows", stream.rows},
                                 {"bytes", stream.bytes},
                                 {"files", stream.files},
                                 {"manifest", UriOrNull(destination, stream.manifest)},
                                 {"location", UriOrNull(destination, stream.location)},
                                 {"rows_read", stream.rows_read},
                                 {"chunks", stream.chunks},
                                 {"resumed", stream.resumed},
                                 {"mixed", stream.mixed},
                                 {"coerced", stream.coerced},
                                 {"timings", stream.timings},
                                 {"error", nullptr}};
  if (!stream.status.ok()) {
    load["error"] = {{"id", std::string(IdOf(stream.status))},
                     {"message", Redact(stream.status.message())},
                     {"hint", Redact(HintOf(stream.status))}};
  }
  return load;
}

double SecondsOf(const StreamReport& stream) {
  return std::accumulate(stream.timings.begin(), stream.timings.end(), 0.0,
                         [](double sum, const auto& step) { return sum + step.second; });
}

std::string Summary(const TransferReport& report, double seconds) {
  TextTable table("lrrrrl");
  int64_t rows = 0, bytes = 0, files = 0, done = 0;
  for (const StreamReport& stream : report.streams) {
    if (!stream.status.ok()) continue;
    ++done;
    rows += stream.rows;
    bytes += stream.bytes;
    files += stream.files;
    if (report.streams.size() > kStreamsShownMax) continue;
    table.Add({Printable(stream.stream), FormatCount(stream.rows) + " rows",
               Counted(stream.files, "file"), FormatSize(stream.bytes),
               FormatSeconds(SecondsOf(stream)), Printable(stream.location)});
  }
  std::string text = table.ToString();
  for (const StreamReport& stream : report.streams) {
    for (const auto& [column, count] : stream.coerced) {
      text += fmt::format("{}.{}: {} did not fit and went by the policy\n",
                          Printable(stream.stream), Printable(column),
                          Counted(count, "value"));
    }
  }
  const auto all = static_cast<int64_t>(report.streams.size());
  text +=
      fmt::format("{}{}: {} rows, {}, {} in {}\n",
                  done == all ? std::string() : fmt::format("{} of ", FormatCount(done)),
                  Counted(all, "stream"), FormatCount(rows), Counted(files, "file"),
                  FormatSize(bytes), FormatSeconds(seconds));
  return text;
}

bool AnyDone(const TransferReport& report) {
  return std::any_of(report.streams.begin(), report.streams.end(),
                     [](const StreamReport& stream) { return stream.status.ok(); });
}

/// The run's own error, else the one the exit code stands for.
Status WorstError(const TransferReport& report) {
  if (!report.status.ok()) return report.status;
  Status worst;
  for (const StreamReport& stream : report.streams) {
    if (stream.status.ok()) continue;
    if (worst.ok() || (ExitCodeOf(stream.status) == report.exit_code &&
                       ExitCodeOf(worst) != report.exit_code)) {
      worst = InContext(stream.status, "stream " + stream.stream);
    }
  }
  return worst;
}

void ReportErrors(const TransferReport& report) {
  size_t shown = 0, failed = 0;
  for (const StreamReport& stream : report.streams) {
    if (stream.status.ok() || ++failed > kErrorsShownMax) continue;
    ReportError(stream.status, stream.stream);
    ++shown;
  }
  if (failed > shown) {
    Log(LogLevel::kError, fmt::format("and {} more; --json lists them all",
                                      Counted(failed - shown, "stream")));
  }
  if (!report.status.ok()) ReportError(report.status);
}

/// 130 or 143 where a signal is why the run ended, and a word about what is left.
void ReportSignal(const Signals& signals, Outcome* outcome) {
  if (signals.received() == 0 || outcome->exit_code == 0) return;
  if (KindOf(outcome->error) == ErrorKind::kCancelled)
    outcome->exit_code = 128 + signals.received();
  Log(LogLevel::kWarning,
      signals.count() > 1
          ? "not drained: stopped at the second signal; the same command resumes"
          : "drained: chunks that were finished are kept; the same command resumes");
}

}  // namespace

Outcome RunToTheEnd(const JobRequest& request, const Invocation& invocation) {
  Signals signals;
  Clock& clock = SystemClock();
  const auto began = clock.Elapsed();
  auto opened = OpenForRun(request, clock);
  if (!opened.ok()) return Failed(opened.status());
  SetLogRun(opened->spec.run);
  Log(LogLevel::kDebug,
      fmt::format("run {} of job {}: {} to {}, state {}", opened->spec.run,
                  opened->spec.job, opened->source->Describe(),
                  opened->destination->Describe(), opened->state->Describe()));
  const Arguments& arguments = invocation.arguments;
  const DisplayWish wish{.quiet = arguments.Has("--quiet"),
                         .json = invocation.json,
                         .wanted = arguments.Has("--progress"),
                         .unwanted = arguments.Has("--no-progress")};
  const auto display = MakeDisplay(
      ChooseDisplay(wish), static_cast<int64_t>(opened->spec.streams.size()), clock);
  const Collaborators parts{*opened->source, *opened->destination, *opened->state, clock,
                            *display};
  const TransferReport report =
      RunTransfer(opened->spec, parts, signals.stop(), signals.stop_now());
  display->Finish();

  Outcome outcome;
  outcome.run = opened->spec.run;
  outcome.error = WorstError(report);
  outcome.exit_code = report.exit_code;
  outcome.reported = true;
  ReportErrors(report);
  ReportSignal(signals, &outcome);
  for (const StreamReport& stream : report.streams)
    outcome.loads->push_back(LoadJson(stream, PlaceOf(*opened, stream.stream)));
  const double seconds = std::chrono::duration<double>(clock.Elapsed() - began).count();
  (*outcome.members)["destination"] = opened->located.destination.uri;
  (*outcome.members)["job"] = opened->spec.job;
  (*outcome.members)["seconds"] = seconds;
  (*outcome.members)["warnings"] = report.warnings;
  if (arguments.Has("--quiet") || invocation.json) return outcome;
  // What arrived although something failed is told, but not as the result.
  if (outcome.error.ok()) {
    outcome.text = Summary(report, seconds);
  } else if (AnyDone(report)) {
    WriteStderr(Summary(report, seconds));
  }
  return outcome;
}

}  // namespace sluice::cli
