#include "source/mysql_reader.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "source/mysql_row_errors.h"
#include "source/row_batches.h"

namespace sluice::mysql {
namespace {

/// How the cells of a column are read.
struct Way {
  DeliveredType type;
  OnMisfit on_misfit;
  Wire wire;
  CellRules rules;
  int length_place;  ///< of its length in the row, or -1
};

class Reader : public RowBatches {
 public:
  Reader(std::shared_ptr<Connection> connection, std::unique_ptr<Rows> rows,
         RowErrors errors, const TableInfo& table, const ReadContext& context)
      : RowBatches(table, NullMisfits(errors.facts()), context),
        connection_(std::move(connection)),
        rows_(std::move(rows)),
        errors_(std::move(errors)),
        cells_(static_cast<size_t>(rows_->column_count())) {
    for (size_t i = 0; i < columns().size(); ++i) {
      const ColumnFacts& facts = errors_.facts().columns[i];
      ways_.push_back({.type = facts.type,
                       .on_misfit = facts.on_misfit,
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
      if (!PutInPlace(i)) {
        ARROW_RETURN_NOT_OK(column.builder.status());
        return errors_.Misfit(cells_.data(), i);
      }
    }
    return bytes;
  }

  /// What stands for a value that does not fit. False: nothing does, or there is no memory for it.
  bool PutInPlace(size_t i) {
    Column& column = columns()[i];
    if (MisfitIsNull(i)) return true;
    const OnMisfit on_misfit = ways_[i].on_misfit;
    // The error value is '', or one byte in its place.
    const bool is_other = on_misfit == OnMisfit::kEmpty && cells_[i].size > 1;
    if (on_misfit == OnMisfit::kError || is_other || IsLost(i)) return false;
    const std::string text = on_misfit == OnMisfit::kReplace
                                 ? Replaced(errors_.facts().columns[i], cells_[i])
                                 : std::string();
    if (!column.builder.AppendBytes(text)) return false;
    ++column.coerced;
    return true;
  }

  /// The connection is free for other calls then.
  Status CloseRows() override {
    const Status closed = rows_->Close();
    rows_.reset();
    return closed;
  }

 private:
  static std::vector<bool> NullMisfits(const RelationFacts& facts) {
    std::vector<bool> is_null;
    for (const ColumnFacts& column : facts.columns)
      is_null.push_back(column.on_misfit == OnMisfit::kNull);
    return is_null;
  }

  /// The server could not convert the value without dropping some of it.
  bool IsLost(size_t i) const {
    return !errors_.facts().columns[i].charset.empty() &&
           ways_[i].on_misfit == OnMisfit::kReplace && cells_[i].bytes() == "\xFF";
  }

  /// Of another character set what the server could not convert is marked in front, and its '?' already.
  static std::string Replaced(const ColumnFacts& facts, const Cell& cell) {
    std::string_view bytes = cell.bytes();
    if (!facts.charset.empty() && bytes.starts_with('\xFF')) bytes.remove_prefix(1);
    return WithReplacements(bytes);
  }

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
