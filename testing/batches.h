/// \file
/// Batches from literals, and readers as rows a test can compare. What a test writes
/// wrongly here ends the test program.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arrow/type_fwd.h"
#include "sluice/error.h"

namespace sluice {

/// `rows` as JSON: [[1, "a"], [2, null]].
std::shared_ptr<arrow::RecordBatch> BatchOf(const std::shared_ptr<arrow::Schema>& schema,
                                            std::string_view rows);
std::shared_ptr<arrow::RecordBatchReader> ReaderOf(
    const std::shared_ptr<arrow::Schema>& schema,
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches);
/// One batch of `rows`.
std::shared_ptr<arrow::RecordBatchReader> ReaderOf(
    const std::shared_ptr<arrow::Schema>& schema, std::string_view rows);
/// Gives `batches`, then `failure`.
std::shared_ptr<arrow::RecordBatchReader> ReaderThatFails(
    const std::shared_ptr<arrow::Schema>& schema,
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches, Status failure);

/// One text per value; nothing for NULL. Dictionary values as themselves, binary as raw
/// bytes.
using Row = std::vector<std::optional<std::string>>;
/// To the end of the reader; in its order.
Result<std::vector<Row>> ReadRows(arrow::RecordBatchReader& reader);
std::vector<Row> RowsOf(const arrow::RecordBatch& batch);

}  // namespace sluice
