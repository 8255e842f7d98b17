#include "source/mysql_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "arrow/array/array_base.h"
#include "arrow/memory_pool.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/util/cancel.h"
#include "source/columns.h"
#include "source/mysql_row_errors.h"

namespace sluice::mysql {
namespace {

struct Column {
  DeliveredType type;
  Wire wire;
  CellRules rules;
  bool nullable;
  int length_place;  ///< of its length in the row, or -1
  int64_t coerced = 0;
  ColumnBuilder builder;
};

class Reader : public arrow::RecordBatchReader {
 public:
  Reader(std::shared_ptr<Connection> connection, std::unique_ptr<Rows> rows,
         RowErrors errors, const TableInfo& table, const ReadContext& context)
      : connection_(std::move(connection)),
        rows_(std::move(rows)),
        errors_(std::move(errors)),
        schema_(table.schema),
        misfits_become_null_(table.relation.on_type_mismatch == OnTypeMismatch::kNull),
        context_(context),
        cells_(static_cast<size_t>(rows_->column_count())) {
    auto* pool = context.pool != nullptr ? context.pool : arrow::default_memory_pool();
    for (int i = 0; i < schema_->num_fields(); ++i) {
      const auto& field = schema_->field(i);
      const auto place = static_cast<size_t>(i);
      const ColumnFacts& facts = errors_.facts().columns[place];
      columns_.push_back({.type = facts.type,
                          .wire = rows_->wire(i),
                          .rules = {.srid = facts.srid},
                          .nullable = field->nullable(),
                          .length_place = errors_.query().lengths[place],
                          .builder = ColumnBuilder(field->type(), pool)});
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
      has_more = rows_->Next(cells_.data(), &failed);
      if (!has_more) {
        ARROW_RETURN_NOT_OK(errors_.InTable(failed));
        break;
      }
      ARROW_ASSIGN_OR_RAISE(const int64_t row_bytes, AppendRow());
      bytes += row_bytes;
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

  Status Close() override {
    if (!rows_) return Status::OK();
    const Status closed = rows_->Close();
    rows_.reset();
    return closed;
  }

 private:
  Result<int64_t> AppendRow() {
    int64_t bytes = BytesOfCells(columns_.size());
    for (size_t i = 0; i < columns_.size(); ++i)
      bytes += columns_[i].length_place < 0 ? static_cast<int64_t>(cells_[i].size)
                                            : errors_.BytesOf(cells_.data(), i);
    if (bytes > context_.row_bytes_max) [[unlikely]]
      return errors_.RowTooBig(cells_.data(), context_.row_bytes_max);
    for (size_t i = 0; i < columns_.size(); ++i) {
      Column& column = columns_[i];
      const Cell& cell = cells_[i];
      if (cell.data == nullptr) {
        if (!column.nullable) [[unlikely]]
          return errors_.NullFound(cells_.data(), i);
        column.builder.AppendNull();
        continue;
      }
      const Fit fit =
          AppendCell(column.type, column.wire, column.rules, cell, column.builder);
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

  std::shared_ptr<Connection> connection_;
  std::unique_ptr<Rows>
      rows_;  // Gone once read to the end, so that other calls are free.
  RowErrors errors_;
  std::shared_ptr<arrow::Schema> schema_;
  bool misfits_become_null_;
  ReadContext context_;
  std::vector<Cell> cells_;
  std::vector<Column> columns_;
  int64_t rows_max_ = 0;
};

/// What the statement gives is what was described.
Status CheckWires(const Rows& rows, const RowErrors& errors) {
  const auto& columns = errors.facts().columns;
  for (size_t i = 0; i < columns.size(); ++i) {
    const int place = static_cast<int>(i);
    if (place < rows.column_count() && IsWireOf(columns[i].type, rows.wire(place)))
      continue;
    return errors.Changed(Error(ErrorKind::kUsage, "source.changed",
                                "another type of column " + columns[i].name));
  }
  return Status::OK();
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> OpenReader(
    std::shared_ptr<Connection> connection, const TableInfo& table, const KeyRange& range,
    const ReadContext& context) {
  ARROW_ASSIGN_OR_RAISE(RelationFacts facts, FactsOf(table));
  ARROW_ASSIGN_OR_RAISE(RowsQuery query, SelectRows(facts, range, context.row_bytes_max));
  const std::string sql = query.sql;
  RowErrors errors(std::move(facts), std::move(query));
  auto rows = connection->Stream(sql);
  if (!rows.ok()) return errors.Changed(rows.status());
  std::vector<Wire> wires;
  wires.reserve(static_cast<size_t>((*rows)->column_count()));
  for (int i = 0; i < (*rows)->column_count(); ++i) wires.push_back((*rows)->wire(i));
  errors.SetWires(std::move(wires));
  ARROW_RETURN_NOT_OK(CheckWires(**rows, errors));
  return std::make_shared<Reader>(std::move(connection), std::move(rows).ValueUnsafe(),
                                  std::move(errors), table, context);
}

}  // namespace sluice::mysql
