#include "app/type_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/nearest.h"

namespace sluice {
namespace {

using Names = std::vector<std::string>;

/// As information_schema.COLUMNS writes them, and what of the policies concerns each.
struct TypeOfServer {
  std::string_view name;
  std::string_view policies;
};
constexpr auto kTypes = std::to_array<TypeOfServer>({
    {"tinyint", "tinyint1 unsigned"},
    {"smallint", "unsigned"},
    {"mediumint", "unsigned"},
    {"int", "unsigned"},
    {"bigint", "unsigned"},
    {"decimal", "wide_decimal"},
    {"float", ""},
    {"double", ""},
    {"bit", ""},
    {"year", ""},
    {"date", "zero_date"},
    {"datetime", "zero_date"},
    {"timestamp", "zero_date"},
    {"time", "time"},
    {"char", "invalid_utf8"},
    {"varchar", "invalid_utf8"},
    {"tinytext", "invalid_utf8"},
    {"text", "invalid_utf8"},
    {"mediumtext", "invalid_utf8"},
    {"longtext", "invalid_utf8"},
    {"binary", "uuid"},
    {"varbinary", ""},
    {"tinyblob", ""},
    {"blob", ""},
    {"mediumblob", ""},
    {"longblob", ""},
    {"enum", "enum_error"},
    {"set", ""},
    {"json", ""},
    {"uuid", "uuid"},
    {"inet4", ""},
    {"inet6", ""},
    {"vector", ""},
    {"geometry", "geometry"},
    {"point", "geometry"},
    {"linestring", "geometry"},
    {"polygon", "geometry"},
    {"multipoint", "geometry"},
    {"multilinestring", "geometry"},
    {"multipolygon", "geometry"},
    {"geometrycollection", "geometry"},
    {"geomcollection", "geometry"},
});

/// What CREATE TABLE takes, and keeps under another name.
constexpr std::pair<std::string_view, std::string_view> kSynonyms[] = {
    {"integer", "int"},        {"bool", "tinyint(1)"}, {"boolean", "tinyint(1)"},
    {"numeric", "decimal"},    {"dec", "decimal"},     {"fixed", "decimal"},
    {"real", "double"},        {"int1", "tinyint"},    {"int2", "smallint"},
    {"int3", "mediumint"},     {"int4", "int"},        {"int8", "bigint"},
    {"character", "char"},     {"nchar", "char"},      {"nvarchar", "varchar"},
    {"middleint", "mediumint"}};

std::string FirstWord(std::string_view type) {
  std::string word(type.substr(0, type.find_first_of(" (")));
  for (char& c : word) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return word;
}

const TypeOfServer* Find(std::string_view word) {
  const auto* found = std::ranges::find(kTypes, word, &TypeOfServer::name);
  return found == kTypes.end() ? nullptr : found;
}

bool Concerns(std::string_view policy, const TypeOfServer& type) {
  std::string_view rest = type.policies;
  while (!rest.empty()) {
    const size_t space = std::min(rest.find(' '), rest.size());
    if (rest.substr(0, space) == policy) return true;
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  return false;
}

}  // namespace

bool HasKnownTypes(std::string_view scheme) {
  return scheme == "mysql" || scheme == "mariadb";
}

Status CheckTypeName(std::string_view type) {
  const std::string word = FirstWord(type);
  if (Find(word) != nullptr) return Status::OK();
  std::string hint;
  for (const auto& [said, meant] : kSynonyms)
    if (word == said) hint = fmt::format("the server calls it {}", meant);
  Names names;
  for (const TypeOfServer& each : kTypes) names.emplace_back(each.name);
  if (hint.empty()) hint = DidYouMean(word, names);
  if (hint.empty()) hint = fmt::format("there are {}", fmt::join(names, " "));
  return Error(ErrorKind::kUsage, "setting.type",
               fmt::format("the source has no type {}", type), std::move(hint));
}

Status CheckPolicyOfType(std::string_view type, std::string_view policy) {
  const TypeOfServer* known = Find(FirstWord(type));
  if (known == nullptr || policy == "on_type_mismatch" || Concerns(policy, *known))
    return Status::OK();
  Names names;
  for (const TypeOfServer& each : kTypes)
    if (Concerns(policy, each)) names.emplace_back(each.name);
  return Error(ErrorKind::kUsage, "setting.type",
               fmt::format("{} does not concern the type {}", policy, type),
               fmt::format("it goes with {}", fmt::join(names, " ")));
}

}  // namespace sluice
