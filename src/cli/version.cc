#include "sluice/version.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/connectors.h"
#include "base/nearest.h"
#include "cli/topics.h"
#include "cli/verbs.h"

namespace sluice::cli {

Outcome Version(const Invocation&) {
  Outcome outcome;
  (*outcome.members)["version"] = sluice::kVersion;
  (*outcome.members)["types"] = kTypesVersion;
  (*outcome.members)["manifest"] = kManifestVersion;
  (*outcome.members)["digest"] = kDigestVersion;
  outcome.text = fmt::format("sluice {}", sluice::kVersion);
  std::string libraries;
  for (const LibraryVersion& library : LibraryVersions()) {
    (*outcome.members)["libraries"][library.name] = library.version;
    libraries += fmt::format("{}{} {}", libraries.empty() ? "" : ", ", library.name,
                             library.version);
  }
  outcome.text += fmt::format(" ({})\n", libraries);
  return outcome;
}

Outcome Help(const Invocation& invocation) {
  Outcome outcome;
  const bool manual = invocation.arguments.Has("--man");
  if (invocation.arguments.positionals.empty()) {
    outcome.text = manual ? ManualOf(nullptr) : OverallHelp();
    return outcome;
  }
  const std::vector<std::string>& asked = invocation.arguments.positionals;
  const std::string& name = asked.front();
  const Topic* topic = FindTopic(name);
  if (topic != nullptr && !manual && asked.size() == 1) {
    outcome.text = topic->text();
    return outcome;
  }
  const Verb* verb = FindVerb(name);
  if (verb == nullptr) {
    std::vector<std::string> names;
    for (const Verb& each : Verbs()) names.emplace_back(each.name);
    for (const Topic& each : Topics()) names.emplace_back(each.name);
    const std::string meant = DidYouMean(name, names);
    return Failed(Error(ErrorKind::kUsage, "cli.unknown-verb",
                        "no such verb or topic: " + name,
                        meant.empty() ? "sluice help lists them" : meant));
  }
  // "job init" is typed as it is run.
  if (asked.size() > 1 && verb->arguments.find(asked[1]) == std::string_view::npos) {
    return Failed(Error(ErrorKind::kUsage, "cli.arguments",
                        fmt::format("sluice {} has no {}", name, asked[1]),
                        fmt::format("sluice help {} shows what it has", name)));
  }
  outcome.text = manual ? ManualOf(verb) : HelpOf(*verb);
  return outcome;
}

}  // namespace sluice::cli
