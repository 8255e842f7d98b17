#include "cli/transfer_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/failed_run.h"
#include "app/policy_advice.h"
#include "app/quantity.h"
#include "base/log.h"
#include "base/redact.h"
#include "base/vocabulary_json.h"
#include "cli/console.h"
#include "cli/display.h"
#include "cli/signals.h"
#include "cli/summary.h"

namespace sluice::cli {
namespace {

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

/// --resume of a job that is done: one sentence, and no account of what was not done.
bool NothingToResume(const TransferReport& report) {
  return report.status.ok() && !report.streams.empty() &&
         std::ranges::all_of(report.streams, [](const StreamReport& stream) {
           return IdOf(stream.status) == "run.nothing-to-resume";
         });
}

void ReportErrors(const TransferReport& report) {
  if (NothingToResume(report) && report.streams.size() > 1) {
    ReportError(
        Error(ErrorKind::kUsage, "run.nothing-to-resume",
              fmt::format("none of {} has an unfinished load to resume",
                          Counted(static_cast<int64_t>(report.streams.size()), "stream")),
              "run without --resume to begin new ones"));
    return;
  }
  size_t shown = 0, failed = 0;
  for (const StreamReport& stream : report.streams) {
    if (stream.status.ok() || ++failed > kErrorsShownMax) continue;
    ReportError(stream.status, stream.stream, stream.load);
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

/// What the history of runs keeps of the request.
std::string AskedOf(const LocatedJob& located, const Arguments& arguments) {
  std::error_code error;
  const nlohmann::json asked = {{"command", CommandLineOf(arguments)},
                                {"folder", std::filesystem::current_path(error).string()},
                                {"source", located.source.uri},
                                {"destination", located.destination.uri}};
  return asked.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void AddMembers(const OpenedJob& opened, const TransferReport& report, double seconds,
                Outcome* outcome) {
  for (const StreamReport& stream : report.streams)
    outcome->loads->push_back(LoadJson(stream, PlaceOf(opened, stream.stream)));
  nlohmann::ordered_json& members = *outcome->members;
  members["source"] = opened.located.source.uri;
  members["destination"] = opened.located.destination.uri;
  members["job"] = opened.spec.job;
  members["seconds"] = seconds;
  members["consistency"] = ToString(report.consistency);
  members["position"] = report.position;
  members["warnings"] = nlohmann::ordered_json::array();
  for (const std::string& warning : report.warnings)
    members["warnings"].push_back(Redact(warning));
}

}  // namespace

Outcome FailedBefore(const LocatedJob& job, const Status& status,
                     const Invocation& invocation) {
  Outcome outcome = Failed(status);
  outcome.run = RecordFailedRun({.job = job.job.name,
                                 .state = invocation.arguments.Value("--state"),
                                 .asked = AskedOf(job, invocation.arguments),
                                 .status = status},
                                SystemClock());
  return outcome;
}

Outcome RunToTheEnd(const JobRequest& request, const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  const auto kind = ChooseDisplay(arguments);
  if (!kind.ok()) return Failed(kind.status());
  Signals signals;
  Clock& clock = SystemClock();
  const auto began = clock.Elapsed();
  auto opened = OpenForRun(request, clock);
  if (!opened.ok()) {
    LocatedJob job = Locate(request).ValueOr(LocatedJob{});
    job.job.name = request.job.name;
    return FailedBefore(job, opened.status(), invocation);
  }
  SetLogRun(opened->spec.run);
  opened->spec.asked = AskedOf(opened->located, arguments);
  Log(LogLevel::kDebug,
      fmt::format("run {} of job {}: {} to {}, state {}", opened->spec.run,
                  opened->spec.job, opened->source->Describe(),
                  opened->destination->Describe(), opened->state->Describe()));
  const auto display =
      MakeDisplay(*kind, static_cast<int64_t>(opened->spec.streams.size()), clock,
                  [&signals] { return signals.count(); });
  const Collaborators parts{*opened->source, *opened->destination, *opened->state, clock,
                            *display};
  TransferReport report =
      RunTransfer(opened->spec, parts, signals.stop(), signals.stop_now());
  display->Finish();
  const LocatedJob& located = opened->located;
  for (StreamReport& stream : report.streams) {
    stream.status = AdvisePolicy(stream.status, located.job, stream.stream,
                                 /*is_server=*/located.source.path.empty());
  }

  Outcome outcome;
  outcome.run = opened->spec.run;
  outcome.error = WorstError(report);
  outcome.exit_code = report.exit_code;
  outcome.reported = true;
  ReportErrors(report);
  ReportSignal(signals, &outcome);
  const double seconds = std::chrono::duration<double>(clock.Elapsed() - began).count();
  AddMembers(*opened, report, seconds, &outcome);
  if (arguments.Has("--quiet") || invocation.json || NothingToResume(report))
    return outcome;
  const std::string summary =
      Redact(SummaryOf(report, {.job = opened->spec.job,
                                .source = opened->located.source.uri,
                                .destination = opened->located.destination.uri,
                                .state = ShownState(opened->located.state_path),
                                .command = CommandLineOf(arguments),
                                .exit_code = CodeOf(outcome),
                                .seconds = seconds}));
  // What arrived although something failed is told, but not as the result.
  if (outcome.error.ok()) {
    outcome.text = summary;
  } else {
    WriteStderr(summary);
  }
  return outcome;
}

}  // namespace sluice::cli
