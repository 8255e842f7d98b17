#include "source/sqlite_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "arrow/record_batch.h"
#include "arrow/scalar.h"
#include "arrow/type.h"
#include "source/sqlite_describe.h"
#include "source/sqlite_explain.h"
#include "source/sqlite_query.h"
#include "source/sqlite_reader.h"

namespace sluice::sqlite {
namespace {

constexpr int kProbes = 16;
constexpr int kProbesFoundMin = 14;

std::optional<int64_t> IntegerOf(const std::optional<Key>& key) {
  if (!key || key->size() != 1 || (*key)[0]->type->id() != arrow::Type::INT64)
    return std::nullopt;
  return static_cast<const arrow::Int64Scalar&>(*(*key)[0]).value;
}

Key IntegerKey(int64_t value) { return {std::make_shared<arrow::Int64Scalar>(value)}; }

class SqliteSession : public Session {
 public:
  explicit SqliteSession(std::shared_ptr<Database> database)
      : database_(std::move(database)) {}

  Result<std::vector<TableName>> List(const Pattern& pattern) override {
    // A virtual table is a view upon its shadow tables, which hold the rows; SQLite knows those by their
    // names alone, so that a table of the user's may be one of them.
    ARROW_ASSIGN_OR_RAISE(
        Statement rows,
        database_->Prepare(
            "SELECT s.name FROM main.sqlite_schema s "
            "JOIN pragma_table_list l ON l.schema = 'main' AND l.name = s.name "
            "WHERE s.type IN ('table', 'view') AND s.name GLOB ?1 "
            "AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
            "AND (l.type IN ('table', 'shadow') OR (?2 AND l.type IN ('view', 'virtual'))) "
            "ORDER BY s.rowid"));
    ARROW_RETURN_NOT_OK(rows.BindText(0, pattern.glob));
    ARROW_RETURN_NOT_OK(rows.BindInt64(1, pattern.views ? 1 : 0));
    std::vector<TableName> names;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Step());
      if (!has_row) return names;
      names.push_back({"main", std::string(rows.ColumnText(0))});
    }
  }

  Result<TableInfo> Describe(const Relation& relation) override {
    return DescribeRelation(*database_, relation);
  }

  std::vector<Result<ReadPlan>> ExplainAll(
      const std::vector<TableInfo>& tables) override {
    std::vector<Result<ReadPlan>> plans;
    plans.reserve(tables.size());
    for (const TableInfo& table : tables)
      plans.push_back(ExplainTable(*database_, table));
    return plans;
  }

  Result<std::optional<Key>> LastKey(const TableInfo& table) override {
    ARROW_ASSIGN_OR_RAISE(const RelationFacts facts, KeyedFactsOf(table));
    return FindKey(facts, {}, 0, /*from_the_end=*/true);
  }

  Result<std::optional<Key>> Bound(const TableInfo& table, const KeyRange& within,
                                   int64_t rows_wanted) override {
    ARROW_ASSIGN_OR_RAISE(const RelationFacts facts, KeyedFactsOf(table));
    rows_wanted = std::max<int64_t>(rows_wanted, 1);
    if (table.key_is_integer) {
      ARROW_ASSIGN_OR_RAISE(const auto first,
                            FindKey(facts, within, 0, /*from_the_end=*/false));
      const std::optional<int64_t> start = IntegerOf(first);
      if (!start) return std::nullopt;
      const int64_t limit =
          IntegerOf(within.upto).value_or(std::numeric_limits<int64_t>::max());
      // Keys are unique integers: no more than rows_wanted of them are left. Unsigned, as the
      // distance of two integers may need 64 bits.
      const uint64_t distance =
          static_cast<uint64_t>(limit) - static_cast<uint64_t>(*start);
      if (distance < static_cast<uint64_t>(rows_wanted)) return std::nullopt;
      const int64_t proposed = *start + (rows_wanted - 1);
      ARROW_ASSIGN_OR_RAISE(const bool is_dense, IsDense(facts, *start, rows_wanted));
      if (is_dense) return IntegerKey(proposed);
    }
    return FindKey(facts, within, rows_wanted - 1, /*from_the_end=*/false);
  }

  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      const TableInfo& table, const KeyRange& range,
      const ReadContext& context) override {
    return OpenReader(database_, table, range, context);
  }

  Result<std::optional<Digest>> DigestOf(const TableInfo&, const KeyRange&) override {
    // SQLite has no SHA-256, and its "server" is this process.
    return std::nullopt;
  }

  Status CheckUnchanged(const TableInfo& table) override {
    return CheckDefinition(*database_, table);
  }

  Status Cancel() override {
    database_->Interrupt();
    return Status::OK();
  }

 private:
  static Result<RelationFacts> KeyedFactsOf(const TableInfo& table) {
    ARROW_ASSIGN_OR_RAISE(RelationFacts facts, FactsOf(table));
    if (facts.key.columns.empty())
      return Error(ErrorKind::kFailed, "source.no-key",
                   fmt::format("wanted a table with a key, found none in {}",
                               ToString(table.relation.name)));
    return facts;
  }

  Result<std::optional<Key>> FindKey(const RelationFacts& facts, const KeyRange& range,
                                     int64_t offset, bool from_the_end) {
    ARROW_ASSIGN_OR_RAISE(Statement row,
                          database_->Prepare(SelectKey(facts, range, from_the_end)));
    ARROW_RETURN_NOT_OK(BindRange(facts, range, row));
    ARROW_RETURN_NOT_OK(row.BindInt64(RangeParameters(range), offset));
    std::vector<Cell> cells(facts.key.columns.size());
    Status failed;
    if (row.NextRow(cells.data(), &failed)) return KeyOf(cells.data(), cells.size());
    ARROW_RETURN_NOT_OK(failed);
    return std::nullopt;
  }

  /// Are nearly all of the `count` integers from `first` on keys? Asks for a few of them; they lie
  /// unevenly, for keys are often multiples of something.
  Result<bool> IsDense(const RelationFacts& facts, int64_t first, int64_t count) {
    std::string sql = "SELECT count(*)" + FromClause(facts) + " WHERE " +
                      Quote(facts.key.columns[0]) + " IN (";
    for (int i = 0; i < kProbes; ++i) sql += i == 0 ? "?" : ",?";
    ARROW_ASSIGN_OR_RAISE(Statement row, database_->Prepare(sql + ")"));
    for (int i = 0; i < kProbes; ++i) {
      constexpr double kGoldenRatio = 0.6180339887498949;
      const double place =
          (i + 1) * kGoldenRatio - static_cast<int>((i + 1) * kGoldenRatio);
      const auto step = static_cast<int64_t>(place * static_cast<double>(count));
      ARROW_RETURN_NOT_OK(row.BindInt64(i, first + step));
    }
    ARROW_RETURN_NOT_OK(row.Step());
    // Probes that fall on one integer count once: a few rows are cheaper to step over anyway.
    return row.ColumnInt64(0) >= kProbesFoundMin;
  }

  std::shared_ptr<Database> database_;
};

}  // namespace

std::unique_ptr<Session> MakeSession(std::shared_ptr<Database> database) {
  return std::make_unique<SqliteSession>(std::move(database));
}

}  // namespace sluice::sqlite
