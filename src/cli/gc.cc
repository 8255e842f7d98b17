#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/collect.h"
#include "app/quantity.h"
#include "cli/console.h"
#include "cli/describe.h"
#include "cli/request.h"
#include "cli/signals.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

Result<CollectRequest> RequestFrom(const Arguments& arguments) {
  CollectRequest request;
  ARROW_ASSIGN_OR_RAISE(const std::string argument, ArgumentOf(arguments));
  if (SubjectOf(argument) == Subject::kJobFile) {
    JobRules rules = RulesFrom(arguments);
    rules.replacing = Replacing::kDestinations;
    ARROW_ASSIGN_OR_RAISE(const Job job, ReadJobFile(argument, rules));
    request.job = job.name;
    ARROW_ASSIGN_OR_RAISE(request.destinations, DestinationsOf(job));
  } else {
    ARROW_ASSIGN_OR_RAISE(Endpoint destination, ResolveDestination(argument));
    request.destinations.push_back(std::move(destination));
  }
  ARROW_ASSIGN_OR_RAISE(request.state_path, StatePath(arguments.Value("--state")));
  if (arguments.Has("--older-than")) {
    const auto age = ParseDurationMillis(arguments.Value("--older-than"));
    if (!age.ok()) return InContext(age.status(), "--older-than");
    request.older_than_millis = *age;
  }
  request.abandon = arguments.Values("--abandon");
  request.dry_run = arguments.Has("--dry-run");
  return request;
}

bool Acts(const CollectedLoad& load) {
  return load.act == CollectAct::kLeftovers || load.act == CollectAct::kDiscard;
}

}  // namespace

Outcome Gc(const Invocation& invocation) {
  Signals signals;
  const auto request = RequestFrom(invocation.arguments);
  if (!request.ok()) return Failed(request.status());
  const auto loads = Collect(*request, SystemClock(), signals.stop());
  if (!loads.ok()) return Failed(loads.status());
  Outcome outcome;
  (*outcome.members)["destination"] = request->destinations.front().uri;
  (*outcome.members)["dry_run"] = request->dry_run;
  (*outcome.members)["collected"] = nlohmann::ordered_json::array();
  TextTable table("lllrl");
  int64_t removed = 0, left = 0;
  for (const CollectedLoad& load : *loads) {
    (*outcome.members)["collected"].push_back({{"destination", load.destination},
                                               {"schema", load.table.schema},
                                               {"table", load.table.table},
                                               {"load", load.load},
                                               {"job", load.job},
                                               {"act", ToString(load.act)},
                                               {"leftovers", load.leftovers},
                                               {"removed", load.removed},
                                               {"why", load.why},
                                               {"error", ErrorJson(load.status)}});
    const char* word = !Acts(load)        ? "keep"
                       : request->dry_run ? "would remove"
                                          : "removed";
    table.Add({word, Printable(ToString(load.table)), load.load,
               Counted(request->dry_run || !Acts(load) ? load.leftovers : load.removed,
                       "object"),
               Printable(load.why)});
    removed += load.removed;
    left += Acts(load) ? 0 : 1;
    outcome.exit_code = WorstExitCode(outcome.exit_code, ExitCodeOf(load.status));
    if (outcome.error.ok()) outcome.error = InContext(load.status, "load " + load.load);
  }
  (*outcome.members)["removed"] = removed;
  outcome.text = table.ToString();
  outcome.text +=
      fmt::format("{} removed, {} kept{}\n", Counted(removed, "object"),
                  Counted(left, "unfinished load"), request->dry_run ? " (dry run)" : "");
  return outcome;
}

}  // namespace sluice::cli
