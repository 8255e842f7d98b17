/// \file
/// The rows of a key range as record batches.
#pragma once

#include <memory>

#include "driver/sqlite.h"
#include "sluice/error.h"
#include "sluice/source.h"
#include "source/sqlite_query.h"

namespace sluice::sqlite {

/// The reader keeps the connection; one open reader per connection.
Result<std::shared_ptr<arrow::RecordBatchReader>> OpenReader(
    std::shared_ptr<Database> database, const TableInfo& table, const KeyRange& range,
    const ReadContext& context);

}  // namespace sluice::sqlite
