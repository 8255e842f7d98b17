#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "app/connectors.h"
#include "app/definition.h"
#include "app/quantity.h"
#include "cli/console.h"
#include "cli/describe.h"
#include "cli/history.h"
#include "cli/verbs.h"
#include "sluice/clock.h"

namespace sluice::cli {
namespace {

/// Asked for; of them the unfinished ones and each stream's newest are shown.
constexpr int kLoadsAsked = 10'000;
constexpr int kRunsShown = 5;
/// More than a state keeps of a job: the last success may be long ago.
constexpr int kRunsAsked = 10'000;

nlohmann::ordered_json LoadJson(const LoadState& load) {
  const ChunkCounts counts = CountChunks(load);
  int64_t files = 0, bytes = 0;
  for (const ChunkState& chunk : load.chunks) {
    if (!chunk.staged) continue;
    files += static_cast<int64_t>(chunk.staged->staged.size());
    for (const StagedObject& object : chunk.staged->staged) bytes += object.size;
  }
  return {{"stream", load.spec.stream},
          {"load", load.spec.load},
          {"phase", ToString(load.phase)},
          {"destination", DestinationIn(load.definition)},
          {"rows", counts.rows},
          {"bytes", bytes},
          {"files", files},
          {"chunks_planned", counts.planned},
          {"chunks_staged", counts.staged},
          {"updated", FormatTime(load.updated_millis)}};
}

const RunRecord* FindRun(const std::vector<RunRecord>& runs, const std::string& id) {
  const auto found = std::find_if(runs.begin(), runs.end(),
                                  [&id](const RunRecord& run) { return run.run == id; });
  return found == runs.end() ? nullptr : &*found;
}

std::string HolderText(const std::optional<LeaseHolder>& holder,
                       const std::vector<RunRecord>& runs) {
  if (!holder || !holder->held) return "not running";
  std::string text = fmt::format("running: process {} on {}, run {}", holder->pid,
                                 Printable(holder->host), holder->run);
  const RunRecord* run = FindRun(runs, holder->run);
  if (run != nullptr) text += ", since " + FormatTime(run->started_millis);
  return text;
}

bool IsUnfinished(const LoadState& load) { return load.phase < Phase::kCleaned; }

/// What somebody who looks would do now; "" when nothing is left to do.
std::string NextStep(const std::string& job, bool held, int64_t unfinished,
                     const std::vector<RunRecord>& runs) {
  if (held) return "wait for the run, or stop it with Ctrl-C (SIGINT) there";
  const bool failed =
      !runs.empty() && (runs[0].ended_millis == 0 || runs[0].exit_code != 0);
  if (unfinished == 0 && !failed) return {};
  std::string command;
  for (const RunRecord& run : runs)
    if (command.empty()) command = CommandLineOf(run);
  if (command.empty()) return fmt::format("run job {} again: it resumes", Printable(job));
  if (runs[0].exit_code == 1) {
    return fmt::format("mend what the last run reported (sluice log), then: {}",
                       Printable(command));
  }
  return fmt::format("{} with: {}", unfinished > 0 ? "resume" : "run again",
                     Printable(command));
}

std::optional<RunRecord> LastSuccess(const std::vector<RunRecord>& runs) {
  for (const RunRecord& run : runs)
    if (run.ended_millis != 0 && run.exit_code == 0) return run;
  return std::nullopt;
}

std::string SuccessText(const std::optional<RunRecord>& success) {
  if (!success) return "no run has succeeded yet";
  const int64_t now_millis = SystemClock().NowMicros() / 1000;
  return "last success " +
         FormatAge(std::max(now_millis - success->ended_millis, int64_t{0}));
}

struct LoadRows {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  TextTable table{"llllll"};
  int64_t unfinished = 0;
};
/// Each stream's newest, and what is not finished.
LoadRows RowsOf(const std::vector<LoadState>& loads) {
  LoadRows rows;
  std::set<std::string> streams;
  for (const LoadState& load : loads) {
    if (!streams.insert(load.spec.stream).second && !IsUnfinished(load)) continue;
    if (IsUnfinished(load)) ++rows.unfinished;
    rows.json.push_back(LoadJson(load));
    rows.table.Add({"load", Printable(load.spec.stream), load.spec.load,
                    WordOf(load.phase), ProgressOf(load),
                    Printable(DestinationIn(load.definition))});
  }
  return rows;
}

Status AddJob(const std::string& job, StateStore& state, Outcome* outcome) {
  ARROW_ASSIGN_OR_RAISE(const auto holder, state.Holder(job));
  ARROW_ASSIGN_OR_RAISE(const auto loads, state.Loads(job, kLoadsAsked));
  ARROW_ASSIGN_OR_RAISE(auto runs, state.Runs(job, kRunsAsked));
  const std::optional<RunRecord> success = LastSuccess(runs);
  runs.resize(std::min(runs.size(), static_cast<size_t>(kRunsShown)));
  const bool held = holder && holder->held;
  LoadRows rows = RowsOf(loads);
  const std::string next = NextStep(job, held, rows.unfinished, runs);
  nlohmann::ordered_json json = {{"job", job}, {"holder", nullptr}};
  if (held) {
    const RunRecord* run = FindRun(runs, holder->run);
    json["holder"] = {{"host", holder->host},
                      {"pid", holder->pid},
                      {"run", holder->run},
                      {"since", run == nullptr ? "" : FormatTime(run->started_millis)},
                      {"expires_in_seconds", holder->expires_in_millis / 1000}};
  }
  json["last_success"] = nullptr;
  if (success) json["last_success"] = RunJson(*success);
  json["next"] = next;
  json["loads"] = std::move(rows.json);
  TextTable run_table("llll");
  json["runs"] = nlohmann::ordered_json::array();
  for (const RunRecord& run : runs) {
    json["runs"].push_back(RunJson(run));
    run_table.Add({"run", run.run, FormatTime(run.started_millis), EndOf(run, holder)});
  }
  outcome->text += fmt::format("{}  {}, {}\n", Printable(job), HolderText(holder, runs),
                               SuccessText(success));
  outcome->text += rows.table.ToString("  ") + run_table.ToString("  ");
  if (!next.empty()) outcome->text += "  next  " + next + "\n";
  outcome->text += "\n";
  (*outcome->members)["jobs"].push_back(std::move(json));
  return Status::OK();
}

Status ShowState(const Arguments& arguments, Outcome* outcome) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, StatePath(arguments.Value("--state")));
  (*outcome->members)["state"] = ShownState(path);
  (*outcome->members)["jobs"] = nlohmann::ordered_json::array();
  std::vector<std::string> jobs;
  if (!arguments.positionals.empty()) {
    ARROW_ASSIGN_OR_RAISE(std::string job, JobNameOf(arguments));
    jobs.push_back(std::move(job));
  }
  ARROW_ASSIGN_OR_RAISE(const auto state, OpenStateIfThere(path, StateAccess::kReadOnly));
  if (state == nullptr) {
    outcome->text =
        fmt::format("no run yet: there is no state at {}\n", Printable(ShownState(path)));
    return Status::OK();
  }
  std::vector<std::string> known;
  ARROW_RETURN_NOT_OK(state->Jobs(&known));
  if (jobs.empty()) {
    jobs = known;
  } else if (std::find(known.begin(), known.end(), jobs[0]) == known.end()) {
    outcome->text = fmt::format("no run yet of job {}\n", Printable(jobs[0]));
    return Status::OK();
  }
  for (const std::string& job : jobs) ARROW_RETURN_NOT_OK(AddJob(job, *state, outcome));
  if (jobs.empty()) outcome->text = "no run yet\n";
  return Status::OK();
}

}  // namespace

Outcome StatusVerb(const Invocation& invocation) {
  Outcome outcome;
  outcome.error = ShowState(invocation.arguments, &outcome);
  return outcome;
}

}  // namespace sluice::cli
