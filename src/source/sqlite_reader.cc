#include "source/sqlite_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "arrow/array/array_base.h"
#include "arrow/memory_pool.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/util/cancel.h"
#include "source/columns.h"
#include "source/sqlite_row_errors.h"

namespace sluice::sqlite {
namespace {

struct Column {
  ColumnKind kind;
  bool nullable;
  int64_t coerced = 0;
  ColumnBuilder builder;
};

class Reader : public arrow::RecordBatchReader {
 public:
  Reader(std::shared_ptr<Database> database, Statement rows, RowErrors errors,
         const TableInfo& table, const ReadContext& context)
      : database_(std::move(database)),
        rows_(std::move(rows)),
        errors_(std::move(errors)),
        schema_(table.schema),
        misfits_become_null_(table.relation.on_type_mismatch == OnTypeMismatch::kNull),
        context_(context),
        cells_(static_cast<size_t>(rows_->column_count())) {
    auto* pool = context.pool != nullptr ? context.pool : arrow::default_memory_pool();
    for (int i = 0; i < schema_->num_fields(); ++i) {
      const auto& field = schema_->field(i);
      columns_.push_back({errors_.facts().kinds[static_cast<size_t>(i)],
                          field->nullable(), 0, ColumnBuilder(field->type(), pool)});
    }
    rows_max_ = std::clamp<int64_t>(context.batch_bytes / BytesOfCells(columns_.size()),
                                    1, std::max<int64_t>(context.batch_rows, 1));
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    if (!rows_) return Status::OK();
    if (context_.stop != nullptr) ARROW_RETURN_NOT_OK(context_.stop->Poll());
    for (Column& column : columns_)
      ARROW_RETURN_NOT_OK(column.builder.Reserve(rows_max_));
    int64_t bytes = 0, count = 0;
    bool has_more = true;
    while (has_more && count < rows_max_ && bytes < context_.batch_bytes) {
      Status failed;
      has_more = rows_->NextRow(cells_.data(), &failed);
      if (!has_more) {
        ARROW_RETURN_NOT_OK(Explain(failed));
        break;
      }
      ARROW_ASSIGN_OR_RAISE(const int64_t row_bytes, AppendRow());
      bytes += row_bytes;
      ++count;
      ++rows_read_;
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

  Status Close() override {
    rows_.reset();
    return Status::OK();
  }

 private:
  Result<int64_t> AppendRow() {
    int64_t bytes = BytesOfCells(columns_.size());
    for (size_t i = 0; i < columns_.size(); ++i) {
      const Cell& cell = cells_[i];
      if (cell.type == Type::kText || cell.type == Type::kBlob) bytes += cell.size;
    }
    if (bytes > context_.row_bytes_max) [[unlikely]]
      return errors_.RowTooBig(cells_.data(), context_.row_bytes_max);
    for (size_t i = 0; i < columns_.size(); ++i) {
      Column& column = columns_[i];
      const Cell& cell = cells_[i];
      if (cell.type == Type::kNull) {
        if (!column.nullable) [[unlikely]]
          return errors_.NullFound(cells_.data(), i);
        column.builder.AppendNull();
        continue;
      }
      const Fit fit = AppendCell(column.kind, cell, reals_, column.builder);
      if (fit != Fit::kFits) [[unlikely]]
        ARROW_RETURN_NOT_OK(AppendMisfit(fit, i));
    }
    return bytes;
  }

  Status AppendMisfit(Fit fit, size_t place) {
    Column& column = columns_[place];
    if (fit == Fit::kNoMemory) return column.builder.status();
    if (!misfits_become_null_) return errors_.Misfit(cells_.data(), place);
    column.builder.AppendNull();
    ++column.coerced;
    return Status::OK();
  }

  Status Explain(const Status& failed) {
    if (IdOf(failed) == "sqlite.too-big")
      return errors_.ValueTooBig(*database_, rows_read_, context_.row_bytes_max);
    return errors_.InTable(failed);
  }

  void Count(int64_t rows, int64_t bytes) {
    if (context_.tally == nullptr) return;
    context_.tally->rows += rows;
    context_.tally->source_bytes += bytes;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const int64_t coerced = std::exchange(columns_[i].coerced, 0);
      if (coerced > 0)
        context_.tally->coerced[schema_->field(static_cast<int>(i))->name()] += coerced;
    }
  }

  std::shared_ptr<Database> database_;
  std::optional<Statement>
      rows_;  // Gone once read to the end: it holds a lock outside a snapshot.
  RowErrors errors_;
  std::shared_ptr<arrow::Schema> schema_;
  bool misfits_become_null_;
  ReadContext context_;
  std::vector<Cell> cells_;
  std::vector<Column> columns_;
  RealTexts reals_;
  int64_t rows_max_ = 0;
  int64_t rows_read_ = 0;
};

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> OpenReader(
    std::shared_ptr<Database> database, const TableInfo& table, const KeyRange& range,
    const ReadContext& context) {
  ARROW_ASSIGN_OR_RAISE(RelationFacts facts, FactsOf(table));
  const RowsQuery query = SelectRows(facts, range);
  RowErrors errors(std::move(facts), query, range);
  database->LimitValueBytes(context.row_bytes_max);
  Result<Statement> prepared = database->Prepare(query.sql);
  if (!prepared.ok()) return errors.Changed(prepared.status());
  ARROW_RETURN_NOT_OK(BindRange(errors.facts(), range, *prepared));
  return std::make_shared<Reader>(std::move(database), std::move(prepared).ValueUnsafe(),
                                  std::move(errors), table, context);
}

}  // namespace sluice::sqlite
