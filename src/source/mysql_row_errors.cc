#include "source/mysql_row_errors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <utility>

#include "arrow/type.h"
#include "source/columns.h"

namespace sluice::mysql {
namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr size_t kShownBytesMax = 64;
// The rows of one load may take a quarter of its memory (docs/limits: --memory).
constexpr int64_t kMemoryPerRow = 4;

/// The value of a key as somebody would write it in SQL, cut where it is long.
std::string KeyText(const ColumnFacts& column, Wire wire, Cell cell) {
  const ColumnKind kind = column.type.kind;
  const bool is_text = kind == ColumnKind::kText || kind == ColumnKind::kEnum;
  if (!is_text || cell.data == nullptr || !IsUtf8(cell.bytes()))
    return Describe(column.type, wire, cell);
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

}  // namespace

RowErrors::RowErrors(RelationFacts facts, RowsQuery query)
    : facts_(std::move(facts)), query_(std::move(query)) {}

std::string RowErrors::RowName(const Cell* row) const {
  std::vector<std::string> parts;
  for (size_t i = 0; i < query_.label_places.size(); ++i) {
    const auto place = static_cast<size_t>(query_.label_places[i]);
    parts.push_back(
        fmt::format("{}={}", facts_.key_columns[i].name,
                    KeyText(facts_.key_columns[i], wires_[place], row[place])));
  }
  return parts.empty() ? "a row without a key"
                       : fmt::format("row {}", fmt::join(parts, ", "));
}

int64_t RowErrors::BytesOf(const Cell* row, size_t column) const {
  const int place = query_.lengths[column];
  if (place < 0) return static_cast<int64_t>(row[column].size);
  const Cell& length = row[place];
  if (length.data == nullptr) return 0;
  int64_t size = 0;
  // LENGTH is an INT or a BIGINT; both are little-endian, and never negative.
  std::memcpy(&size, length.data, std::min(length.size, sizeof(size)));
  return size;
}

Status RowErrors::Misfit(const Cell* row, size_t column) const {
  const ColumnFacts& facts = facts_.columns[column];
  const Cell& cell = row[column];
  std::string found = Describe(facts.type, wires_[column], cell);
  std::string hint =
      "--on-type-mismatch null makes such values NULL and counts them; add --restart, as "
      "the unfinished load keeps its policy";
  switch (facts.type.kind) {
    case ColumnKind::kDate:
    case ColumnKind::kTimestamp:
    case ColumnKind::kInstant:
      found += ", which is no date";
      hint =
          "--on-type-mismatch null makes such values NULL and counts them; string makes "
          "the whole column a string; add --restart, as the unfinished load keeps its "
          "policy";
      break;
    case ColumnKind::kFlag:
      found += ", which is neither 0 nor 1";
      hint = "tinyint1: int delivers the number";
      break;
    case ColumnKind::kTimeOfDay:
      found += ", which is no time of a day";
      hint =
          "time: string delivers the server's text, time: micros a number of microseconds";
      break;
    case ColumnKind::kEnum:
      if (cell.size <= 1) found = "the error value of the ENUM, index 0";
      break;
    case ColumnKind::kText:
      found += " that are not UTF-8";
      hint =
          "invalid_utf8: replace puts U+FFFD where they are not, and counts them; binary "
          "delivers the bytes; add --restart, as the unfinished load keeps its policy";
      break;
    case ColumnKind::kGeometry:
      found += fmt::format(" with an SRID that is not {}", facts.srid);
      break;
    default: break;
  }
  return Error(
      ErrorKind::kFailed, "source.type-mismatch",
      fmt::format("{}, {}, column {}: wanted {}, found {}", ToString(facts_.name),
                  RowName(row), facts.name, ArrowTypeOf(facts.type)->ToString(), found),
      hint);
}

Status RowErrors::NullFound(const Cell* row, size_t column) const {
  return Error(
      ErrorKind::kSource, "source.corrupt",
      fmt::format(
          "{}, {}, column {}: wanted a value, as the column is NOT NULL, found NULL",
          ToString(facts_.name), RowName(row), facts_.columns[column].name),
      "CHECK TABLE says more");
}

Status RowErrors::RowTooBig(const Cell* row, int64_t row_bytes_max) const {
  int64_t bytes = BytesOfCells(facts_.columns.size());
  int64_t largest_bytes = 0;
  size_t largest = 0;
  for (size_t i = 0; i < facts_.columns.size(); ++i) {
    const int64_t size = BytesOf(row, i);
    bytes += size;
    if (size > largest_bytes) largest = i;
    if (size > largest_bytes) largest_bytes = size;
  }
  return Error(
      ErrorKind::kResource, "source.row-too-big",
      fmt::format("{}, {}, column {}: wanted rows of at most {}, found one of {}, {} of "
                  "it in this column",
                  ToString(facts_.name), RowName(row), facts_.columns[largest].name,
                  Sized(row_bytes_max), Sized(bytes), Sized(largest_bytes)),
      fmt::format("--memory {}MiB would do, or leave the column out",
                  (bytes * kMemoryPerRow + kMiB - 1) / kMiB));
}

Status RowErrors::Changed(const Status& status) const {
  if (KindOf(status) != ErrorKind::kUsage) return InTable(status);
  return Error(ErrorKind::kSource, "source.changed",
               fmt::format("{} is not what it was when it was described: {}",
                           ToString(facts_.name), status.message()),
               "run again with --restart to copy it as it is now");
}

Status RowErrors::InTable(const Status& status) const {
  return InContext(status, ToString(facts_.name));
}

}  // namespace sluice::mysql
