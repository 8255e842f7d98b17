#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/inspect.h"
#include "app/quantity.h"
#include "base/vocabulary_json.h"
#include "cli/console.h"
#include "cli/describe.h"
#include "cli/request.h"
#include "cli/stream_plan.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

std::string FindingText(const Finding& finding) {
  if (finding.level == Level::kOk) return {};
  std::string text =
      fmt::format("{}  {}: {}\n", finding.level == Level::kFailed ? "FAILED" : "WARNING",
                  Printable(finding.name), Printable(finding.detail));
  if (!finding.hint.empty()) text += fmt::format("  HINT: {}\n", Printable(finding.hint));
  return text;
}

nlohmann::ordered_json FindingsJson(const std::vector<Finding>& findings) {
  auto list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) list.push_back(FindingJson(finding));
  return list;
}

std::string HeadText(const JobPlan& plan, const std::vector<SettingShown>& settings) {
  TextTable table("ll");
  table.Add({"job", Printable(plan.located.job.name)});
  table.Add({"source", Printable(plan.source)});
  if (!plan.server.why.empty()) table.Add({"", Printable(plan.server.why)});
  table.Add({"destination", Printable(plan.located.destination.uri)});
  table.Add({"", Printable(ProbeText(plan.probe))});
  table.Add({"state", Printable(ShownState(plan.located.state_path)) +
                          (plan.state_exists ? "" : " (does not exist yet)")});
  for (const SettingShown& setting : settings) {
    table.Add({setting.name, fmt::format("{} ({})", setting.value, setting.origin)});
  }
  std::string text = table.ToString();
  for (const Finding& finding : plan.server.findings) text += FindingText(finding);
  for (const Finding& finding : plan.destination) text += FindingText(finding);
  return text + "\n";
}

nlohmann::ordered_json ServerJson(const SourceFindings& server) {
  return {{"consistency", server.consistency
                              ? nlohmann::ordered_json(ToString(*server.consistency))
                              : nlohmann::ordered_json()},
          {"why", server.why},
          {"findings", FindingsJson(server.findings)}};
}

void AddFailure(const Status& failure, const std::string& context, Outcome* outcome) {
  outcome->exit_code = WorstExitCode(outcome->exit_code, ExitCodeOf(failure));
  if (outcome->error.ok()) outcome->error = InContext(failure, context);
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
  (*outcome.members)["server"] = ServerJson(plan->server);
  (*outcome.members)["destination"] = plan->located.destination.uri;
  (*outcome.members)["destination_findings"] = FindingsJson(plan->destination);
  (*outcome.members)["probe"] = ProbeJson(plan->probe);
  (*outcome.members)["state"] = {{"path", ShownState(plan->located.state_path)},
                                 {"exists", plan->state_exists}};
  for (const SettingShown& setting : settings) {
    (*outcome.members)["settings"][setting.name] = {{"value", setting.value},
                                                    {"origin", setting.origin}};
  }
  (*outcome.members)["streams"] = nlohmann::ordered_json::array();
  for (const StreamPlan& stream : plan->streams) {
    (*outcome.members)["streams"].push_back(StreamJson(stream));
    outcome.text += StreamText(stream, plan->located.destination.uri);
    // The plan of a job that cannot run is shown, and is an error.
    for (const Status& failure : {stream.status, ChangedError(stream)})
      if (!failure.ok()) AddFailure(failure, "stream " + stream.spec.name, &outcome);
  }
  for (const Finding& finding : plan->server.findings)
    if (!finding.status.ok()) AddFailure(finding.status, finding.name, &outcome);
  outcome.text += TotalText(*plan);
  return outcome;
}

}  // namespace sluice::cli
