#include "source/mysql_reader.h"

#include <optional>
#include <utility>

#include "source/mysql_row_errors.h"
#include "source/row_batches.h"

namespace sluice::mysql {
namespace {

/// How the cells of a column are read.
struct Way {
  DeliveredType type;
  Wire wire;
  CellRules rules;
  int length_place;  ///< of its length in the row, or -1
};

class Reader : public RowBatches {
 public:
  Reader(std::shared_ptr<Connection> connection, std::unique_ptr<Rows> rows,
         RowErrors errors, const TableInfo& table, const ReadContext& context)
      : RowBatches(table, context),
        connection_(std::move(connection)),
        rows_(std::move(rows)),
        errors_(std::move(errors)),
        cells_(static_cast<size_t>(rows_->column_count())) {
    for (size_t i = 0; i < columns().size(); ++i) {
      const ColumnFacts& facts = errors_.facts().columns[i];
      ways_.push_back({.type = facts.type,
                       .wire = rows_->wire(static_cast<int>(i)),
                       .rules = {.srid = facts.srid},
                       .length_place = errors_.query().lengths[i]});
    }
  }

 protected:
  Result<std::optional<int64_t>> AppendNext() override {
    Status failed;
    if (!rows_->Next(cells_.data(), &failed)) {
      ARROW_RETURN_NOT_OK(errors_.InTable(failed));
      return std::nullopt;
    }
    int64_t bytes = BytesOfCells(ways_.size());
    for (size_t i = 0; i < ways_.size(); ++i)
      bytes += ways_[i].length_place < 0 ? static_cast<int64_t>(cells_[i].size)
                                         : errors_.BytesOf(cells_.data(), i);
    if (bytes > context().row_bytes_max) [[unlikely]]
      return errors_.RowTooBig(cells_.data(), context().row_bytes_max);
    for (size_t i = 0; i < ways_.size(); ++i) {
      Column& column = columns()[i];
      const Way& way = ways_[i];
      const Cell& cell = cells_[i];
      if (cell.data == nullptr) {
        if (!column.nullable) [[unlikely]]
          return errors_.NullFound(cells_.data(), i);
        column.builder.AppendNull();
        continue;
      }
      const Fit fit = AppendCell(way.type, way.wire, way.rules, cell, column.builder);
      if (fit == Fit::kFits) [[likely]]
        continue;
      if (fit == Fit::kNoMemory) return column.builder.status();
      if (!MisfitIsNull(i)) return errors_.Misfit(cells_.data(), i);
    }
    return bytes;
  }

  /// The connection is free for other calls then.
  Status CloseRows() override {
    const Status closed = rows_->Close();
    rows_.reset();
    return closed;
  }

 private:
  std::shared_ptr<Connection> connection_;
  std::unique_ptr<Rows> rows_;
  RowErrors errors_;
  std::vector<Cell> cells_;
  std::vector<Way> ways_;
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
