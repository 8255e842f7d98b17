#include "source/sqlite_explain.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "source/sqlite_query.h"

namespace sluice::sqlite {
namespace {

constexpr int64_t kFewRows = 1000;

/// The lines of the plan: "SEARCH orders USING INDEX by_day (day>? AND day<?)".
Result<std::vector<std::string>> Explain(Database& database, const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(Statement rows, database.Prepare("EXPLAIN QUERY PLAN " + sql));
  std::vector<std::string> lines;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Step());
    if (!has_row) return lines;
    constexpr int kDetail = 3;
    lines.emplace_back(rows.ColumnText(kDetail));
  }
}

/// What stands behind USING, without its condition: "INDEX by_day", "INTEGER PRIMARY KEY".
std::string IndexIn(std::string_view line) {
  constexpr std::string_view kUsing = " USING ";
  const size_t at = line.find(kUsing);
  if (at == std::string_view::npos) return {};
  std::string_view index = line.substr(at + kUsing.size());
  index = index.substr(0, index.find(" ("));
  for (const std::string_view word : {"COVERING ", "INDEX "})
    if (index.starts_with(word)) index.remove_prefix(word.size());
  return std::string(index);
}

}  // namespace

Result<ReadPlan> ExplainTable(Database& database, const TableInfo& table) {
  ARROW_ASSIGN_OR_RAISE(const RelationFacts facts, FactsOf(table));
  const bool has_key = !facts.key.columns.empty();
  // The plan is made of the statement alone: its bounds need no values.
  KeyRange range;
  if (has_key) range = {Key{}, Key{}};
  ARROW_ASSIGN_OR_RAISE(const auto lines,
                        Explain(database, SelectRows(facts, range).sql));
  ReadPlan plan;
  plan.rows_examined = table.estimated_rows;
  bool sorts = false;
  for (const std::string& line : lines) {
    sorts = sorts || line.find("TEMP B-TREE FOR ORDER BY") != std::string::npos;
    if (!plan.access.empty()) continue;
    if (!line.starts_with("SEARCH") && !line.starts_with("SCAN")) continue;
    plan.access = line.substr(0, line.find(' '));
    plan.index = IndexIn(line);
  }
  // Of a few rows SQLite itself prefers to read all.
  if (has_key && plan.access != "SEARCH" && table.estimated_rows > kFewRows)
    plan.warnings.emplace_back(
        "every chunk reads the whole table: no index serves the key");
  if (has_key && sorts)
    plan.warnings.emplace_back(
        "SQLite sorts each chunk's rows: no index gives them in the key's order");
  if (!facts.where.empty() && (has_key || plan.access == "SCAN"))
    plan.warnings.emplace_back(
        "`where` narrows no index: all rows are read to find those that it keeps");
  return plan;
}

}  // namespace sluice::sqlite
