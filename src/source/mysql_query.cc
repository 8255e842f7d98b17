// How the rows of a range are asked for. A value that might make a row larger than wanted is sent only
// if the row is not: the lengths are asked for besides, so the message can say which column it was,
// and the connection is as good as before.
#include "source/mysql_query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_reader.h"
#include "base/vocabulary_json.h"
#include "source/mysql_definition.h"
#include "sql/mysql_digest.h"

namespace sluice::mysql {
namespace {

constexpr char kDetail[] = "MySQL table detail";
/// Beyond this many, each guarded value is compared alone: the sum of all in each would be a
/// statement of squared length.
constexpr size_t kSummedMax = 8;

nlohmann::json ToJson(const ColumnFacts& column) {
  return {{"name", JsonFromText(column.name)},
          {"kind", NameOf(column.type.kind)},
          {"precision", column.type.precision},
          {"scale", column.type.scale},
          {"is_unsigned", column.type.is_unsigned},
          {"has_empty_member", column.type.has_empty_member},
          {"on_misfit", NameOf(column.on_misfit)},
          {"charset", column.charset},
          {"value_bytes_max", JsonFromInt(column.value_bytes_max)},
          {"srid", column.srid},
          {"is_computed", column.is_computed}};
}

ColumnFacts ColumnFrom(const nlohmann::json& json, Status* status) {
  JsonReader reader(json, kDetail);
  ColumnFacts column;
  column.name = reader.Text("name");
  column.type.kind = reader.Take("kind", ColumnKindFrom(reader.Text("kind")));
  column.type.precision = static_cast<int>(reader.Int("precision"));
  column.type.scale = static_cast<int>(reader.Int("scale"));
  column.type.is_unsigned = reader.Flag("is_unsigned");
  column.type.has_empty_member = reader.Flag("has_empty_member");
  column.on_misfit = reader.Take("on_misfit", OnMisfitFrom(reader.Text("on_misfit")));
  column.charset = reader.Text("charset");
  column.value_bytes_max = reader.Int("value_bytes_max");
  column.srid = reader.Int("srid");
  column.is_computed = reader.Flag("is_computed");
  if (status->ok()) *status = reader.status();
  return column;
}

KeyColumn KeyColumnFrom(const nlohmann::json& json, Status* status) {
  JsonReader reader(json, kDetail);
  KeyColumn column;
  column.name = reader.Text("name");
  column.form = reader.Take("form", KeyFormFrom(reader.Text("form")));
  column.charset = reader.Text("charset");
  column.collation = reader.Text("collation");
  column.is_wide = reader.Flag("is_wide");
  if (status->ok()) *status = reader.status();
  return column;
}

CanonicalForm FormOf(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kBool:
    case ColumnKind::kInt8:
    case ColumnKind::kInt16:
    case ColumnKind::kInt32:
    case ColumnKind::kInt64:
    case ColumnKind::kUint64:
    case ColumnKind::kBits:
    case ColumnKind::kBits64:
    case ColumnKind::kFlag:
    case ColumnKind::kUint8Native:
    case ColumnKind::kUint16Native:
    case ColumnKind::kUint32Native:
    case ColumnKind::kUint64Native: return CanonicalForm::kNumber;
    case ColumnKind::kFloat:
    case ColumnKind::kDouble: return CanonicalForm::kDouble;
    case ColumnKind::kDecimal: return CanonicalForm::kDecimal;
    case ColumnKind::kDate: return CanonicalForm::kDate;
    case ColumnKind::kTimestamp:
    case ColumnKind::kInstant: return CanonicalForm::kTimestamp;
    default: return CanonicalForm::kText;
  }
}

std::string LengthOf(const ColumnFacts& column) {
  return fmt::format("LENGTH({})", QuoteName(column.name));
}

/// The condition under which a guarded value is left out.
std::string TooLarge(const std::vector<const ColumnFacts*>& guarded,
                     const ColumnFacts& column, int64_t row_bytes_max) {
  if (guarded.size() > kSummedMax)
    return fmt::format("{}>{}", LengthOf(column), row_bytes_max);
  std::string sum;
  for (const ColumnFacts* each : guarded)
    sum += fmt::format("{}COALESCE({},0)", sum.empty() ? "" : "+", LengthOf(*each));
  return fmt::format("{}>{}", sum, row_bytes_max);
}

}  // namespace

std::string ToDetail(const RelationFacts& facts) {
  nlohmann::json json = {{"schema", JsonFromText(facts.name.schema)},
                         {"table", JsonFromText(facts.name.table)},
                         {"where", JsonFromText(facts.where)},
                         {"query", JsonFromText(facts.query)},
                         {"is_wrapped", facts.is_wrapped},
                         {"index", JsonFromText(facts.index)},
                         {"definition", facts.definition},
                         {"columns", nlohmann::json::array()},
                         {"key_columns", nlohmann::json::array()},
                         {"key", nlohmann::json::array()}};
  for (const ColumnFacts& column : facts.columns)
    json["columns"].push_back(ToJson(column));
  for (const ColumnFacts& column : facts.key_columns)
    json["key_columns"].push_back(ToJson(column));
  for (const KeyColumn& column : facts.key)
    json["key"].push_back({{"name", JsonFromText(column.name)},
                           {"form", NameOf(column.form)},
                           {"charset", column.charset},
                           {"collation", column.collation},
                           {"is_wide", column.is_wide}});
  return DumpJson(json);
}

Result<RelationFacts> FactsOf(const TableInfo& table) {
  ARROW_ASSIGN_OR_RAISE(const nlohmann::json json, ParseJson(table.detail, kDetail));
  JsonReader reader(json, kDetail);
  RelationFacts facts;
  facts.name = {reader.Text("schema"), reader.Text("table")};
  facts.where = reader.Text("where");
  facts.query = reader.Text("query");
  facts.is_wrapped = reader.Flag("is_wrapped");
  facts.index = reader.Text("index");
  facts.definition = reader.Text("definition");
  Status status;
  for (const auto& column : reader.List("columns"))
    facts.columns.push_back(ColumnFrom(column, &status));
  for (const auto& column : reader.List("key_columns"))
    facts.key_columns.push_back(ColumnFrom(column, &status));
  for (const auto& column : reader.List("key"))
    facts.key.push_back(KeyColumnFrom(column, &status));
  if (status.ok()) status = reader.status();
  if (status.ok()) return facts;
  return Error(ErrorKind::kSource, "source.other-version",
               "the load was begun by another version: " + status.message(),
               "finish it with that version, or --restart to discard it and begin anew");
}

std::string SelectedAs(const ColumnFacts& column) {
  const std::string name = QuoteName(column.name);
  std::string text = name;
  if (column.charset == "latin1") {
    text = fmt::format("CONVERT({} USING utf8mb4)", name);
  } else if (!column.charset.empty()) {
    // What the server cannot convert becomes a '?' without a word: seen by converting back, and
    // then sent behind a byte that no UTF-8 has. Where it drops characters the byte is sent alone.
    text = fmt::format(
        "IF(CAST(CONVERT(CONVERT({0} USING utf8mb4) USING {1}) AS BINARY)<=>"
        "CAST({0} AS BINARY),CAST(CONVERT({0} USING utf8mb4) AS BINARY),"
        "CONCAT(x'FF',IF(CHAR_LENGTH(CONVERT({0} USING utf8mb4))<=>CHAR_LENGTH({0}),"
        "CAST(CONVERT({0} USING utf8mb4) AS BINARY),'')))",
        name, column.charset);
  }
  // COALESCE and IF of two widths come as the number's digits, under a type that says bits.
  const bool is_bits = column.type.kind == ColumnKind::kBool ||
                       column.type.kind == ColumnKind::kBits ||
                       column.type.kind == ColumnKind::kBits64;
  if (is_bits && column.is_computed)
    return fmt::format("UNHEX(LPAD(HEX(CAST({} AS UNSIGNED)),16,'0'))", name);
  // A year among tiny integers is cut to eight bits on the wire.
  const bool is_integer =
      column.type.kind == ColumnKind::kInt8 || column.type.kind == ColumnKind::kInt16 ||
      column.type.kind == ColumnKind::kInt32 || column.type.kind == ColumnKind::kInt64;
  if (is_integer && column.is_computed) return fmt::format("CAST({} AS SIGNED)", name);
  // A type of its own on the wire, which clients older than it do not know; in it are the floats.
  if (column.type.kind == ColumnKind::kVector)
    return fmt::format("CAST({} AS BINARY)", name);
  // Where '' is a member, the error value looks like it.
  if (column.type.kind == ColumnKind::kEnum && column.type.has_empty_member)
    return fmt::format("IF({}+0=0,x'FF',CAST({} AS BINARY))", name, text);
  return text;
}

std::string FromClause(const RelationFacts& facts) {
  if (!facts.query.empty()) return DerivedTable(facts.query);
  std::string clause = " FROM " + QuoteName(facts.name);
  // Else a condition in `where` could choose another index, and sort every chunk.
  if (!facts.index.empty())
    clause += fmt::format(" FORCE INDEX ({})", QuoteName(facts.index));
  return clause;
}

Result<std::string> WhereClause(const RelationFacts& facts, const KeyRange& range,
                                bool with_condition) {
  ARROW_ASSIGN_OR_RAISE(std::string condition, RangeCondition(facts.key, range));
  if (with_condition && !facts.where.empty())
    condition += (condition.empty() ? "(" : " AND (") + facts.where + ")";
  return condition.empty() ? condition : " WHERE " + condition;
}

Result<RowsQuery> SelectRows(const RelationFacts& facts, const KeyRange& range,
                             int64_t row_bytes_max) {
  RowsQuery query;
  query.lengths.assign(facts.columns.size(), -1);
  if (!facts.query.empty() && !facts.is_wrapped) {
    query.sql = facts.query;
    return query;
  }
  int64_t bytes_max = 0;
  for (const ColumnFacts& column : facts.columns) bytes_max += column.value_bytes_max;
  std::vector<const ColumnFacts*> guarded;
  for (const ColumnFacts& column : facts.columns)
    if (bytes_max > row_bytes_max && column.value_bytes_max > 0)
      guarded.push_back(&column);

  std::vector<std::string> selected;
  for (const ColumnFacts& column : facts.columns) {
    const bool is_guarded =
        std::find(guarded.begin(), guarded.end(), &column) != guarded.end();
    selected.push_back(is_guarded ? fmt::format("IF({},NULL,{})",
                                                TooLarge(guarded, column, row_bytes_max),
                                                SelectedAs(column))
                                  : SelectedAs(column));
  }
  for (const ColumnFacts* column : guarded) {
    query.lengths[static_cast<size_t>(column - facts.columns.data())] =
        static_cast<int>(selected.size());
    selected.push_back(LengthOf(*column));
  }
  for (const ColumnFacts& column : facts.key_columns) {
    const auto found = std::find_if(
        facts.columns.begin(), facts.columns.end(),
        [&column](const ColumnFacts& each) { return each.name == column.name; });
    query.label_places.push_back(static_cast<int>(found - facts.columns.begin()));
    if (found != facts.columns.end()) continue;
    query.label_places.back() = static_cast<int>(selected.size());
    selected.push_back(SelectedAs(column));
  }
  ARROW_ASSIGN_OR_RAISE(const std::string where, WhereClause(facts, range, true));
  query.sql = fmt::format("SELECT {}{}{}{}", fmt::join(selected, ","), FromClause(facts),
                          where, KeyOrder(facts.key, /*descending=*/false));
  return query;
}

Result<std::string> SelectKey(const RelationFacts& facts, const KeyRange& range,
                              int64_t offset, bool from_the_end) {
  ARROW_ASSIGN_OR_RAISE(const std::string where, WhereClause(facts, range, false));
  return fmt::format("SELECT {}{}{}{} LIMIT 1 OFFSET {}", KeyList(facts.key),
                     FromClause(facts), where, KeyOrder(facts.key, from_the_end), offset);
}

Result<std::optional<std::string>> SelectDigestOf(const RelationFacts& facts,
                                                  const KeyRange& range) {
  std::vector<CanonicalColumn> columns;
  for (const ColumnFacts& column : facts.columns) {
    const bool may_change = column.is_computed || (column.on_misfit != OnMisfit::kError &&
                                                   MayMisfit(column.type.kind));
    if (may_change || !HasServerForm(column.type.kind)) return std::nullopt;
    const std::string name = QuoteName(column.name);
    std::string expression = SelectedAs(column);
    if (column.type.kind == ColumnKind::kGeometry)
      expression = fmt::format("SUBSTR({},5)", name);
    // Of a UUID the text, as it is delivered, and not its 16 bytes.
    if (column.type.kind == ColumnKind::kAscii)
      expression = fmt::format("CAST({} AS CHAR)", name);
    columns.push_back({std::move(expression), FormOf(column.type.kind)});
  }
  ARROW_ASSIGN_OR_RAISE(const std::string where, WhereClause(facts, range, true));
  return std::optional(SelectDigest(columns, FromClause(facts) + where));
}

}  // namespace sluice::mysql
