#include "source/sqlite_reader.h"

#include <optional>
#include <utility>
#include <vector>

#include "source/row_batches.h"
#include "source/sqlite_row_errors.h"

namespace sluice::sqlite {
namespace {

class Reader : public RowBatches {
 public:
  Reader(std::shared_ptr<Database> database, Statement rows, RowErrors errors,
         const TableInfo& table, const ReadContext& context)
      : RowBatches(table, NullMisfits(errors.facts()), context),
        database_(std::move(database)),
        rows_(std::move(rows)),
        errors_(std::move(errors)),
        cells_(static_cast<size_t>(rows_->column_count())) {}

 protected:
  Result<std::optional<int64_t>> AppendNext() override {
    Status failed;
    if (!rows_->NextRow(cells_.data(), &failed)) {
      ARROW_RETURN_NOT_OK(Explain(failed));
      return std::nullopt;
    }
    ++rows_read_;
    int64_t bytes = BytesOfCells(columns().size());
    for (size_t i = 0; i < columns().size(); ++i) {
      const Cell& cell = cells_[i];
      if (cell.type == Type::kText || cell.type == Type::kBlob) bytes += cell.size;
    }
    if (bytes > context().row_bytes_max) [[unlikely]]
      return errors_.RowTooBig(cells_.data(), context().row_bytes_max);
    for (size_t i = 0; i < columns().size(); ++i) {
      Column& column = columns()[i];
      const Cell& cell = cells_[i];
      if (cell.type == Type::kNull) {
        if (!column.nullable) [[unlikely]]
          return errors_.NullFound(cells_.data(), i);
        column.builder.AppendNull();
        continue;
      }
      const Fit fit = AppendCell(errors_.facts().kinds[i], cell, reals_, column.builder);
      if (fit == Fit::kFits) [[likely]]
        continue;
      if (fit == Fit::kNoMemory) return column.builder.status();
      if (!MisfitIsNull(i)) return errors_.Misfit(cells_.data(), i);
    }
    return bytes;
  }

  Status CloseRows() override {
    rows_.reset();
    return Status::OK();
  }

 private:
  static std::vector<bool> NullMisfits(const RelationFacts& facts) {
    std::vector<bool> is_null;
    for (const OnTypeMismatch misfit : facts.misfits)
      is_null.push_back(misfit == OnTypeMismatch::kNull);
    return is_null;
  }

  Status Explain(const Status& failed) {
    if (IdOf(failed) == "sqlite.too-big")
      return errors_.ValueTooBig(*database_, rows_read_, context().row_bytes_max);
    return errors_.InTable(failed);
  }

  std::shared_ptr<Database> database_;
  std::optional<Statement>
      rows_;  // Gone once read to the end: it holds a lock outside a snapshot.
  RowErrors errors_;
  std::vector<Cell> cells_;
  RealTexts reals_;
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
