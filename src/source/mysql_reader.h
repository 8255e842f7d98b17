/// \file
/// The rows of a key range as record batches.
#pragma once

#include <memory>

#include "driver/mysql.h"
#include "sluice/error.h"
#include "sluice/source.h"

namespace sluice::mysql {

/// The reader keeps the connection; one open reader per connection.
Result<std::shared_ptr<arrow::RecordBatchReader>> OpenReader(
    std::shared_ptr<Connection> connection, const TableInfo& table, const KeyRange& range,
    const ReadContext& context);

}  // namespace sluice::mysql
