/// \file
/// How a column of a Parquet file is written, decided once per file from the rows at
/// hand.
#pragma once

#include <memory>
#include <vector>

#include "arrow/type_fwd.h"

namespace sluice {

enum class ColumnEncoding { kDictionary, kPlain, kDelta };

struct ColumnChoice {
  ColumnEncoding encoding = ColumnEncoding::kDictionary;
  bool statistics = true;  ///< false: values are long, their extremes help nobody
};

/// Looks at up to 16 k values spread over `chunks`, the same column of consecutive
/// batches. A dictionary that would not pay is given up here, before it costs a hash per
/// value.
ColumnChoice ChooseColumn(const arrow::Field& field, const arrow::ArrayVector& chunks);

/// The longest string or bytes value of an array, dictionary or not; 0 for other types.
int64_t LongestValue(const arrow::Array& array);

/// A longer value never enters a dictionary.
inline constexpr int64_t kDictionaryValueMax = 4096;

}  // namespace sluice
