#include "sluice/transfer.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/crash_point.h"
#include "base/path_template.h"
#include "base/redact.h"
#include "base/vocabulary_json.h"
#include "sluice/version.h"
#include "transfer/extract.h"
#include "transfer/run_context.h"

namespace sluice {
namespace {

/// Where no other stream could fare better, a stream's failure ends the run.
bool EndsTheRun(const Status& status) {
  const ErrorKind kind = KindOf(status);
  return !status.ok() && (kind == ErrorKind::kHeld || kind == ErrorKind::kCancelled ||
                          IdOf(status).starts_with("state."));
}

Result<ProbeVerdict> Probed(RunContext& run, Destination& destination) {
  ARROW_ASSIGN_OR_RAISE(const ProbeVerdict verdict, destination.Probe());
  ARROW_RETURN_NOT_OK(run.parts.state.SaveProbe(destination.Describe(), verdict));
  return verdict;
}

/// Each once. Where one of several does not answer, the streams that go there fail.
Status ProbeDestinations(RunContext& run) {
  std::vector<Destination*> all;
  for (const StreamSpec& stream : run.spec.streams) {
    Destination* destination = &run.DestinationOf(stream);
    if (std::find(all.begin(), all.end(), destination) == all.end())
      all.push_back(destination);
  }
  if (all.empty()) all.push_back(&run.parts.destination);
  for (Destination* destination : all) {
    DestinationVerdict& known = run.destinations[destination];
    const auto verdict = Probed(run, *destination);
    known.status = verdict.status();
    if (EndsTheRun(known.status) || all.size() == 1) ARROW_RETURN_NOT_OK(known.status);
    known.attempt_names = verdict.ok() && !verdict->Enforced();
    if (!known.attempt_names) continue;
    run.Warn("", destination->Describe() +
                     " does not reliably create an object only where there is none (" +
                     verdict->detail +
                     "): names carry their attempt, and a lister may see one too "
                     "many for a moment");
  }
  return Status::OK();
}

/// What the caller must have seen to; looked at again before anything is written.
Status CheckSpec(const TransferSpec& spec) {
  const auto check_versions = [](int keep_versions) {
    return keep_versions >= 1 ? Status::OK()
                              : Error(ErrorKind::kUsage, "run.keep-versions",
                                      "wanted to keep 1 version or more, found " +
                                          std::to_string(keep_versions),
                                      "1 keeps only the newest load");
  };
  ARROW_RETURN_NOT_OK(check_versions(spec.keep_versions));
  if (spec.limits.bytes_per_second < 0)
    return Error(ErrorKind::kUsage, "run.rate",
                 "wanted a rate of 0 bytes a second or more, found " +
                     std::to_string(spec.limits.bytes_per_second),
                 "0 is no bound");
  for (const StreamSpec& stream : spec.streams) {
    ARROW_RETURN_NOT_OK(check_versions(stream.keep_versions.value_or(1)));
    if (!stream.path.empty()) ARROW_RETURN_NOT_OK(CheckPathTemplate(stream.path));
  }
  return Status::OK();
}

Status OpenSource(RunContext& run) {
  const Consistency wanted = run.spec.consistency;
  ARROW_ASSIGN_OR_RAISE(run.sessions,
                        run.parts.source.Open(wanted, run.spec.limits.connections));
  if (wanted != Consistency::kPerChunk && run.sessions.kind == Consistency::kPerChunk) {
    const std::string message =
        "one snapshot for all sessions could not be proven; each chunk is consistent in itself";
    if (wanted == Consistency::kSnapshotStrict) {
      return Error(
          ErrorKind::kTransient, "run.no-snapshot", message,
          "try again when fewer writers are at work, or allow --consistency snapshot");
    }
    run.Warn("", message);
  }
  // A snapshot without a name is like no other: a load resumed under it is mixed.
  if (run.sessions.position.empty()) run.sessions.position = "unnamed:" + run.spec.run;
  return Status::OK();
}

/// Streams side by side: each begins with one session, and while it copies takes those that nobody
/// needs for a stream of its own.
class Streams {
 public:
  explicit Streams(RunContext& run) : run_(run), reports_(run.spec.streams.size()) {}

  std::vector<StreamReport> Run() {
    // All taken before anybody works: whoever copies takes what is idle.
    std::vector<Session*> own;
    const size_t count = std::min(run_.sessions.sessions.size(), reports_.size());
    while (own.size() < std::max<size_t>(count, 1)) own.push_back(run_.idle.Take());
    std::vector<std::thread> others;
    others.reserve(own.size());
    for (size_t i = 1; i < own.size(); ++i) {
      try {
        others.emplace_back([this, &session = *own[i], hook = CurrentCrashHook()] {
          SetCrashHook(hook);
          Work(&session);
        });
      } catch (const std::system_error&) {
        // The system has no thread to give: the streams are worked on by those there are.
        run_.idle.GiveBack(*own[i]);
      }
    }
    Work(own[0]);
    for (std::thread& other : others) other.join();
    reports_.resize(begun_);
    return std::move(reports_);
  }

 private:
  void Work(Session* session) {
    while (const auto index = Next()) {
      StreamReport& report = reports_[*index];
      const StreamSpec& stream = run_.spec.streams[*index];
      report.stream = stream.name;
      if (run_.stop.IsStopRequested()) {
        report.status =
            Error(ErrorKind::kCancelled, "run.drained",
                  "not begun: the run was asked to stop", "run the same command again");
        continue;
      }
      if (run_.idle.IsLost(*session)) {
        // Where none lives the stream fails as the last one did.
        Session* other = run_.idle.InsteadOf(*session);
        if (other != nullptr) session = other;
      }
      ExtractStream(run_, stream, *session, report);
      if (LostItsSession(report.status)) run_.idle.Lose(*session);
      if (EndsTheRun(report.status)) ended_ = true;
    }
    run_.idle.GiveBack(*session);
  }

  std::optional<size_t> Next() {
    const std::lock_guard lock(mutex_);
    if (ended_ || begun_ == reports_.size()) return std::nullopt;
    return begun_++;
  }

  RunContext& run_;
  std::vector<StreamReport> reports_;  // each written by who begun it
  std::atomic<bool> ended_ = false;
  std::mutex mutex_;
  size_t begun_ = 0;  // guarded by mutex_
};

Status RunAll(RunContext& run, LiveSessions& live, TransferReport& report) {
  RunRecord record;
  record.run = run.spec.run;
  record.job = run.spec.job;
  record.pid = getpid();
  record.version = kVersion;
  record.definition = run.spec.asked;
  ARROW_RETURN_NOT_OK(run.parts.state.BeginRun(run.lease, record));
  ARROW_RETURN_NOT_OK(ProbeDestinations(run));
  ARROW_RETURN_NOT_OK(OpenSource(run));
  report.consistency = run.sessions.kind;
  report.position = run.sessions.position;
  live.Open(run.sessions);
  run.idle.Fill(run.sessions);
  report.streams = Streams(run).Run();
  live.Close();
  return Status::OK();
}

int ExitCodeOfRun(const TransferReport& report) {
  int code = ExitCodeOf(report.status);
  for (const StreamReport& stream : report.streams) {
    code = WorstExitCode(code, ExitCodeOf(stream.status));
  }
  return code;
}

/// What was asked of the source for a stream, as its run remembers it.
nlohmann::json AskedOf(const StreamSpec& stream) {
  const Relation& relation = stream.relation;
  nlohmann::json asked = {{"schema", relation.name.schema},
                          {"table", relation.name.table},
                          {"columns", relation.columns},
                          {"where", relation.where}};
  if (!relation.sql.empty()) asked["sql"] = relation.sql;
  return asked;
}

/// What the history of runs keeps.
std::string Summary(const TransferSpec& spec, const TransferReport& report) {
  nlohmann::json loads = nlohmann::json::array();
  for (size_t i = 0; i < report.streams.size(); ++i) {
    const StreamReport& stream = report.streams[i];
    double seconds = 0;
    for (const auto& [step, took] : stream.timings) seconds += took;
    loads.push_back(
        {{"stream", stream.stream},
         {"load", stream.load},
         {"phase", ToString(stream.phase)},
         {"rows", stream.rows},
         {"rows_read", stream.rows_read},
         {"bytes", stream.bytes},
         {"files", stream.files},
         {"chunks", stream.chunks},
         {"seconds", seconds},
         {"resumed", stream.resumed},
         {"coerced", stream.coerced},
         {"source", AskedOf(spec.streams[i])},
         {"error", stream.status.ok() ? "" : Redact(stream.status.message())}});
  }
  nlohmann::json summary = {{"loads", std::move(loads)},
                            {"consistency", ToString(report.consistency)},
                            {"position", report.position},
                            {"warnings", report.warnings.size()}};
  if (!report.status.ok()) summary["error"] = Redact(report.status.message());
  return DumpJson(summary);
}

}  // namespace

TransferReport RunTransfer(const TransferSpec& spec, const Collaborators& parts,
                           const arrow::StopToken& stop,
                           const arrow::StopToken& stop_now) {
  TransferReport report;
  report.run = spec.run;
  report.status = CheckSpec(spec);
  if (!report.status.ok()) {
    report.exit_code = ExitCodeOf(report.status);
    return report;
  }
  LeaseOptions options;
  if (spec.limits.lease_ttl_millis > 0) options.ttl_millis = spec.limits.lease_ttl_millis;
  options.run = spec.run;
  const auto lease = parts.state.Acquire(spec.job, options);
  if (!lease.ok()) {
    report.status = lease.status();
    report.exit_code = ExitCodeOf(report.status);
    return report;
  }
  parts.notifier.On({.kind = EventKind::kRunStarted, .run = spec.run});
  {
    LiveSessions live;
    const Watch watch(
        {*lease, spec.limits.lease_ttl_millis}, parts.state, parts.clock, stop_now,
        [&live, &parts] {
          const Status status = live.Cancel();
          if (status.ok()) return;
          parts.notifier.On({.kind = EventKind::kWarning, .message = status.message()});
        });
    RunContext run{.spec = spec,
                   .parts = parts,
                   .lease = *lease,
                   .watch = watch,
                   .stop = stop,
                   .rate = RateLimit(spec.limits.bytes_per_second)};
    report.status = RunAll(run, live, report);
    if (!report.status.ok() && !watch.reason().ok()) report.status = watch.reason();
    report.warnings = std::move(run.warnings);
  }
  report.exit_code = ExitCodeOfRun(report);
  // The run's record and its lease: what fails here is the run's failure too, but loses nothing.
  Status closed =
      parts.state.EndRun(*lease, spec.run, report.exit_code, Summary(spec, report));
  const Status released = parts.state.Release(*lease);
  if (closed.ok()) closed = released;
  if (report.status.ok() && report.exit_code == 0) report.status = closed;
  report.exit_code = ExitCodeOfRun(report);
  parts.notifier.On(
      {.kind = EventKind::kRunFinished, .run = spec.run, .exit_code = report.exit_code});
  return report;
}

}  // namespace sluice
