#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/inspect.h"
#include "app/quantity.h"
#include "cli/console.h"
#include "cli/describe.h"
#include "cli/request.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

std::string NextText(const StreamPlan& stream) {
  if (!stream.unfinished) return "a new load";
  const LoadState& load = *stream.unfinished;
  const std::string what = fmt::format("load {} ({}, {})", load.spec.load,
                                       ToString(load.phase), ProgressOf(load));
  switch (stream.next) {
    case NextStep::kNewLoad: return "a new load";
    case NextStep::kResume: return "resumes " + what;
    case NextStep::kRefuseChanged:
      return "stops: the definition or the table differs from " + what;
  }
  return what;
}

const char* NextWord(NextStep next) {
  switch (next) {
    case NextStep::kNewLoad: return "new";
    case NextStep::kResume: return "resume";
    case NextStep::kRefuseChanged: return "changed";
  }
  return "new";
}

nlohmann::ordered_json StreamJson(const StreamPlan& stream) {
  nlohmann::ordered_json json = {{"stream", stream.spec.name},
                                 {"error", ErrorJson(stream.status)}};
  if (stream.status.ok()) {
    json["key"] = stream.table.key;
    json["estimated_rows"] = stream.table.estimated_rows;
    json["chunks_estimate"] = stream.chunks_estimate;
    json["columns"] = ColumnsJson(stream.table);
  }
  json["where"] = stream.spec.relation.where;
  json["next"] = NextWord(stream.next);
  if (stream.unfinished) {
    const ChunkCounts counts = CountChunks(*stream.unfinished);
    json["load"] = stream.unfinished->spec.load;
    json["phase"] = ToString(stream.unfinished->phase);
    json["chunks_staged"] = counts.staged;
    json["rows_staged"] = counts.rows;
  }
  return json;
}

std::string StreamText(const StreamPlan& stream) {
  const std::string name = Printable(stream.spec.name);
  if (!stream.status.ok()) {
    return fmt::format("{}\n  cannot be copied: {}\n\n", name,
                       Printable(stream.status.message()));
  }
  std::string text =
      fmt::format("{}  about {} in about {}, key: {}\n", name,
                  Counted(stream.table.estimated_rows, "row"),
                  Counted(stream.chunks_estimate, "chunk"), KeyLine(stream.table));
  if (!stream.spec.relation.where.empty())
    text += fmt::format("  where {}\n", Printable(stream.spec.relation.where));
  text += ColumnLines(stream.table, "  ");
  return text + fmt::format("  next: {}\n\n", NextText(stream));
}

std::string HeadText(const JobPlan& plan, const std::vector<SettingShown>& settings) {
  TextTable table("ll");
  table.Add({"job", Printable(plan.located.job.name)});
  table.Add({"source", Printable(plan.source)});
  std::string probe = "not probed yet; check and run probe it";
  if (plan.probe) {
    probe = fmt::format("{} (probed {})", plan.probe->first.detail,
                        FormatAge(plan.probe->second));
  }
  table.Add({"destination", Printable(plan.located.destination.uri)});
  table.Add({"", Printable(probe)});
  table.Add({"state", Printable(plan.located.state_path) +
                          (plan.state_exists ? "" : " (does not exist yet)")});
  for (const SettingShown& setting : settings) {
    table.Add({setting.name, fmt::format("{} ({})", setting.value, setting.origin)});
  }
  return table.ToString() + "\n";
}

}  // namespace

Outcome Plan(const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  const auto request =
      arguments.positionals.size() == 2 ? CopyRequest(arguments) : FileRequest(arguments);
  if (!request.ok()) return Failed(request.status());
  const auto plan = PlanJob(*request);
  if (!plan.ok()) return Failed(plan.status());
  const std::vector<SettingShown> settings = ShownSettings(*request);
  Outcome outcome;
  outcome.text = HeadText(*plan, settings);
  (*outcome.members)["job"] = plan->located.job.name;
  (*outcome.members)["source"] = plan->source;
  (*outcome.members)["destination"] = plan->located.destination.uri;
  (*outcome.members)["probe"] = nullptr;
  if (plan->probe) {
    (*outcome.members)["probe"] = ProbeJson(plan->probe->first);
    (*outcome.members)["probe"]["age_seconds"] = plan->probe->second / 1000;
  }
  (*outcome.members)["state"] = {{"path", plan->located.state_path},
                                 {"exists", plan->state_exists}};
  for (const SettingShown& setting : settings) {
    (*outcome.members)["settings"][setting.name] = {{"value", setting.value},
                                                    {"origin", setting.origin}};
  }
  (*outcome.members)["streams"] = nlohmann::ordered_json::array();
  for (const StreamPlan& stream : plan->streams) {
    (*outcome.members)["streams"].push_back(StreamJson(stream));
    outcome.text += StreamText(stream);
    // The plan of a job that cannot run is shown, and is an error.
    if (!stream.status.ok()) {
      outcome.exit_code = WorstExitCode(outcome.exit_code, ExitCodeOf(stream.status));
      if (outcome.error.ok())
        outcome.error = InContext(stream.status, "stream " + stream.spec.name);
    }
  }
  return outcome;
}

}  // namespace sluice::cli
