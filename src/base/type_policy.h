/// \file
/// What a user may choose about types (docs/types.md), once: flags, the keys of a job file, its
/// schema and the sources go by this table.
#pragma once

#include <span>
#include <string_view>

#include "sluice/table.h"

namespace sluice {

struct TypePolicy {
  std::string_view name;          ///< "zero_date"; its flag is --zero-date
  std::string_view words;         ///< "error null string": what may be said
  std::string_view default_word;  ///< "": goes by on_type_mismatch
  std::string_view help;          ///< a phrase, without the words
};

/// In the order of the documentation. Not `on_type_mismatch`: that is the relation's own.
std::span<const TypePolicy> TypePolicies();
/// nullptr when there is none of that name.
const TypePolicy* FindTypePolicy(std::string_view name);
bool HasWord(const TypePolicy& policy, std::string_view word);

/// The word that holds for a column of this relation: the column's own, else its type's, else the
/// relation's, else the default. Types are compared without case, as written ("decimal(65,30)")
/// and then by their first word ("decimal"); columns as written. "" where `policy` goes by
/// on_type_mismatch and nothing was said. Lives as long as the relation.
std::string_view PolicyOf(const Relation& relation, std::string_view policy,
                          std::string_view source_type, std::string_view column);

}  // namespace sluice
