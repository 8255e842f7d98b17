/// \file
/// What becomes of values that do not fit, column by column. Of all policies (docs/types.md) only
/// on_type_mismatch concerns SQLite.
#pragma once

#include <string>
#include <string_view>

#include "driver/sqlite.h"
#include "sluice/error.h"
#include "sluice/table.h"
#include "source/sqlite_query.h"

namespace sluice::sqlite {

/// The column's own word, its type's, or the relation's. kUsage "source.policy".
Result<OnTypeMismatch> MismatchPolicyOf(const Relation& relation,
                                        std::string_view declared,
                                        std::string_view column);

/// kUsage "source.policy" for a policy that is none of SQLite's.
Status CheckColumnPolicies(const Policies& policies, std::string_view column);

/// Where the policy says so, columns that hold a misfit become text.
Status MakeTextOfMisfits(Database& database, RelationFacts& facts);

}  // namespace sluice::sqlite
