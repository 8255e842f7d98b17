/// \file
/// What the policies of a relation (docs/types.md) make of the columns of MySQL and MariaDB. No I/O.
#pragma once

#include <string>
#include <vector>

#include "sluice/error.h"
#include "sluice/table.h"
#include "source/mysql_types.h"

namespace sluice::mysql {

/// What becomes of a value that does not fit its column's type.
enum class OnMisfit {
  kError,
  kNull,
  kReplace,  ///< U+FFFD where text is not valid
  kEmpty,    ///< the empty string
};
const char* NameOf(OnMisfit misfit);
Result<OnMisfit> OnMisfitFrom(std::string_view name);

/// A column as it is delivered.
struct Delivery {
  DeliveredType type;
  OnMisfit on_misfit = OnMisfit::kError;
  bool find_misfits = false;  ///< and be text, the whole column, where one is found
  bool as_stored = false;     ///< text as the bytes of its own character set
  std::string policy;  ///< "time=micros": what made another type of it; "" for none
};

/// kFailed "source.unsupported-type"; kUsage "source.policy" for a word that is none.
Result<Delivery> DeliveryOf(const Relation& relation, const std::string& column,
                            const DeclaredType& declared);

/// kUsage "source.policy" for a policy of this one column that its type does not have.
Status CheckColumnPolicies(const Policies& policies, const std::string& column,
                           const DeclaredType& declared);

}  // namespace sluice::mysql
