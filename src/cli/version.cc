#include "sluice/version.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/connectors.h"
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
  if (invocation.arguments.positionals.empty()) {
    outcome.text = OverallHelp();
    return outcome;
  }
  const std::string& name = invocation.arguments.positionals.front();
  const Verb* verb = FindVerb(name);
  if (verb == nullptr) {
    return Failed(Error(ErrorKind::kUsage, "cli.unknown-verb", "unknown verb " + name,
                        "sluice --help lists the verbs"));
  }
  outcome.text = HelpOf(*verb);
  return outcome;
}

}  // namespace sluice::cli
