// How a range of keys is said to SQLite. Row values, (a, b) > (?, ?): SQLite seeks with all parts
// of them and stops by them, where the OR form, or one with `a >= ?` in front, seeks by the first
// part alone and so reads a whole tenant again for every chunk of a key (tenant, id). Seen with
// EXPLAIN QUERY PLAN: "SEARCH t USING INDEX i ((a,b)>(?,?) AND (a,b)<(?,?))". The collation stands
// at the parameter, for at the column it would hide the column from the index.
#include "source/sqlite_query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "arrow/buffer.h"
#include "arrow/scalar.h"
#include "arrow/type.h"
#include "base/json_reader.h"
#include "base/vocabulary_json.h"

namespace sluice::sqlite {
namespace {

std::string Condition(const KeyDefinition& key, const char* comparison) {
  std::vector<std::string> names, values;
  for (size_t i = 0; i < key.columns.size(); ++i) {
    names.push_back(Quote(key.columns[i]));
    values.push_back("? COLLATE " + key.collations[i]);
  }
  if (names.size() == 1) return fmt::format("{} {} {}", names[0], comparison, values[0]);
  return fmt::format("({}) {} ({})", fmt::join(names, ","), comparison,
                     fmt::join(values, ","));
}

std::vector<std::string> RangeConditions(const RelationFacts& facts,
                                         const KeyRange& range) {
  std::vector<std::string> conditions;
  if (range.after) conditions.push_back(Condition(facts.key, ">"));
  if (range.upto) conditions.push_back(Condition(facts.key, "<="));
  return conditions;
}

std::string WhereClause(const std::vector<std::string>& conditions) {
  if (conditions.empty()) return "";
  return fmt::format(" WHERE {}", fmt::join(conditions, " AND "));
}

std::string OrderClause(const RelationFacts& facts, bool from_the_end) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < facts.key.columns.size(); ++i)
    parts.push_back(fmt::format("{} COLLATE {}{}", Quote(facts.key.columns[i]),
                                facts.key.collations[i], from_the_end ? " DESC" : ""));
  // Without a key: still one order, so that a failed row can be found again.
  if (parts.empty() && !facts.rowid.empty()) parts.push_back(facts.rowid);
  return parts.empty() ? "" : fmt::format(" ORDER BY {}", fmt::join(parts, ","));
}

Status Bind(const arrow::Scalar& value, int index, Statement& statement) {
  switch (value.type->id()) {
    case arrow::Type::INT64:
      return statement.BindInt64(index,
                                 static_cast<const arrow::Int64Scalar&>(value).value);
    case arrow::Type::DOUBLE:
      return statement.BindDouble(index,
                                  static_cast<const arrow::DoubleScalar&>(value).value);
    case arrow::Type::STRING:
      return statement.BindText(
          index, static_cast<const arrow::BaseBinaryScalar&>(value).view());
    case arrow::Type::BINARY:
      return statement.BindBlob(
          index, static_cast<const arrow::BaseBinaryScalar&>(value).view());
    default:
      return Error(
          ErrorKind::kFailed, "source.key",
          fmt::format("wanted a key of int64, double, string or binary, found {}",
                      value.type->ToString()));
  }
}

Status BindKey(const RelationFacts& facts, const Key& key, int first,
               Statement& statement) {
  if (key.size() != facts.key.columns.size())
    return Error(ErrorKind::kFailed, "source.key",
                 fmt::format("wanted a key of {} values for {}, found {}",
                             facts.key.columns.size(), facts.table, key.size()));
  for (size_t i = 0; i < key.size(); ++i)
    ARROW_RETURN_NOT_OK(Bind(*key[i], first + static_cast<int>(i), statement));
  return Status::OK();
}

}  // namespace

std::string ToDetail(const RelationFacts& facts) {
  nlohmann::json json = {{"table", facts.table},
                         {"where", JsonFromText(facts.where)},
                         {"sql", JsonFromText(facts.sql)},
                         {"columns", JsonFromTexts(facts.columns)},
                         {"key", JsonFromTexts(facts.key.columns)},
                         {"collations", JsonFromTexts(facts.key.collations)},
                         {"index", facts.key.index},
                         {"rowid", facts.rowid},
                         {"is_table", facts.is_table},
                         {"definition", facts.definition}};
  std::vector<std::string> kinds;
  for (const ColumnKind kind : facts.kinds) kinds.emplace_back(NameOf(kind));
  json["kinds"] = JsonFromTexts(kinds);
  std::vector<std::string> misfits;
  for (const OnTypeMismatch misfit : facts.misfits)
    misfits.emplace_back(ToString(misfit));
  json["misfits"] = JsonFromTexts(misfits);
  return DumpJson(json);
}

Result<RelationFacts> FactsOf(const TableInfo& table) {
  ARROW_ASSIGN_OR_RAISE(const nlohmann::json json,
                        ParseJson(table.detail, "SQLite table detail"));
  JsonReader reader(json, "SQLite table detail");
  RelationFacts facts;
  facts.table = reader.Text("table");
  facts.where = reader.Text("where");
  facts.sql = reader.Text("sql");
  facts.columns = reader.Texts("columns");
  facts.key = {reader.Texts("key"), reader.Texts("collations"), reader.Text("index")};
  facts.rowid = reader.Text("rowid");
  facts.is_table = reader.Flag("is_table");
  facts.definition = reader.Text("definition");
  for (const std::string& kind : reader.Texts("kinds"))
    facts.kinds.push_back(reader.Take("kinds", ColumnKindFrom(kind)));
  for (const std::string& misfit : reader.Texts("misfits"))
    facts.misfits.push_back(reader.Take("misfits", OnTypeMismatchFrom(misfit)));
  ARROW_RETURN_NOT_OK(reader.status());
  if (facts.kinds.size() != facts.columns.size() ||
      facts.misfits.size() != facts.columns.size() ||
      facts.key.columns.size() != facts.key.collations.size())
    return MalformedJson("SQLite table detail", "as many kinds as columns");
  return facts;
}

std::string FromClause(const RelationFacts& facts) {
  std::string clause = " FROM main." + Quote(facts.table);
  if (!facts.is_table) return clause;
  // Else a condition in `where` could choose another index, and sort every chunk.
  if (!facts.key.index.empty()) return clause + " INDEXED BY " + Quote(facts.key.index);
  return facts.rowid.empty() && facts.key.columns.empty() ? clause
                                                          : clause + " NOT INDEXED";
}

RowsQuery SelectRows(const RelationFacts& facts, const KeyRange& range) {
  RowsQuery query;
  if (!facts.sql.empty()) {
    query.sql = facts.sql;
    return query;
  }
  query.label_names = facts.key.columns;
  std::vector<std::string> selected;
  for (const std::string& column : facts.columns) selected.push_back(Quote(column));
  for (const std::string& column : facts.key.columns) {
    const auto found = std::find(facts.columns.begin(), facts.columns.end(), column);
    query.label_places.push_back(static_cast<int>(found - facts.columns.begin()));
    if (found != facts.columns.end()) continue;
    query.label_places.back() = static_cast<int>(selected.size());
    selected.push_back(Quote(column));
  }
  // SQLite gives no more than 2,000 columns: the widest tables do without the name of a row.
  constexpr size_t kResultColumnsMax = 2000;
  if (facts.key.columns.empty() && !facts.rowid.empty() &&
      selected.size() < kResultColumnsMax) {
    query.label_names = {"rowid"};
    query.label_places = {static_cast<int>(selected.size())};
    selected.push_back(facts.rowid);
  }
  std::vector<std::string> conditions = RangeConditions(facts, range);
  if (!facts.where.empty()) conditions.push_back("(" + facts.where + ")");
  query.sql =
      fmt::format("SELECT {}{}{}{}", fmt::join(selected, ","), FromClause(facts),
                  WhereClause(conditions), OrderClause(facts, /*from_the_end=*/false));
  return query;
}

std::string SelectKey(const RelationFacts& facts, const KeyRange& range,
                      bool from_the_end) {
  std::vector<std::string> names;
  for (const std::string& column : facts.key.columns) names.push_back(Quote(column));
  return fmt::format("SELECT {}{}{}{} LIMIT 1 OFFSET ?", fmt::join(names, ","),
                     FromClause(facts), WhereClause(RangeConditions(facts, range)),
                     OrderClause(facts, from_the_end));
}

int RangeParameters(const KeyRange& range) {
  const size_t count =
      (range.after ? range.after->size() : 0) + (range.upto ? range.upto->size() : 0);
  return static_cast<int>(count);
}

Status BindRange(const RelationFacts& facts, const KeyRange& range,
                 Statement& statement) {
  int first = 0;
  for (const std::optional<Key>* bound : {&range.after, &range.upto}) {
    if (!*bound) continue;
    ARROW_RETURN_NOT_OK(BindKey(facts, **bound, first, statement));
    first += static_cast<int>((*bound)->size());
  }
  return Status::OK();
}

Result<Key> KeyOf(const Cell* cells, size_t count) {
  Key key;
  for (size_t i = 0; i < count; ++i) {
    const Cell& cell = cells[i];
    switch (cell.type) {
      case Type::kInteger:
        key.push_back(std::make_shared<arrow::Int64Scalar>(cell.integer));
        break;
      case Type::kReal:
        key.push_back(std::make_shared<arrow::DoubleScalar>(cell.real));
        break;
      case Type::kText:
        key.push_back(std::make_shared<arrow::StringScalar>(std::string(cell.bytes())));
        break;
      case Type::kBlob:
        key.push_back(std::make_shared<arrow::BinaryScalar>(
            arrow::Buffer::FromString(std::string(cell.bytes()))));
        break;
      case Type::kNull:
        return Error(ErrorKind::kSource, "source.null-in-key",
                     "wanted a key without NULL, as the table declares it, found NULL",
                     "look with `PRAGMA integrity_check`");
    }
  }
  return key;
}

}  // namespace sluice::sqlite
