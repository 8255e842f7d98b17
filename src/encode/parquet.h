/// \file
/// Rows become one Parquet file, within a size and a memory budget.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arrow/io/type_fwd.h"
#include "arrow/util/type_fwd.h"
#include "encode/column_choice.h"
#include "sluice/error.h"

namespace parquet::arrow {
class FileWriter;
}

namespace sluice {

struct ParquetOptions {
  std::string compression = "zstd";  ///< zstd, snappy, lz4, gzip, brotli, none
  int compression_level = 1;         ///< for zstd, gzip and brotli
  int64_t file_size = 128 << 20;  ///< the file is never larger, unless one row alone is
  int64_t memory = 64 << 20;  ///< bytes to hold: rows of the open row group, and pages
  arrow::MemoryPool* pool = nullptr;                        ///< null: Arrow's default
  std::shared_ptr<const arrow::KeyValueMetadata> metadata;  ///< of the file
};

/// kUsage "option.compression" for a name that is not in the list above.
Result<arrow::Compression::type> CompressionOf(std::string_view name);

/// One file. One thread. Dropping it without Close leaves a file without footer in the
/// stream.
///
/// Rows are held until a row group is full, then encoded column by column: how a column
/// is written is decided on a whole row group, and a dictionary that grew from batch to
/// batch is still one.
class ParquetEncoder {
 public:
  /// `schema` is logical: batches carry a field as its type or as dictionary(int32,
  /// type).
  static Result<std::unique_ptr<ParquetEncoder>> Open(
      std::shared_ptr<arrow::Schema> schema, const ParquetOptions& options,
      std::shared_ptr<arrow::io::OutputStream> stream);
  ~ParquetEncoder();

  /// Takes as many leading rows as surely fit into the file and returns their number;
  /// fewer than all: the file is full. An empty file takes at least one row. kFailed
  /// "parquet.type" for a batch of other columns.
  Result<int64_t> Write(const std::shared_ptr<arrow::RecordBatch>& batch);
  int64_t rows() const { return rows_; }
  /// What the file would be at most, closed now.
  Result<int64_t> SizeBound() const;
  /// Encodes what is held, writes the footer. Once, after the last Write. Leaves the
  /// stream open.
  Status Close();

 private:
  ParquetEncoder(std::shared_ptr<arrow::Schema> schema, const ParquetOptions& options,
                 std::shared_ptr<arrow::io::OutputStream> stream);
  Status OpenWriter();
  Status FlushRowGroup();
  Result<arrow::ArrayVector> ColumnOfHeld(int column) const;
  Status CheckColumns(const arrow::RecordBatch& batch) const;
  bool NeedsNewFile(const arrow::RecordBatch& batch) const;
  Status Hold(std::shared_ptr<arrow::RecordBatch> batch);

  const std::shared_ptr<arrow::Schema> schema_;
  const ParquetOptions options_;
  const int64_t row_group_bytes_;
  const std::shared_ptr<arrow::io::OutputStream> stream_;
  std::unique_ptr<parquet::arrow::FileWriter>
      writer_;  ///< null until the first row group
  std::vector<ColumnChoice> choices_;
  arrow::RecordBatchVector held_;
  int64_t held_raw_ = 0;      ///< bytes of memory
  int64_t held_bound_ = 0;    ///< bytes in the file at most
  int64_t footer_bound_ = 0;  ///< of the row groups written
  int64_t rows_ = 0;
};

}  // namespace sluice
