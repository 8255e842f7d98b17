#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/connectors.h"
#include "cli/console.h"
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

std::string TextOf(bool sources) {
  std::string text = sources ? "Sources:\n" : "\nDestinations:\n";
  for (const ConnectorInfo& connector : sluice::Connectors()) {
    if (connector.is_source != sources) continue;
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

Outcome Connectors(const Invocation&) {
  Outcome outcome;
  (*outcome.members)["connectors"] = nlohmann::ordered_json::array();
  for (const ConnectorInfo& connector : sluice::Connectors())
    (*outcome.members)["connectors"].push_back(JsonOf(connector));
  outcome.text = TextOf(/*sources=*/true) + TextOf(/*sources=*/false) +
                 "\nOptions are query parameters: s3://bucket/prefix?region=eu-west-1\n";
  return outcome;
}

}  // namespace sluice::cli
