#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/inspect.h"
#include "cli/console.h"
#include "cli/describe.h"
#include "cli/request.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

Result<std::vector<CheckItem>> CheckOne(const Arguments& arguments) {
  const std::string& argument = arguments.positionals[0];
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

}  // namespace

Outcome Check(const Invocation& invocation) {
  const auto items = CheckAll(invocation.arguments);
  if (!items.ok()) return Failed(items.status());
  Outcome outcome;
  (*outcome.members)["checks"] = nlohmann::ordered_json::array();
  TextTable table("llll");
  for (const CheckItem& item : *items) {
    nlohmann::ordered_json json = {{"what", item.what},
                                   {"place", item.place},
                                   {"ok", item.status.ok()},
                                   {"detail", item.detail},
                                   {"error", ErrorJson(item.status)}};
    if (item.verdict) json["probe"] = ProbeJson(*item.verdict);
    (*outcome.members)["checks"].push_back(std::move(json));
    const std::string detail = item.status.ok() ? item.detail : item.status.message();
    table.Add({item.status.ok() ? "ok" : "FAILED", item.what, Printable(item.place),
               Printable(detail)});
    outcome.exit_code = WorstExitCode(outcome.exit_code, ExitCodeOf(item.status));
    if (outcome.error.ok()) outcome.error = InContext(item.status, item.what);
  }
  outcome.text = table.ToString();
  return outcome;
}

}  // namespace sluice::cli
