#include "testing/batches.h"

#include <utility>

#include "arrow/array.h"
#include "arrow/json/from_string.h"
#include "arrow/record_batch.h"
#include "arrow/scalar.h"
#include "arrow/type.h"
#include "arrow/util/checked_cast.h"

namespace sluice {
namespace {

class ScriptedReader final : public arrow::RecordBatchReader {
 public:
  ScriptedReader(std::shared_ptr<arrow::Schema> schema,
                 std::vector<std::shared_ptr<arrow::RecordBatch>> batches, Status end)
      : schema_(std::move(schema)), batches_(std::move(batches)), end_(std::move(end)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    *batch = next_ < batches_.size() ? batches_[next_++] : nullptr;
    return *batch == nullptr ? end_ : Status::OK();
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  const std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  const Status end_;
  size_t next_ = 0;
};

std::optional<std::string> TextOf(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return std::nullopt;
  if (scalar.type->id() == arrow::Type::DICTIONARY) {
    const auto& coded =
        arrow::internal::checked_cast<const arrow::DictionaryScalar&>(scalar);
    return TextOf(*coded.GetEncodedValue().ValueOrDie());
  }
  if (arrow::is_base_binary_like(scalar.type->id()) ||
      scalar.type->id() == arrow::Type::FIXED_SIZE_BINARY) {
    return std::string(
        arrow::internal::checked_cast<const arrow::BaseBinaryScalar&>(scalar).view());
  }
  return scalar.ToString();
}

}  // namespace

std::shared_ptr<arrow::RecordBatch> BatchOf(const std::shared_ptr<arrow::Schema>& schema,
                                            std::string_view rows) {
  const auto type = arrow::struct_(schema->fields());
  const auto array = arrow::json::ArrayFromJSONString(type, rows).ValueOrDie();
  const auto batch = arrow::RecordBatch::FromStructArray(array).ValueOrDie();
  return batch->ReplaceSchemaMetadata(schema->metadata());
}

std::shared_ptr<arrow::RecordBatchReader> ReaderOf(
    const std::shared_ptr<arrow::Schema>& schema,
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches) {
  return ReaderThatFails(schema, std::move(batches), Status::OK());
}

std::shared_ptr<arrow::RecordBatchReader> ReaderOf(
    const std::shared_ptr<arrow::Schema>& schema, std::string_view rows) {
  return ReaderThatFails(schema, {BatchOf(schema, rows)}, Status::OK());
}

std::shared_ptr<arrow::RecordBatchReader> ReaderThatFails(
    const std::shared_ptr<arrow::Schema>& schema,
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches, Status failure) {
  return std::make_shared<ScriptedReader>(schema, std::move(batches), std::move(failure));
}

std::vector<Row> RowsOf(const arrow::RecordBatch& batch) {
  std::vector<Row> rows(static_cast<size_t>(batch.num_rows()));
  for (const auto& column : batch.columns()) {
    for (int64_t i = 0; i < batch.num_rows(); ++i) {
      rows[static_cast<size_t>(i)].push_back(TextOf(*column->GetScalar(i).ValueOrDie()));
    }
  }
  return rows;
}

Result<std::vector<Row>> ReadRows(arrow::RecordBatchReader& reader) {
  std::vector<Row> rows;
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(reader.ReadNext(&batch));
    if (batch == nullptr) return rows;
    for (Row& row : RowsOf(*batch)) rows.push_back(std::move(row));
  }
}

}  // namespace sluice
