#include "sluice/version.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/connectors.h"
#include "base/nearest.h"
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
  const std::string& name = invocation.arguments.positionals.front();
  const Verb* verb = FindVerb(name);
  if (verb == nullptr) {
    std::vector<std::string> names;
    for (const Verb& each : Verbs()) names.emplace_back(each.name);
    const std::string meant = DidYouMean(name, names);
    return Failed(Error(ErrorKind::kUsage, "cli.unknown-verb", "unknown verb " + name,
                        meant.empty() ? "sluice --help lists the verbs" : meant));
  }
  outcome.text = manual ? ManualOf(verb) : HelpOf(*verb);
  return outcome;
}

}  // namespace sluice::cli
