// The statement that is explained is the one the copy sends, with bounds that rows of the table have:
// those of its first and last key, as if it were one chunk.
#include "source/mysql_explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <utility>

#include "arrow/scalar.h"
#include "sluice/source.h"
#include "source/mysql_query.h"
#include "sql/mysql_text.h"

namespace sluice::mysql {
namespace {

/// A line of EXPLAIN FORMAT=TRADITIONAL.
struct ExplainLine {
  std::string access, index, extra;
  std::optional<int64_t> rows;
};

/// The columns are those of the server: MySQL has `partitions` and `filtered` besides.
std::vector<ExplainLine> LinesFrom(const std::vector<TextRow>& rows, Flavor flavor) {
  const bool is_mysql = flavor == Flavor::kMySql;
  const size_t access = is_mysql ? 4 : 3, index = is_mysql ? 6 : 5,
               num_rows = is_mysql ? 9 : 8;
  std::vector<ExplainLine> lines;
  for (const TextRow& row : rows) {
    if (row.size() <= num_rows + 1) continue;
    ExplainLine line;
    line.access = row[access].value_or("");
    line.index = row[index].value_or("");
    line.extra = row.back().value_or("");
    if (row[num_rows]) {
      int64_t number = 0;
      const std::string& text = *row[num_rows];
      std::from_chars(text.data(), text.data() + text.size(), number);
      line.rows = number;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

/// The first key and the last, or no range for a table without rows.
Result<KeyRange> WholeRange(Connection& connection, const RelationFacts& facts) {
  KeyRange range;
  if (facts.key.empty()) return range;
  ARROW_ASSIGN_OR_RAISE(const std::string first, SelectKey(facts, {}, 0, false));
  ARROW_ASSIGN_OR_RAISE(const std::string last, SelectKey(facts, {}, 0, true));
  ARROW_ASSIGN_OR_RAISE(
      const auto rows, connection.Query(fmt::format("({}) UNION ALL ({})", first, last)));
  if (rows.size() != 2) return range;
  ARROW_ASSIGN_OR_RAISE(Key lower, KeyFrom(facts.key, rows[0]));
  ARROW_ASSIGN_OR_RAISE(Key upper, KeyFrom(facts.key, rows[1]));
  // Of one row the range would be empty, and the optimizer would see it.
  if (rows[0] != rows[1]) range.after = std::move(lower);
  range.upto = std::move(upper);
  return range;
}

enum class Bounds { kNone, kBoth };

void Judge(const ExplainLine& line, const RelationFacts& facts, const TableInfo& table,
           Bounds bounds, ReadPlan* plan) {
  const auto has = [&line](std::string_view words) {
    return line.extra.find(words) != std::string::npos;
  };
  const auto warn = [plan](std::string sentence) {
    plan->warnings.push_back(std::move(sentence));
  };
  if (!facts.key.empty()) {
    if (line.access == "ALL")
      warn("every chunk reads the whole table: no index serves the key");
    else if (line.access == "index" && bounds == Bounds::kBoth)
      warn(
          fmt::format("every chunk reads the whole index {}: the key's range is not "
                      "served by it",
                      line.index));
    if (!line.index.empty() && line.index != facts.index)
      warn(fmt::format("the key is read by the index {}, not by its own, {}", line.index,
                       facts.index));
    if (has("Using filesort") || has("Using temporary"))
      warn("the server sorts each chunk's rows: no index gives them in the key's order");
  }
  if (!facts.where.empty() && line.rows && *line.rows * 4 >= table.estimated_rows)
    warn(fmt::format(
        "`where` narrows no index that is known: about {} rows are read to find those that "
        "it keeps",
        *line.rows));
}

Result<ReadPlan> ExplainTable(Connection& connection, const TableInfo& table) {
  ARROW_ASSIGN_OR_RAISE(const RelationFacts facts, FactsOf(table));
  ReadPlan plan;
  ARROW_ASSIGN_OR_RAISE(const KeyRange range, WholeRange(connection, facts));
  ARROW_ASSIGN_OR_RAISE(const RowsQuery query,
                        SelectRows(facts, range, ReadContext{}.row_bytes_max));
  const auto rows = connection.Query("EXPLAIN FORMAT=TRADITIONAL " + query.sql);
  // SELECT on a view does not include to see what it is made of.
  if (!rows.ok() && facts.key.empty() && KindOf(rows.status()) != ErrorKind::kTransient) {
    ARROW_RETURN_NOT_OK(connection.Check(query.sql));
    plan.warnings.push_back(
        "how it is read is not known; EXPLAIN of a view needs SHOW VIEW: " +
        rows.status().message());
    return plan;
  }
  ARROW_RETURN_NOT_OK(rows.status());
  auto lines = LinesFrom(*rows, connection.server().flavor);
  if (lines.empty()) return plan;
  // MySQL looks at no rows for a range of a forced index, and tells the number of ranges.
  const bool counts = connection.server().flavor == Flavor::kMariaDb;
  if (!counts && !facts.index.empty() && range.upto) lines[0].rows = table.estimated_rows;
  std::vector<std::string> accesses;
  for (const ExplainLine& line : lines)
    if (!line.access.empty()) accesses.push_back(line.access);
  plan.access = fmt::format("{}", fmt::join(accesses, ", "));
  plan.index = lines[0].index;
  plan.rows_examined = lines[0].rows;
  Judge(lines[0], facts, table, range.upto ? Bounds::kBoth : Bounds::kNone, &plan);
  return plan;
}

/// The engines of tables that no snapshot includes, by table.
using Engines = std::map<TableName, std::string>;

Result<Engines> OtherEngines(Connection& connection, const std::string& schema) {
  ARROW_ASSIGN_OR_RAISE(const auto rows,
                        connection.Query(fmt::format(
                            "SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES "
                            "WHERE TABLE_SCHEMA = {} AND ENGINE NOT IN ('InnoDB', "
                            "'ROCKSDB')",
                            TextLiteral(schema))));
  Engines engines;
  for (const TextRow& row : rows)
    engines[{schema, row[0].value_or("")}] = row[1].value_or("");
  return engines;
}

}  // namespace

std::vector<Result<ReadPlan>> ExplainTables(Connection& connection,
                                            const std::vector<TableInfo>& tables) {
  std::vector<Result<ReadPlan>> plans;
  if (tables.empty()) return plans;
  const auto engines = OtherEngines(connection, tables[0].relation.name.schema);
  for (const TableInfo& table : tables) {
    auto plan = ExplainTable(connection, table);
    if (plan.ok() && !engines.ok())
      plan->warnings.push_back("whether a snapshot includes it is not known: " +
                               engines.status().message());
    const bool is_other = engines.ok() && engines->contains(table.relation.name);
    if (plan.ok() && is_other)
      plan->warnings.push_back(
          fmt::format("engine {}: no snapshot includes it, its rows are read as they are",
                      engines->at(table.relation.name)));
    plans.push_back(std::move(plan));
  }
  return plans;
}

}  // namespace sluice::mysql
