#include "app/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/quantity.h"
#include "cli/console.h"
#include "cli/describe.h"
#include "cli/request.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

/// The worst of an item and of what was seen of it.
Level LevelOf(const CheckItem& item) {
  Level level = item.status.ok() ? Level::kOk : Level::kFailed;
  for (const Finding& finding : item.findings) level = std::max(level, finding.level);
  return level;
}

std::string Shown(Level level) {
  if (level == Level::kFailed) return "FAILED";
  return level == Level::kUnknown ? "not known" : WordOf(level);
}

Result<std::vector<CheckItem>> CheckOne(const Arguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const std::string argument, ArgumentOf(arguments));
  switch (SubjectOf(argument)) {
    case Subject::kJobFile: {
      ARROW_ASSIGN_OR_RAISE(const JobRequest request, FileRequest(arguments));
      return CheckJob(request);
    }
    case Subject::kSource: {
      ARROW_ASSIGN_OR_RAISE(const Endpoint source, ResolveSource(argument));
      return std::vector<CheckItem>{CheckSource(source)};
    }
    case Subject::kDestination: {
      ARROW_ASSIGN_OR_RAISE(const Endpoint destination, ResolveDestination(argument));
      return std::vector<CheckItem>{CheckDestination(destination)};
    }
  }
  return Status::Invalid("no such subject");
}

Result<std::vector<CheckItem>> CheckAll(const Arguments& arguments) {
  if (arguments.positionals.size() == 1) return CheckOne(arguments);
  ARROW_ASSIGN_OR_RAISE(const JobRequest request, CopyRequest(arguments));
  return CheckJob(request);
}

/// A part of the job is a line, what was seen of it are lines below.
nlohmann::ordered_json ItemJson(const CheckItem& item) {
  nlohmann::ordered_json json = {
      {"what", item.what},      {"place", item.place},
      {"ok", item.status.ok()}, {"level", WordOf(LevelOf(item))},
      {"detail", item.detail},  {"error", ErrorJson(item.status)}};
  if (item.verdict) json["probe"] = ProbeJson(*item.verdict);
  json["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : item.findings)
    json["findings"].push_back(FindingJson(finding));
  return json;
}

std::string ItemText(const CheckItem& item) {
  const std::string detail = item.status.ok() ? item.detail : item.status.message();
  std::string text = fmt::format("{:<9}  {}  {}\n{:<9}  {}\n", Shown(LevelOf(item)),
                                 item.what, Printable(item.place), "", Printable(detail));
  TextTable table("lll");
  for (const Finding& finding : item.findings) {
    // The first failure is the item's own.
    const bool is_told = finding.level == Level::kFailed &&
                         finding.status.message() == item.status.message();
    table.Add({Shown(finding.level), "  " + Printable(finding.name),
               is_told ? "(above)" : Printable(finding.detail)});
    if (!finding.hint.empty()) table.Add({"", "", "HINT: " + Printable(finding.hint)});
  }
  return text + table.ToString();
}

}  // namespace

Outcome Check(const Invocation& invocation) {
  const auto items = CheckAll(invocation.arguments);
  if (!items.ok()) return Failed(items.status());
  Outcome outcome;
  (*outcome.members)["checks"] = nlohmann::ordered_json::array();
  int64_t warnings = 0, unknown = 0, failed = 0;
  for (const CheckItem& item : *items) {
    (*outcome.members)["checks"].push_back(ItemJson(item));
    outcome.text += ItemText(item) + "\n";
    outcome.exit_code = WorstExitCode(outcome.exit_code, ExitCodeOf(item.status));
    if (outcome.error.ok()) outcome.error = InContext(item.status, item.what);
    bool is_told = item.status.ok();
    for (const Finding& finding : item.findings) {
      outcome.exit_code = WorstExitCode(outcome.exit_code, ExitCodeOf(finding.status));
      warnings += finding.level == Level::kWarning ? 1 : 0;
      unknown += finding.level == Level::kUnknown ? 1 : 0;
      failed += finding.level == Level::kFailed ? 1 : 0;
      is_told = is_told || finding.level == Level::kFailed;
    }
    if (!is_told) ++failed;
  }
  outcome.text += fmt::format("{} failed, {}, {} not known\n", failed,
                              Counted(warnings, "warning"), unknown);
  return outcome;
}

}  // namespace sluice::cli
