#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/connectors.h"
#include "base/nearest.h"
#include "cli/console.h"
#include "cli/topics.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

nlohmann::ordered_json JsonOf(const ConnectorInfo& connector) {
  nlohmann::ordered_json options = nlohmann::ordered_json::array();
  for (const ConnectorOption& option : connector.options) {
    options.push_back(
        {{"name", option.name}, {"values", option.values}, {"meaning", option.meaning}});
  }
  return {{"scheme", connector.scheme},
          {"role", connector.is_source ? "source" : "destination"},
          {"form", connector.form},
          {"options", std::move(options)}};
}

bool IsAsked(const ConnectorInfo& connector, std::string_view scheme) {
  return scheme.empty() || connector.scheme == scheme;
}

std::string LinesOf(bool sources, std::string_view scheme) {
  std::string text;
  for (const ConnectorInfo& connector : sluice::Connectors()) {
    if (connector.is_source != sources || !IsAsked(connector, scheme)) continue;
    if (text.empty()) text = sources ? "Sources:\n" : "Destinations:\n";
    text += fmt::format("  {:<9}{}\n", connector.scheme, connector.form);
    TextTable options("lll");
    for (const ConnectorOption& option : connector.options) {
      options.Add({std::string(option.name), std::string(option.values),
                   std::string(option.meaning)});
    }
    text += options.ToString("           ");
  }
  return text;
}

}  // namespace

std::string ConnectorLines(std::string_view scheme) {
  const std::string sources = LinesOf(/*sources=*/true, scheme);
  const std::string destinations = LinesOf(/*sources=*/false, scheme);
  return sources + (sources.empty() || destinations.empty() ? "" : "\n") + destinations;
}

Outcome Connectors(const Invocation& invocation) {
  const auto& asked = invocation.arguments.positionals;
  std::string scheme = asked.empty() ? "" : asked[0];
  scheme = scheme.substr(0, scheme.find(':'));
  Outcome outcome;
  auto& connectors = (*outcome.members)["connectors"] = nlohmann::ordered_json::array();
  std::vector<std::string> schemes;
  for (const ConnectorInfo& connector : sluice::Connectors()) {
    schemes.emplace_back(connector.scheme);
    if (IsAsked(connector, scheme)) connectors.push_back(JsonOf(connector));
  }
  if (connectors.empty()) {
    const std::string meant = DidYouMean(scheme, schemes);
    return Failed(Error(ErrorKind::kUsage, "uri.unknown-scheme",
                        fmt::format("unknown scheme {}:", scheme),
                        meant.empty() ? "sluice connectors lists them" : meant));
  }
  outcome.text = ConnectorLines(scheme) +
                 "\nOptions are query parameters: s3://bucket/prefix?region=eu-west-1\n";
  return outcome;
}

}  // namespace sluice::cli
