#include "source/sqlite_misfits.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "source/columns.h"

namespace sluice::sqlite {
namespace {

constexpr int64_t kFetchedValueMax = 1 << 20;
constexpr int64_t kAnyValueMax = 1'000'000'000;

/// 1 where the value of `name` does not fit, 0 or NULL where it does; text where it must be parsed
/// to know. typeof() alone loads no value.
std::string MisfitExpression(ColumnKind kind, const std::string& name) {
  switch (kind) {
    case ColumnKind::kString:
    case ColumnKind::kAnyString: return fmt::format("typeof({})='blob'", name);
    case ColumnKind::kInt64:
      return fmt::format("typeof({}) NOT IN ('integer','null')", name);
    case ColumnKind::kBinary:
      return fmt::format("typeof({}) NOT IN ('blob','null')", name);
    case ColumnKind::kFloat64:
      return fmt::format(
          "CASE typeof({0}) WHEN 'integer' THEN {0} NOT BETWEEN -9007199254740992 AND "
          "9007199254740992 ELSE typeof({0}) NOT IN ('real','null') END",
          name);
    case ColumnKind::kBool:
      return fmt::format(
          "CASE typeof({0}) WHEN 'integer' THEN {0} NOT IN (0,1) "
          "ELSE typeof({0})<>'null' END",
          name);
    case ColumnKind::kDate:
    case ColumnKind::kTimestamp:
      return fmt::format(
          "CASE typeof({0}) WHEN 'text' THEN CASE WHEN length({0})<=26 THEN {0} "
          "ELSE 1 END ELSE typeof({0})<>'null' END",
          name);
  }
  return "1";
}

/// Of the answer to a MisfitExpression.
bool SaysMisfit(ColumnKind kind, const Cell& cell) {
  if (cell.type == Type::kInteger) return cell.integer != 0;
  return cell.type != Type::kNull && !Fits(kind, cell);
}

using Judge = bool (*)(ColumnKind kind, const Cell& cell);

/// In the table's own order: every row is visited, so the key's index would only cost.
std::string SelectOf(const RelationFacts& facts,
                     const std::vector<std::string>& expressions) {
  const std::string where =
      facts.where.empty() ? "" : fmt::format(" WHERE ({})", facts.where);
  return fmt::format("SELECT {} FROM main.{}{}", fmt::join(expressions, ","),
                     Quote(facts.table), where);
}

/// `expressions` has one place for each column, which `is_misfit` judges.
Result<std::vector<bool>> Scan(Database& database, const RelationFacts& facts,
                               const std::vector<std::string>& expressions,
                               Judge is_misfit) {
  const std::string sql = facts.sql.empty() ? SelectOf(facts, expressions) : facts.sql;
  ARROW_ASSIGN_OR_RAISE(Statement rows, database.Prepare(sql));
  std::vector<Cell> cells(facts.columns.size());
  std::vector<bool> misfits(facts.columns.size());
  size_t found = 0;
  Status failed;
  while (found < misfits.size() && rows.NextRow(cells.data(), &failed)) {
    for (size_t i = 0; i < cells.size(); ++i) {
      if (misfits[i] || !is_misfit(facts.kinds[i], cells[i])) continue;
      misfits[i] = true;
      ++found;
    }
  }
  ARROW_RETURN_NOT_OK(failed);
  return misfits;
}

}  // namespace

Result<std::vector<bool>> FindMisfits(Database& database, const RelationFacts& facts) {
  std::vector<std::string> values, expressions;
  for (size_t i = 0; i < facts.columns.size(); ++i) {
    values.push_back(Quote(facts.columns[i]));
    expressions.push_back(MisfitExpression(facts.kinds[i], values.back()));
  }
  // To fetch the values costs a third of asking SQLite about each, unless they are large.
  database.LimitValueBytes(facts.sql.empty() ? kFetchedValueMax : kAnyValueMax);
  auto misfits = Scan(database, facts, values, [](ColumnKind kind, const Cell& cell) {
    return cell.type != Type::kNull && !Fits(kind, cell);
  });
  database.LimitValueBytes(kAnyValueMax);
  if (IdOf(misfits.status()) != "sqlite.too-big" || !facts.sql.empty()) return misfits;
  return Scan(database, facts, expressions, &SaysMisfit);
}

}  // namespace sluice::sqlite
