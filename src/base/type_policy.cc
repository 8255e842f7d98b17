#include "base/type_policy.h"

#include <algorithm>
#include <array>
#include <string>

namespace sluice {
namespace {

constexpr auto kPolicies = std::to_array<TypePolicy>({
    {"zero_date", "error null string", "",
     "a date that is none, such as 0000-00-00 or 2024-00-10"},
    {"tinyint1", "int bool", "int", "TINYINT(1)"},
    {"unsigned", "widen native", "widen",
     "UNSIGNED integers: of the next larger signed type, or unsigned themselves"},
    {"wide_decimal", "string decimal256", "string", "DECIMAL of more than 38 digits"},
    {"time", "string time64 micros", "string",
     "TIME: the server's text, a time of day, or a number of microseconds"},
    {"invalid_utf8", "error replace binary", "",
     "text that is not valid in its character set"},
    {"uuid", "plain fixed", "plain",
     "BINARY(16) and UUID: as they are, or as a UUID of 16 bytes"},
    {"enum_error", "error null empty", "", "the error value of an ENUM, its number 0"},
    {"geometry", "wkb ewkb", "wkb",
     "GEOMETRY: without its SRID, which is in the field's metadata, or with it"},
});

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool SameIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, Lower, Lower);
}

const std::string* FindPolicy(const Policies& policies, std::string_view name) {
  for (const auto& [policy, word] : policies) {
    if (policy == name) return &word;
  }
  return nullptr;
}

const std::string* FindOfType(const Relation& relation, std::string_view name,
                              std::string_view type) {
  for (const auto& [of, policies] : relation.type_policies) {
    if (!SameIgnoringCase(of, type)) continue;
    if (const std::string* word = FindPolicy(policies, name)) return word;
  }
  return nullptr;
}

}  // namespace

std::span<const TypePolicy> TypePolicies() { return kPolicies; }

const TypePolicy* FindTypePolicy(std::string_view name) {
  for (const TypePolicy& policy : kPolicies) {
    if (policy.name == name) return &policy;
  }
  return nullptr;
}

bool HasWord(const TypePolicy& policy, std::string_view word) {
  if (word.empty() || word.find(' ') != std::string_view::npos) return false;
  for (std::string_view rest = policy.words; !rest.empty();) {
    const size_t space = std::min(rest.find(' '), rest.size());
    if (rest.substr(0, space) == word) return true;
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  return false;
}

std::string_view PolicyOf(const Relation& relation, std::string_view policy,
                          std::string_view source_type, std::string_view column) {
  for (const auto& [of, policies] : relation.column_policies) {
    if (of != column) continue;
    if (const std::string* word = FindPolicy(policies, policy)) return *word;
  }
  if (const std::string* word = FindOfType(relation, policy, source_type)) return *word;
  const std::string_view first = source_type.substr(0, source_type.find_first_of(" ("));
  if (const std::string* word = FindOfType(relation, policy, first)) return *word;
  if (const std::string* word = FindPolicy(relation.policies, policy)) return *word;
  const TypePolicy* known = FindTypePolicy(policy);
  return known == nullptr ? std::string_view() : known->default_word;
}

}  // namespace sluice
