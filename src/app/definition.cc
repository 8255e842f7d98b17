#include "app/definition.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "base/vocabulary_json.h"

namespace sluice {

std::string DefinitionOf(const StreamSpec& stream, const std::string& source_uri,
                         const std::string& destination_uri) {
  nlohmann::json definition = {
      {"table",
       {{"schema", stream.relation.name.schema}, {"table", stream.relation.name.table}}},
      {"columns", stream.relation.columns},
      {"where", stream.relation.where},
      {"on_type_mismatch", ToString(stream.relation.on_type_mismatch)},
      {"mode", "full"},
      {"format", "parquet"},
      {"compression", fmt::format("{}:{}", stream.compression, stream.compression_level)},
      {"file_size", stream.file_size},
      {"source", source_uri},
      {"destination", destination_uri},
  };
  // Named only where something is said: definitions of earlier versions stay what they were.
  const Relation& relation = stream.relation;
  if (!relation.sql.empty()) definition["sql"] = relation.sql;
  if (!relation.policies.empty()) definition["policies"] = relation.policies;
  if (!relation.type_policies.empty())
    definition["type_policies"] = relation.type_policies;
  if (!relation.column_policies.empty())
    definition["column_policies"] = relation.column_policies;
  if (!stream.path.empty()) definition["path"] = stream.path;
  return DumpJson(definition);
}

std::vector<std::string> DifferencesOf(const std::string& before,
                                       const std::string& now) {
  if (before == now) return {};
  const auto old_one = nlohmann::json::parse(before, nullptr, /*allow_exceptions=*/false);
  const auto new_one = nlohmann::json::parse(now, nullptr, /*allow_exceptions=*/false);
  // Texts of a form that is not known, or only written otherwise: a run compares texts.
  const std::vector<std::string> unknown = {"the definition"};
  if (!old_one.is_object() || !new_one.is_object()) return unknown;
  auto all = old_one;
  all.update(new_one);
  std::vector<std::string> differences;
  for (const auto& [name, value] : all.items()) {
    const auto was = old_one.value(name, nlohmann::json());
    const auto is = new_one.value(name, nlohmann::json());
    if (was == is) continue;
    differences.push_back(
        fmt::format("{} was {} and is {}", name, DumpJson(was), DumpJson(is)));
  }
  return differences.empty() ? unknown : differences;
}

std::string DestinationIn(const std::string& definition) {
  const auto json =
      nlohmann::json::parse(definition, nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json.value("destination", "") : "";
}

std::string CopyJobName(const std::string& source_uri,
                        const std::string& destination_uri) {
  return "copy-" + Sha256Hex(source_uri + '\n' + destination_uri).substr(0, 12);
}

}  // namespace sluice
