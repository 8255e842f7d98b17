/// \file
/// One attempt at one chunk: rows become staged objects.
#pragma once

#include <memory>

#include "destination/layout.h"
#include "sluice/destination.h"

namespace sluice {

/// Stages every row of `rows` as parts of at most spec.file_size. Chunk 1 has a part even
/// without rows, so that a table without rows gives one file with the schema. On error
/// what this attempt staged is aborted, as far as the store still answers.
Result<ChunkReceipt> PrepareChunk(Store& store, const LoadSpec& spec,
                                  const LoadLayout& layout, const PrepareContext& context,
                                  arrow::RecordBatchReader& rows);

}  // namespace sluice
