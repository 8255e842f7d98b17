#include "app/column_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "arrow/type.h"
#include "arrow/type_traits.h"
#include "arrow/util/key_value_metadata.h"

namespace sluice {
namespace {

constexpr std::string_view kPrefix = "sluice.";
/// Of the field's metadata, what is shown elsewhere or says nothing of its values.
constexpr auto kShownElsewhere = std::to_array<std::string_view>(
    {"source_type", "key", "collation", "comment", "logical_type", "srid"});

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string Metadata(const arrow::Field& field, std::string_view name) {
  if (field.metadata() == nullptr) return {};
  return field.metadata()->Get(std::string(kPrefix) + std::string(name)).ValueOr("");
}

bool HasAny(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [text](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

/// "bigint(20) unsigned" -> "bigint".
std::string_view Name(std::string_view type) {
  return type.substr(0, type.find_first_of(" ("));
}

void AddCoercions(const arrow::Field& field, std::vector<std::string>* notes) {
  const std::string type = Lower(SourceTypeOf(field));
  const arrow::Type::type to = field.type()->id();
  const std::string_view name = Name(type);
  const bool is_unsigned = HasAny(type, {"unsigned"}) && name != "decimal";
  const bool is_text = HasAny(type, {"char", "text", "clob", "string"});
  const bool is_list = name == "enum" || name == "set";
  if (to == arrow::Type::STRING && is_list) {
    notes->emplace_back("its words");
  } else if (to == arrow::Type::STRING && !type.empty() && !is_text) {
    notes->emplace_back(name == "decimal" ? "text: no decimal is as wide" : "text");
  } else if (is_unsigned && to == arrow::Type::DECIMAL128) {
    notes->emplace_back("a decimal: unsigned 64 bits are rarely read");
  } else if (is_unsigned && arrow::is_integer(to)) {
    notes->emplace_back("the next wider signed integer");
  } else if (name == "bit" && to != arrow::Type::BOOL) {
    notes->emplace_back("bits as a number");
  }
  const std::string srid = Metadata(field, "srid");
  if (!srid.empty()) notes->push_back("WKB, SRID " + srid);
  const std::string collation = Metadata(field, "collation");
  const std::string charset = collation.substr(0, collation.find('_'));
  if (to == arrow::Type::STRING && !charset.empty() && !charset.starts_with("utf8") &&
      charset != "ascii" && charset != "binary" && charset != "BINARY" &&
      charset != "NOCASE" && charset != "RTRIM")
    notes->push_back("converted from " + charset);
}

void AddPolicies(const Policies& policies, std::vector<std::string>* notes) {
  for (const auto& [policy, word] : policies)
    notes->push_back(fmt::format("{}: {}", policy, word));
}

}  // namespace

std::string SourceTypeOf(const arrow::Field& field) {
  return Metadata(field, "source_type");
}

std::vector<std::string> NotesOf(const Relation& relation, const arrow::Field& field) {
  std::vector<std::string> notes;
  AddCoercions(field, &notes);
  if (field.metadata() != nullptr) {
    for (const auto& [key, value] : field.metadata()->sorted_pairs()) {
      if (!key.starts_with(kPrefix)) continue;
      const std::string_view name = std::string_view(key).substr(kPrefix.size());
      if (std::find(kShownElsewhere.begin(), kShownElsewhere.end(), name) !=
          kShownElsewhere.end())
        continue;
      notes.push_back(fmt::format("{}: {}", name, value));
    }
  }
  const std::string type = Lower(SourceTypeOf(field));
  for (const auto& [of_type, policies] : relation.type_policies)
    if (Lower(of_type) == Name(type)) AddPolicies(policies, &notes);
  const auto own = relation.column_policies.find(field.name());
  if (own != relation.column_policies.end()) AddPolicies(own->second, &notes);
  return notes;
}

std::vector<std::string> PoliciesOf(const Relation& relation) {
  std::vector<std::string> policies;
  if (relation.on_type_mismatch == OnTypeMismatch::kNull)
    policies.emplace_back("on_type_mismatch: null");
  if (relation.on_type_mismatch == OnTypeMismatch::kString)
    policies.emplace_back("on_type_mismatch: string");
  AddPolicies(relation.policies, &policies);
  return policies;
}

}  // namespace sluice
