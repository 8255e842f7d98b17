/// \file
/// The row digest as MySQL and MariaDB compute it (docs/digest.md). No I/O.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sluice/error.h"
#include "sluice/table.h"

namespace sluice::mysql {

/// How the server writes a column's canonical bytes.
enum class CanonicalForm {
  kNumber,   ///< integers, BIT, YEAR: c+0
  kDecimal,  ///< at its scale
  kDouble,   ///< the 8 bytes of a FLOAT or DOUBLE, out of the geometry that holds it
  kDate,
  kTimestamp,  ///< six digits of fraction
  kText,       ///< the expression is text or bytes already, as it is delivered
};

struct CanonicalColumn {
  std::string expression;  ///< a quoted name, or what is selected in its place
  CanonicalForm form = CanonicalForm::kText;
};

/// One row of four numbers, rows, hashed and the two sums, over `columns` FROM `from`.
std::string SelectDigest(const std::vector<CanonicalColumn>& columns,
                         const std::string& from);

/// That row. kFailed "digest.sum" for what is no such row.
Result<Digest> DigestFrom(const std::vector<std::optional<std::string>>& row);

}  // namespace sluice::mysql
