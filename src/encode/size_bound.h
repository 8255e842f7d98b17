/// \file
/// Upper bounds of what rows become in a Parquet file, so that a file never exceeds its
/// limit.
#pragma once

#include <cstdint>

#include "arrow/type_fwd.h"

namespace sluice {

/// Longest minimum or maximum that is written into a page or a footer.
inline constexpr int64_t kStatisticsValueMax = 128;
inline constexpr int64_t kDataPageSize = 1 << 20;
inline constexpr int64_t kDataPageRows = 64 * 1024;
inline constexpr int64_t kDictionaryPageSize = 1 << 20;

/// Bytes that the rows of a batch take in a row group at most, whatever the encoding.
int64_t EncodedBound(const arrow::RecordBatch& batch);
/// Bytes a row group of `schema` costs at most, besides its rows: headers, statistics,
/// its part of the footer and of the page index.
int64_t RowGroupBound(const arrow::Schema& schema);
/// Bytes of a file without row groups.
int64_t EmptyFileBound(const arrow::Schema& schema, int64_t metadata_size);
/// The greatest number of leading rows of `batch` whose EncodedBound is within `room`.
int64_t RowsWithin(const arrow::RecordBatch& batch, int64_t room);
/// Bytes of memory the rows of a batch hold, by their values (a slice counts what it
/// shows).
int64_t RawSize(const arrow::RecordBatch& batch);

}  // namespace sluice
