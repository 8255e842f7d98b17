#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "app/connectors.h"
#include "app/job.h"
#include "app/quantity.h"
#include "cli/console.h"
#include "cli/describe.h"
#include "cli/request.h"
#include "cli/verbs.h"
#include "sluice/clock.h"

namespace sluice::cli {
namespace {

/// Asked for; of them the unfinished ones and each stream's newest are shown.
constexpr int kLoadsAsked = 10'000;
constexpr int kRunsShown = 5;

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
          {"rows", counts.rows},
          {"bytes", bytes},
          {"files", files},
          {"chunks_planned", counts.planned},
          {"chunks_staged", counts.staged},
          {"updated", FormatTime(load.updated_millis)}};
}

nlohmann::ordered_json RunJson(const RunRecord& run) {
  nlohmann::ordered_json json = {{"run", run.run},
                                 {"host", run.host},
                                 {"pid", run.pid},
                                 {"version", run.version},
                                 {"started", FormatTime(run.started_millis)},
                                 {"ended", nullptr},
                                 {"exit_code", nullptr}};
  if (run.ended_millis != 0) {
    json["ended"] = FormatTime(run.ended_millis);
    json["exit_code"] = run.exit_code;
  }
  return json;
}

std::string RunText(const RunRecord& run, const std::optional<LeaseHolder>& holder) {
  if (run.ended_millis != 0) {
    return fmt::format(
        "exit {} after {}", run.exit_code,
        FormatSeconds(static_cast<double>(run.ended_millis - run.started_millis) / 1000));
  }
  return holder && holder->held && holder->run == run.run ? "running"
                                                          : "did not end (killed?)";
}

std::string HolderText(const std::optional<LeaseHolder>& holder) {
  if (!holder || !holder->held) return "free";
  return fmt::format("held by process {} on {}, run {}", holder->pid, holder->host,
                     holder->run);
}

Status AddJob(const std::string& job, StateStore& state, Outcome* outcome) {
  ARROW_ASSIGN_OR_RAISE(const auto holder, state.Holder(job));
  ARROW_ASSIGN_OR_RAISE(const auto loads, state.Loads(job, kLoadsAsked));
  ARROW_ASSIGN_OR_RAISE(const auto runs, state.Runs(job, kRunsShown));
  nlohmann::ordered_json json = {{"job", job}, {"holder", nullptr}};
  if (holder && holder->held) {
    json["holder"] = {{"host", holder->host},
                      {"pid", holder->pid},
                      {"run", holder->run},
                      {"expires_in_seconds", holder->expires_in_millis / 1000}};
  }
  outcome->text += fmt::format("{}  {}\n", Printable(job), HolderText(holder));
  TextTable load_table("lllll");
  json["loads"] = nlohmann::ordered_json::array();
  std::set<std::string> streams;
  for (const LoadState& load : loads) {
    const bool finished = load.phase >= Phase::kCleaned;
    if (!streams.insert(load.spec.stream).second && finished) continue;
    json["loads"].push_back(LoadJson(load));
    load_table.Add({"load", Printable(load.spec.stream), load.spec.load,
                    ToString(load.phase), ProgressOf(load)});
  }
  TextTable run_table("llll");
  json["runs"] = nlohmann::ordered_json::array();
  for (const RunRecord& run : runs) {
    json["runs"].push_back(RunJson(run));
    run_table.Add({"run", run.run, FormatTime(run.started_millis), RunText(run, holder)});
  }
  outcome->text += load_table.ToString("  ") + run_table.ToString("  ") + "\n";
  (*outcome->members)["jobs"].push_back(std::move(json));
  return Status::OK();
}

/// The argument is a job file or, where there is no such file, a job's name.
Result<std::string> JobNameOf(const Arguments& arguments) {
  const std::string& argument = arguments.positionals[0];
  std::error_code error;
  if (!std::filesystem::exists(argument, error) && CheckJobName(argument).ok() &&
      SubjectOf(argument) != Subject::kJobFile) {
    return argument;
  }
  ARROW_ASSIGN_OR_RAISE(const Job job, ReadJobFile(argument, RulesFrom(arguments)));
  return job.name;
}

Status ShowState(const Arguments& arguments, Outcome* outcome) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, StatePath(arguments.Value("--state")));
  (*outcome->members)["state"] = path;
  (*outcome->members)["jobs"] = nlohmann::ordered_json::array();
  std::vector<std::string> jobs;
  if (!arguments.positionals.empty()) {
    ARROW_ASSIGN_OR_RAISE(std::string job, JobNameOf(arguments));
    jobs.push_back(std::move(job));
  }
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    outcome->text = fmt::format("no run yet: there is no state at {}\n", Printable(path));
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const auto state, OpenState(path, StateAccess::kReadOnly));
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
