/// \file
/// What of a column a reader of its file might not expect.
#pragma once

#include <string>
#include <vector>

#include "arrow/type_fwd.h"
#include "sluice/table.h"

namespace sluice {

/// The type as the source declares it; "" for none.
std::string SourceTypeOf(const arrow::Field& field);

/// Coercions ("text", "converted from latin1") and policies other than the contract's default
/// ("zero_date: null"), a few words each.
std::vector<std::string> NotesOf(const Relation& relation, const arrow::Field& field);

/// Policies that hold for every column of the relation.
std::vector<std::string> PoliciesOf(const Relation& relation);

}  // namespace sluice
