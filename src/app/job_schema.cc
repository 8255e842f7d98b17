#include "app/job_schema.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/job_keys.h"
#include "app/settings.h"
#include "base/type_policy.h"

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kSizePattern[] = "^[0-9]+ ?([kKmMgGtT]?[bB]|[kKmMgGtT][iI][bB])?$";
constexpr char kRatePattern[] = "^[0-9]+ ?([kKmMgGtT]?[bB]|[kKmMgGtT][iI][bB])?/s$";
constexpr char kCompressionPattern[] = "^(zstd(:0*([1-9]|1[0-9]|2[0-2]))?|snappy|none)$";
constexpr char kPathPattern[] =
    "^\\{schema\\}/\\{table\\}/(?=(.*[/=])?\\{load\\}(/|$))([-A-Za-z0-9_.=+,@!/]|"
    "\\{(schema|table|stream|job|load|date|year|month|day|hour)\\})*$";
constexpr char kNamePattern[] = "^[^./\\\\\\x00-\\x1f\\x7f][^/\\\\\\x00-\\x1f\\x7f]*$";
constexpr char kReferencePattern[] = "^\\$\\{(env|file|cmd):[^}]+\\}$";

/// The words of a policy or a key; an unquoted null is one of them.
Json WordsOf(std::string_view words) {
  Json list = Json::array();
  for (std::string_view rest = words; !rest.empty();) {
    const size_t space = std::min(rest.find(' '), rest.size());
    list.push_back(std::string(rest.substr(0, space)));
    if (rest.substr(0, space) == "null") list.push_back(nullptr);
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  return list;
}

Json PropertiesOf(JobSection section);

Json SectionOf(JobSection section) {
  return {{"type", {"object", "null"}},
          {"additionalProperties", false},
          {"properties", PropertiesOf(section)}};
}

/// YAML takes a text of digits for a number; here it is text.
Json TextOf(const JobKey& key) {
  Json shape = {{"type", {"string", "number"}}, {"minLength", 1}};
  if (key.name == "name") {
    shape = {{"type", {"string", "integer"}}, {"minLength", 1}, {"maxLength", 120}};
    shape["pattern"] = kNamePattern;
  }
  if (key.name == "compression")
    shape = {{"type", "string"}, {"pattern", kCompressionPattern}};
  if (key.name == "path") shape = {{"type", "string"}, {"pattern", kPathPattern}};
  return shape;
}

/// With what keys of one stream exclude each other.
Json StreamOf() {
  Json stream = SectionOf(kInStream);
  stream["dependentSchemas"] = {
      {"sql", {{"properties", {{"columns", false}, {"where", false}}}}},
      {"exclude", {{"maxProperties", 1}}}};
  return stream;
}

Json ShapeOf(const JobKey& key) {
  switch (key.shape) {
    case KeyShape::kVersion: return {{"const", 1}};
    case KeyShape::kText: return TextOf(key);
    case KeyShape::kNumber:
      return {{"type", "integer"}, {"minimum", key.min}, {"maximum", key.max}};
    case KeyShape::kSize:
      return {{"type", {"string", "integer"}},
              {"pattern", kSizePattern},
              {"minimum", key.name == "memory" ? kMemoryMin : kFileSizeMin},
              {"maximum", key.name == "memory" ? kMemoryMax : kFileSizeMax}};
    case KeyShape::kRate: return {{"type", "string"}, {"pattern", kRatePattern}};
    case KeyShape::kWord: return {{"enum", WordsOf(key.words)}};
    case KeyShape::kTextList:
      return {{"type", "array"},
              {"minItems", 1},
              {"uniqueItems", true},
              {"items", {{"type", {"string", "number"}}, {"minLength", 1}}}};
    case KeyShape::kTrue: return {{"const", true}};
    case KeyShape::kStreams:
      return {{"type", "object"},
              {"minProperties", 1},
              {"propertyNames", {{"minLength", 1}}},
              {"additionalProperties", {{"$ref", "#/$defs/stream"}}}};
    case KeyShape::kSection:
      return SectionOf(key.name == "limits" ? kInLimits : kInDefaults);
    case KeyShape::kSecrets:
      return {{"type", {"object", "null"}},
              {"additionalProperties", false},
              {"properties",
               {{std::string(kSourcePassword),
                 {{"type", "string"}, {"pattern", kReferencePattern}}}}}};
    case KeyShape::kPolicies:
      return {{"type", "object"},
              {"additionalProperties", {{"$ref", "#/$defs/policies"}}}};
    case KeyShape::kLater: break;
  }
  return Json::object();
}

std::string DescriptionOf(const JobKey& key) {
  if (key.fallback.empty() || key.fallback == "required") return std::string(key.help);
  return fmt::format("{}; default: {}", key.help, key.fallback);
}

Json PropertiesOf(JobSection section) {
  Json properties = Json::object();
  for (const JobKey& key : JobKeys()) {
    if ((key.sections & section) == 0 || key.shape == KeyShape::kLater) continue;
    Json& property = properties[std::string(key.name)] = ShapeOf(key);
    property["description"] = DescriptionOf(key);
  }
  return properties;
}

Json PolicyProperties() {
  Json properties = {{"on_type_mismatch", {{"enum", WordsOf("error null string")}}}};
  for (const TypePolicy& policy : TypePolicies()) {
    properties[std::string(policy.name)] = {{"enum", WordsOf(policy.words)},
                                            {"description", std::string(policy.help)}};
  }
  return properties;
}

std::string WordList(const JobKey& key) {
  std::string words;
  for (std::string_view rest = key.words; !rest.empty();) {
    const size_t space = std::min(rest.find(' '), rest.size());
    words += fmt::format("{}`{}`", words.empty() ? ": " : ", ", rest.substr(0, space));
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  return words;
}

/// Prose as it is; what could stand in the file as code.
std::string Fallback(std::string_view text) {
  if (text.empty() || text.find(' ') != std::string_view::npos || text == "required" ||
      text == "none" || text == "all" || text == "unbounded")
    return std::string(text);
  return fmt::format("`{}`", text);
}

std::string TableOf(JobSection section, std::string_view prefix, unsigned but = 0) {
  std::string table = "| key | holds | default |\n|---|---|---|\n";
  for (const JobKey& key : JobKeys()) {
    if ((key.sections & section) == 0 || (key.sections & but) != 0 ||
        key.shape == KeyShape::kLater)
      continue;
    table += fmt::format("| `{}{}` | {}{} | {} |\n", prefix, key.name, key.help,
                         WordList(key), Fallback(key.fallback));
  }
  return table;
}

}  // namespace

std::string JobSchema() {
  Json required = Json::array();
  for (const JobKey& key : JobKeys()) {
    if (key.fallback == "required") required.push_back(std::string(key.name));
  }
  const Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                       {"title", "sluice job file, version 1"},
                       {"type", "object"},
                       {"additionalProperties", false},
                       {"required", required},
                       {"properties", PropertiesOf(kAtTop)},
                       {"$defs",
                        {{"stream", StreamOf()},
                         {"policies",
                          {{"type", "object"},
                           {"additionalProperties", false},
                           {"properties", PolicyProperties()}}}}}};
  return schema.dump(2) + "\n";
}

std::string JobReference() {
  return fmt::format(
      "At the top of the file:\n\n{}\nUnder `limits`:\n\n{}\nOf a stream alone, all "
      "optional:\n\n{}\nOf a stream, or under `defaults` for all of them:\n\n{}",
      TableOf(kAtTop, ""), TableOf(kInLimits, "limits."),
      TableOf(kInStream, "", kInDefaults), TableOf(kInDefaults, ""));
}

}  // namespace sluice
