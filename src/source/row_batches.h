/// \file
/// Rows that come one by one, as record batches.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "arrow/record_batch.h"
#include "sluice/error.h"
#include "sluice/source.h"
#include "source/columns.h"

namespace sluice {

/// A batch ends once it holds the rows or the bytes that the context allows. One thread. The tally
/// is written at the end of each batch.
class RowBatches : public arrow::RecordBatchReader {
 public:
  /// `misfit_is_null`: one per column.
  RowBatches(const TableInfo& table, const std::vector<bool>& misfit_is_null,
             const ReadContext& context);

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override;
  Status Close() override;

 protected:
  struct Column {
    ColumnBuilder builder;
    bool nullable = true;
    bool misfit_is_null = false;
    int64_t coerced = 0;
  };

  /// Appends a value or NULL to each column; the bytes of the row, or nothing behind the last.
  virtual Result<std::optional<int64_t>> AppendNext() = 0;
  /// Gives up the statement; called once.
  virtual Status CloseRows() = 0;

  /// NULL in the place of a value that does not fit, where the policy says so; else false.
  bool MisfitIsNull(size_t column);

  std::vector<Column>& columns() { return columns_; }
  const ReadContext& context() const { return context_; }

 private:
  void Count(int64_t rows, int64_t bytes);

  const std::shared_ptr<arrow::Schema> schema_;
  const ReadContext context_;
  std::vector<Column> columns_;
  int64_t rows_max_ = 0;
  bool closed_ = false;
};

}  // namespace sluice
