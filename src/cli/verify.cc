#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/quantity.h"
#include "app/secrets.h"
#include "app/verify_loads.h"
#include "cli/console.h"
#include "cli/describe.h"
#include "cli/request.h"
#include "cli/signals.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

constexpr size_t kDifferencesShownMax = 10;

Result<VerifyRequest> RequestFrom(const Arguments& arguments) {
  VerifyRequest request;
  ARROW_ASSIGN_OR_RAISE(const std::string argument, ArgumentOf(arguments));
  if (arguments.Has("--depth")) {
    const auto depth = VerifyDepthFrom(arguments.Value("--depth"));
    if (!depth.ok()) return InContext(depth.status(), "--depth");
    request.depth = *depth;
  }
  ARROW_ASSIGN_OR_RAISE(std::string source,
                        ReplaceInUri(arguments.Value("--source"), RulesFrom(arguments)));
  if (IsManifestAddress(argument)) {
    if (arguments.Has("--stream")) {
      return Error(ErrorKind::kUsage, "cli.stream",
                   "--stream goes with a job; a manifest is of one stream");
    }
    ARROW_RETURN_NOT_OK(TakeManifestAddress(argument, &request));
  } else {
    if (SubjectOf(argument) == Subject::kDestination) {
      return Error(
          ErrorKind::kUsage, "verify.subject",
          "expected a job file or a manifest, found a folder: " + argument,
          "manifests are the files SCHEMA/TABLE/_sluice/LOAD.json below a destination");
    }
    ARROW_ASSIGN_OR_RAISE(const Job job, ReadJobFile(argument, RulesFrom(arguments)));
    request.job = job.name;
    request.streams = arguments.Values("--stream");
    ARROW_ASSIGN_OR_RAISE(request.destinations, DestinationsOf(job));
    if (source.empty()) source = job.source;
  }
  if (!source.empty()) {
    ARROW_ASSIGN_OR_RAISE(request.source, ResolveSource(source));
  }
  return request;
}

nlohmann::ordered_json LoadJson(const VerifiedLoad& load) {
  const Endpoint& destination = load.destination;
  nlohmann::ordered_json json = {
      {"stream", load.stream},
      {"load", load.load},
      {"phase", "committed"},
      {"rows", load.rows},
      {"bytes", load.bytes},
      {"files", load.files},
      {"manifest", UriBelow(destination, load.manifest)},
      {"location", load.location.empty() ? "" : UriBelow(destination, load.location)},
      {"chunks", load.chunks},
      {"verdict", load.status.ok() ? ToString(load.outcome) : "unknown"},
      {"source_compared", load.source_compared},
      {"differences", nlohmann::ordered_json::array()},
      {"error", ErrorJson(load.status)}};
  for (const ChunkVerdict& chunk : load.differences) {
    json["differences"].push_back({{"chunk", chunk.ordinal},
                                   {"verdict", ToString(chunk.outcome)},
                                   {"detail", chunk.detail}});
  }
  return json;
}

const char* Words(ChunkOutcome outcome) {
  switch (outcome) {
    case ChunkOutcome::kEqual: return "equal";
    case ChunkOutcome::kStoredDiffers: return "STORED BYTES DIFFER";
    case ChunkOutcome::kSourceDiffers: return "SOURCE DIFFERS";
    case ChunkOutcome::kSourceMoved: return "the source has changed since";
  }
  return "unknown";
}

std::string LoadText(const VerifiedLoad& load) {
  std::string text = fmt::format(
      "{}  {}  {} rows, {}, {}: ",
      Printable(load.stream.empty() ? load.manifest : load.stream), load.load,
      FormatCount(load.rows), Counted(load.files, "file"), FormatSize(load.bytes));
  if (!load.status.ok()) return text + "could not be compared\n";
  text += Words(load.outcome);
  if (load.outcome == ChunkOutcome::kEqual)
    text += load.source_compared ? "" : " (source not compared)";
  text += "\n";
  for (size_t i = 0; i < load.differences.size(); ++i) {
    if (i == kDifferencesShownMax) {
      text += fmt::format("  and {} more\n", load.differences.size() - i);
      break;
    }
    const ChunkVerdict& chunk = load.differences[i];
    text += fmt::format(
        "  {}{}\n", chunk.ordinal == 0 ? "" : fmt::format("chunk {}: ", chunk.ordinal),
        Printable(chunk.detail));
  }
  return text;
}

/// OK, or why the load counts as a failure.
Status Judge(const VerifiedLoad& load, bool strict) {
  if (!load.status.ok()) return load.status;
  const std::string detail =
      load.differences.empty() ? "" : ": " + load.differences.front().detail;
  switch (load.outcome) {
    case ChunkOutcome::kEqual: return Status::OK();
    case ChunkOutcome::kSourceMoved:
      if (!strict) return Status::OK();
      return Error(ErrorKind::kMismatch, "verify.source-moved",
                   "the source has changed since" + detail);
    case ChunkOutcome::kSourceDiffers:
      return Error(ErrorKind::kMismatch, "verify.source-differs",
                   "the source is not what is stored" + detail);
    case ChunkOutcome::kStoredDiffers:
      return Error(ErrorKind::kMismatch, "verify.stored-differs",
                   "the stored bytes are not what was committed" + detail,
                   "the load cannot be trusted: run the job again, it makes a new one");
  }
  return Status::OK();
}

}  // namespace

Outcome VerifyVerb(const Invocation& invocation) {
  Signals signals;
  const auto request = RequestFrom(invocation.arguments);
  if (!request.ok()) return Failed(request.status());
  const arrow::StopToken stop = signals.stop();
  const auto loads = VerifyLoads(*request, stop);
  if (!loads.ok()) return Failed(loads.status());
  Outcome outcome;
  outcome.reported = true;
  (*outcome.members)["destination"] = request->destinations.front().uri;
  (*outcome.members)["depth"] =
      request->depth == VerifyDepth::kContent ? "content" : "counts";
  size_t equal = 0;
  for (const VerifiedLoad& load : *loads) {
    outcome.loads->push_back(LoadJson(load));
    outcome.text += LoadText(load);
    const Status judged = Judge(load, invocation.arguments.Has("--strict"));
    if (judged.ok()) {
      ++equal;
      continue;
    }
    ReportError(judged, load.stream);
    const int code = ExitCodeOf(judged);
    if (WorstExitCode(outcome.exit_code, code) == code)
      outcome.error = InContext(judged, "stream " + load.stream);
    outcome.exit_code = WorstExitCode(outcome.exit_code, code);
  }
  outcome.text += fmt::format("{} of {} verified at depth {}\n", equal,
                              Counted(static_cast<int64_t>(loads->size()), "load"),
                              (*outcome.members)["depth"].get<std::string>());
  return outcome;
}

}  // namespace sluice::cli
