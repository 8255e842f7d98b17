#include "source/sqlite_row_errors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>
#include <utility>

#include "arrow/type.h"
#include "source/columns.h"

namespace sluice::sqlite {
namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr size_t kShownBytesMax = 64;
// The rows of one load may take a quarter of its memory (docs/limits: --memory).
constexpr int64_t kMemoryPerRow = 4;

/// The value of a key as somebody would write it in SQL, cut where it is long.
std::string KeyText(const Cell& cell) {
  if (cell.type == Type::kInteger) return fmt::format("{}", cell.integer);
  if (cell.type != Type::kText || !IsUtf8(cell.bytes())) return Describe(cell);
  std::string_view text = cell.bytes();
  if (text.size() <= kShownBytesMax) return fmt::format("'{}'", text);
  text = text.substr(0, kShownBytesMax);
  while (!text.empty() && !IsUtf8(text)) text.remove_suffix(1);
  return fmt::format("'{}…'", text);
}

std::string Sized(int64_t size) {
  if (size < kMiB) return fmt::format("{} bytes", size);
  return fmt::format("{:.1f} MiB", static_cast<double>(size) / kMiB);
}

/// Bytes of a value; of a blob without loading it.
std::string LengthOf(const std::string& column) {
  return fmt::format(
      "CASE typeof({0}) WHEN 'blob' THEN length({0}) "
      "WHEN 'text' THEN length(CAST({0} AS BLOB)) END",
      Quote(column));
}

}  // namespace

RowErrors::RowErrors(RelationFacts facts, RowsQuery query, KeyRange range)
    : facts_(std::move(facts)), query_(std::move(query)), range_(std::move(range)) {}

std::string RowErrors::NameOfTable() const {
  return ToString(TableName{"main", facts_.table});
}

std::string RowErrors::RowName(const Cell* row, const std::vector<int>& places) const {
  std::vector<std::string> parts;
  for (size_t i = 0; i < places.size(); ++i)
    parts.push_back(fmt::format("{}={}", query_.label_names[i], KeyText(row[places[i]])));
  return parts.empty() ? "a row without a key"
                       : fmt::format("row {}", fmt::join(parts, ", "));
}

Status RowErrors::Misfit(const Cell* row, size_t column) const {
  const Cell& cell = row[column];
  const std::string message =
      fmt::format("{}, {}, column {}: wanted {}, found {}", NameOfTable(),
                  RowName(row, query_.label_places), facts_.columns[column],
                  ArrowTypeOf(facts_.kinds[column])->ToString(), Describe(cell));
  if (cell.type == Type::kText && !IsUtf8(cell.bytes()))
    return Error(
        ErrorKind::kFailed, "source.type-mismatch", message,
        "--on-type-mismatch null makes such values NULL and counts them; to keep their "
        "bytes, copy a view that says hex(…); add --restart, as the unfinished load keeps its policy");
  return Error(
      ErrorKind::kFailed, "source.type-mismatch", message,
      "--on-type-mismatch null makes such values NULL and counts them; string makes the "
      "whole column a string; add --restart, as the unfinished load keeps its policy");
}

Status RowErrors::NullFound(const Cell* row, size_t column) const {
  return Error(
      ErrorKind::kSource, "source.corrupt",
      fmt::format(
          "{}, {}, column {}: wanted a value, as the column is NOT NULL, found NULL",
          NameOfTable(), RowName(row, query_.label_places), facts_.columns[column]),
      "look with `PRAGMA integrity_check`, which lists such rows");
}

Status RowErrors::TooBig(const std::string& row, const RowSize& size,
                         int64_t row_bytes_max) const {
  const int64_t memory = (size.row_bytes * kMemoryPerRow + kMiB - 1) / kMiB;
  const std::string more = size.is_exact ? "" : "more than ";
  const std::string column =
      size.largest < facts_.columns.size() ? facts_.columns[size.largest] : "unknown";
  return Error(
      ErrorKind::kResource, "source.row-too-big",
      fmt::format(
          "{}, {}, column {}: wanted rows of at most {}, found one of {}{}, {}{} of it in "
          "this column",
          NameOfTable(), row, column, Sized(row_bytes_max), more, Sized(size.row_bytes),
          more, Sized(size.largest_bytes)),
      fmt::format("{} {}MiB{}, or leave the column out",
                  size.is_exact ? "--memory" : "more than --memory", memory,
                  size.is_exact ? " would do" : " is needed"));
}

Status RowErrors::RowTooBig(const Cell* row, int64_t row_bytes_max) const {
  RowSize size{.row_bytes = BytesOfCells(facts_.columns.size())};
  for (size_t i = 0; i < facts_.columns.size(); ++i)
    if (row[i].type == Type::kText || row[i].type == Type::kBlob)
      size.Add(i, row[i].size);
  return TooBig(RowName(row, query_.label_places), size, row_bytes_max);
}

Status RowErrors::ValueTooBig(Database& database, int64_t rows_before,
                              int64_t row_bytes_max) const {
  // Some value is larger than this: that much is known.
  const RowSize at_least{.row_bytes = row_bytes_max,
                         .largest_bytes = row_bytes_max,
                         .largest = facts_.columns.size(),
                         .is_exact = false};
  const bool has_rowid = !facts_.rowid.empty();
  auto found = FindRow(database, has_rowid ? facts_.rowid : "0", rows_before);
  if (!found.ok() || !*found) return TooBig("one of its rows", at_least, row_bytes_max);
  // The rowid (or 0), then the columns that name the row.
  const std::vector<Cell> cells = std::move((*found)->cells);
  std::vector<int> places(query_.label_places.size());
  std::iota(places.begin(), places.end(), 1);
  const std::string row = RowName(cells.data(), places);

  RowSize size{.row_bytes = BytesOfCells(facts_.columns.size())};
  for (size_t i = 0; i < facts_.columns.size(); ++i) {
    if (has_rowid) {
      size.Add(i, database.ValueBytes(facts_.table, facts_.columns[i], cells[0].integer)
                      .value_or(0));
      continue;
    }
    const auto length = FindRow(database, LengthOf(facts_.columns[i]), rows_before);
    if (length.ok() && *length && (*length)->cells[0].type == Type::kInteger)
      size.Add(i, (*length)->cells[0].integer);
    if (IdOf(length.status()) != "sqlite.too-big") continue;
    size.Add(i, row_bytes_max);
    size.is_exact = false;
  }
  if (size.row_bytes > row_bytes_max) return TooBig(row, size, row_bytes_max);
  return TooBig(row, at_least, row_bytes_max);
}

/// The row after `rows_before` others of the query: `expression`, then what names the row.
Result<std::optional<RowErrors::FoundRow>> RowErrors::FindRow(
    Database& database, const std::string& expression, int64_t rows_before) const {
  RelationFacts named = facts_;
  named.columns.clear();
  RowsQuery query = SelectRows(named, range_);
  if (query.label_places.empty()) return std::nullopt;
  query.sql.replace(0, sizeof("SELECT ") - 1, "SELECT " + expression + ",");
  ARROW_ASSIGN_OR_RAISE(Statement statement,
                        database.Prepare(query.sql + " LIMIT 1 OFFSET ?"));
  ARROW_RETURN_NOT_OK(BindRange(facts_, range_, statement));
  ARROW_RETURN_NOT_OK(statement.BindInt64(RangeParameters(range_), rows_before));
  FoundRow row{std::move(statement), std::vector<Cell>(query.label_places.size() + 1)};
  Status failed;
  if (row.statement.NextRow(row.cells.data(), &failed)) return row;
  ARROW_RETURN_NOT_OK(failed);
  return std::nullopt;
}

Status RowErrors::Changed(const Status& status) const {
  if (KindOf(status) != ErrorKind::kUsage) return InTable(status);
  return Error(ErrorKind::kSource, "source.changed",
               fmt::format("{} is not what it was when it was described: {}",
                           NameOfTable(), status.message()),
               "run again with --restart to copy it as it is now");
}

Status RowErrors::InTable(const Status& status) const {
  return InContext(status, NameOfTable());
}

}  // namespace sluice::sqlite
