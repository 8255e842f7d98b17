#include "source/row_batches.h"

#include <algorithm>
#include <utility>

#include "arrow/array/array_base.h"
#include "arrow/memory_pool.h"
#include "arrow/type.h"
#include "arrow/util/cancel.h"

namespace sluice {

RowBatches::RowBatches(const TableInfo& table, const std::vector<bool>& misfit_is_null,
                       const ReadContext& context)
    : schema_(table.schema), context_(context) {
  auto* pool = context.pool != nullptr ? context.pool : arrow::default_memory_pool();
  for (const auto& field : schema_->fields())
    columns_.push_back({ColumnBuilder(field->type(), pool), field->nullable(),
                        misfit_is_null[columns_.size()], 0});
  rows_max_ = std::clamp<int64_t>(context.batch_bytes / BytesOfCells(columns_.size()), 1,
                                  std::max<int64_t>(context.batch_rows, 1));
}

Status RowBatches::ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) {
  batch->reset();
  if (closed_) return Status::OK();
  if (context_.stop != nullptr) ARROW_RETURN_NOT_OK(context_.stop->Poll());
  for (Column& column : columns_) ARROW_RETURN_NOT_OK(column.builder.Reserve(rows_max_));
  int64_t bytes = 0, count = 0;
  bool has_more = true;
  while (has_more && count < rows_max_ && bytes < context_.batch_bytes) {
    ARROW_ASSIGN_OR_RAISE(const auto row_bytes, AppendNext());
    has_more = row_bytes.has_value();
    if (!has_more) break;
    bytes += *row_bytes;
    ++count;
  }
  Count(count, bytes);
  if (!has_more) ARROW_RETURN_NOT_OK(Close());
  if (count == 0) return Status::OK();
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (Column& column : columns_) {
    ARROW_ASSIGN_OR_RAISE(auto array, column.builder.Finish());
    arrays.push_back(std::move(array));
  }
  *batch = arrow::RecordBatch::Make(schema_, count, std::move(arrays));
  return Status::OK();
}

Status RowBatches::Close() {
  if (std::exchange(closed_, true)) return Status::OK();
  return CloseRows();
}

bool RowBatches::MisfitIsNull(size_t column) {
  if (!columns_[column].misfit_is_null) return false;
  columns_[column].builder.AppendNull();
  ++columns_[column].coerced;
  return true;
}

void RowBatches::Count(int64_t rows, int64_t bytes) {
  if (context_.tally == nullptr) return;
  context_.tally->rows += rows;
  context_.tally->source_bytes += bytes;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const int64_t coerced = std::exchange(columns_[i].coerced, 0);
    if (coerced > 0)
      context_.tally->coerced[schema_->field(static_cast<int>(i))->name()] += coerced;
  }
}

}  // namespace sluice
