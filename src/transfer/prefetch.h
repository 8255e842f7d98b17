/// \file
/// Reads ahead on a thread of its own, so that the database and the encoder work at the same time.
#pragma once

#include <memory>

#include "arrow/type_fwd.h"
#include "sluice/error.h"

namespace sluice {

/// A reader that holds at most `depth` batches of `rows` read ahead. Dropping it early ends the
/// thread after the batch it is reading. `depth` 0: `rows` itself.
std::shared_ptr<arrow::RecordBatchReader> ReadAhead(
    std::shared_ptr<arrow::RecordBatchReader> rows, int depth);

}  // namespace sluice
