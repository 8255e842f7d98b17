#include "source/sqlite_describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "arrow/type.h"
#include "arrow/util/key_value_metadata.h"
#include "base/nearest.h"
#include "base/sha256.h"
#include "source/sqlite_definition.h"
#include "source/sqlite_describe_query.h"
#include "source/sqlite_policy.h"
#include "source/sqlite_query.h"
#include "source/sqlite_types.h"
#include "source/sqlite_where.h"

namespace sluice::sqlite {
namespace {

constexpr int kSampledRows = 64;
constexpr int64_t kSampledValueMax = 1 << 20;
constexpr int64_t kAnyValueMax = 1'000'000'000;

bool SameIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) {
                      return std::tolower(x) == std::tolower(y);
                    });
}

Result<const ColumnDefinition*> FindColumn(const Definition& definition,
                                           const std::string& name) {
  std::vector<std::string> names;
  const ColumnDefinition* similar = nullptr;
  for (const ColumnDefinition& column : definition.columns) {
    if (column.name == name) return &column;
    if (SameIgnoringCase(column.name, name)) similar = &column;
    names.push_back(column.name);
  }
  if (similar != nullptr) return similar;
  return Error(ErrorKind::kUsage, "source.no-such-column",
               fmt::format("wanted a column of {}, found none of the name {}",
                           ToString(TableName{"main", definition.table}), name),
               DidYouMean(name, names).empty()
                   ? "sluice discover lists the columns of each table"
                   : DidYouMean(name, names));
}

Result<std::vector<ColumnDefinition>> Select(const Definition& definition,
                                             const std::vector<std::string>& wanted) {
  if (wanted.empty()) return definition.columns;
  std::vector<ColumnDefinition> columns;
  std::set<std::string> seen;
  for (const std::string& name : wanted) {
    ARROW_ASSIGN_OR_RAISE(const ColumnDefinition* column, FindColumn(definition, name));
    if (!seen.insert(column->name).second)
      return Error(ErrorKind::kUsage, "source.column-twice",
                   fmt::format("wanted each column once, found {} twice", column->name));
    columns.push_back(*column);
  }
  return columns;
}

std::shared_ptr<arrow::Field> FieldOf(const ColumnDefinition& column, ColumnKind kind,
                                      const Definition& definition,
                                      OnTypeMismatch policy) {
  auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  metadata->Append("sluice.source_type", column.declared);
  if (!column.collation.empty() && ArrowTypeOf(kind)->id() == arrow::Type::STRING)
    metadata->Append("sluice.collation", column.collation);
  if (kind == ColumnKind::kAnyString)
    metadata->Append("sluice.on_type_mismatch", "string");
  bool is_rowid = false;
  if (definition.key) {
    const auto& key = definition.key->columns;
    const auto place = std::find(key.begin(), key.end(), column.name) - key.begin();
    if (place < static_cast<int64_t>(key.size()))
      metadata->Append("sluice.key", std::to_string(place + 1));
    is_rowid = definition.key->index.empty() && key[0] == column.name;
  }
  const bool nullable = policy == OnTypeMismatch::kNull || !(column.not_null || is_rowid);
  return arrow::field(column.name, ArrowTypeOf(kind), nullable, std::move(metadata));
}

/// The one number that `sql` answers; 0 for none.
Result<int64_t> Ask(Database& database, const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(Statement row, database.Prepare(sql));
  ARROW_ASSIGN_OR_RAISE(const bool has_row, row.Step());
  return has_row ? row.ColumnInt64(0) : 0;
}

/// What ANALYZE counted once; 0 if it never ran.
Result<int64_t> AnalyzedRows(Database& database, const std::string& table) {
  ARROW_ASSIGN_OR_RAISE(
      const int64_t has_statistics,
      Ask(database,
          "SELECT count(*) FROM main.sqlite_schema WHERE name = 'sqlite_stat1'"));
  if (has_statistics == 0) return 0;
  ARROW_ASSIGN_OR_RAISE(
      Statement row,
      database.Prepare("SELECT max(CAST(stat AS INTEGER)) FROM main.sqlite_stat1 "
                       "WHERE tbl = ?"));
  ARROW_RETURN_NOT_OK(row.BindText(0, table));
  ARROW_RETURN_NOT_OK(row.Step());
  return row.ColumnInt64(0);
}

/// Bytes of an average row, decoded, by the first few.
Result<int64_t> SampledRowBytes(Database& database, const RelationFacts& facts) {
  RelationFacts sample = facts;
  sample.where.clear();
  const std::string sql =
      SelectRows(sample, {}).sql + fmt::format(" LIMIT {}", kSampledRows);
  ARROW_ASSIGN_OR_RAISE(Statement rows, database.Prepare(sql));
  std::vector<Cell> cells(static_cast<size_t>(rows.column_count()));
  int64_t bytes = 0, count = 0;
  Status failed;
  while (rows.NextRow(cells.data(), &failed)) {
    ++count;
    for (size_t i = 0; i < facts.columns.size(); ++i)
      bytes += 8 + (cells[i].type == Type::kText || cells[i].type == Type::kBlob
                        ? cells[i].size
                        : 0);
  }
  if (IdOf(failed) == "sqlite.too-big") return kSampledValueMax;
  ARROW_RETURN_NOT_OK(failed);
  return count == 0 ? 0 : std::max<int64_t>(bytes / count, 1);
}

/// Hints for the planner: cheap, and never relied upon.
Status Estimate(Database& database, const RelationFacts& facts, TableInfo& info) {
  if (!facts.is_table) return Status::OK();
  database.LimitValueBytes(kSampledValueMax);
  const Result<int64_t> sampled = SampledRowBytes(database, facts);
  database.LimitValueBytes(kAnyValueMax);
  ARROW_ASSIGN_OR_RAISE(const int64_t row_bytes, sampled);
  if (row_bytes == 0) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const int64_t pages, Ask(database, "PRAGMA main.page_count"));
  ARROW_ASSIGN_OR_RAISE(const int64_t page_size, Ask(database, "PRAGMA main.page_size"));
  ARROW_ASSIGN_OR_RAISE(int64_t rows, AnalyzedRows(database, facts.table));
  // A stored number takes two bytes or three, where the decoded one takes eight.
  const auto columns = static_cast<int64_t>(facts.columns.size());
  const int64_t stored_row_bytes =
      std::max<int64_t>(row_bytes - columns * 5, columns + 1);
  const int64_t rows_max = pages * page_size / stored_row_bytes;
  if (rows == 0 && !facts.rowid.empty()) {
    const std::string from = " FROM main." + Quote(facts.table);
    ARROW_ASSIGN_OR_RAISE(const int64_t first,
                          Ask(database, "SELECT min(" + facts.rowid + ")" + from));
    ARROW_ASSIGN_OR_RAISE(const int64_t last,
                          Ask(database, "SELECT max(" + facts.rowid + ")" + from));
    // Rowids may span more than 63 bits.
    const double span = static_cast<double>(last) - static_cast<double>(first) + 1;
    rows = static_cast<int64_t>(std::min(span, static_cast<double>(rows_max)));
  }
  info.estimated_rows = std::max<int64_t>(rows == 0 ? rows_max : rows, 1);
  info.estimated_bytes = info.estimated_rows * row_bytes;
  return Status::OK();
}

/// By the columns' own names. One that the table does not have is passed over: what is said of many
/// tables need not fit each.
Result<std::map<std::string, Policies>> ColumnPolicies(const Definition& definition,
                                                       const Relation& relation) {
  std::map<std::string, Policies> by_name;
  for (const auto& [name, policies] : relation.column_policies) {
    ARROW_RETURN_NOT_OK(CheckColumnPolicies(policies, name));
    const auto found = FindColumn(definition, name);
    if (!found.ok()) continue;
    by_name[(*found)->name].insert(policies.begin(), policies.end());
  }
  return by_name;
}

Result<RelationFacts> FactsFrom(const Definition& definition, const Relation& relation,
                                const std::vector<ColumnDefinition>& columns) {
  RelationFacts facts;
  facts.table = definition.table;
  facts.where = relation.where;
  facts.key = definition.key.value_or(KeyDefinition{});
  facts.rowid = definition.rowid;
  facts.is_table = definition.kind == TableKind::kTable;
  facts.definition = FingerprintOf(definition);
  for (const ColumnDefinition& column : columns) {
    facts.columns.push_back(column.name);
    facts.kinds.push_back(KindOfDeclared(column.declared));
    ARROW_ASSIGN_OR_RAISE(const OnTypeMismatch policy,
                          MismatchPolicyOf(relation, column.declared, column.name));
    facts.misfits.push_back(policy);
  }
  return facts;
}

}  // namespace

Result<TableInfo> DescribeRelation(Database& database, const Relation& relation) {
  if (!relation.sql.empty()) return DescribeQuery(database, relation);
  ARROW_ASSIGN_OR_RAISE(const std::string table, ResolveTable(database, relation.name));
  ARROW_ASSIGN_OR_RAISE(const Definition definition, ReadDefinition(database, table));
  ARROW_ASSIGN_OR_RAISE(const auto columns, Select(definition, relation.columns));
  if (!relation.where.empty())
    ARROW_RETURN_NOT_OK(CheckWhere(database, "main." + Quote(table), relation.where));

  TableInfo info;
  info.relation = relation;
  info.relation.name = {"main", table};
  if (!relation.columns.empty()) {
    info.relation.columns.clear();
    for (const ColumnDefinition& column : columns)
      info.relation.columns.push_back(column.name);
  }
  ARROW_ASSIGN_OR_RAISE(info.relation.column_policies,
                        ColumnPolicies(definition, relation));
  ARROW_ASSIGN_OR_RAISE(RelationFacts facts,
                        FactsFrom(definition, info.relation, columns));
  ARROW_RETURN_NOT_OK(MakeTextOfMisfits(database, facts));
  arrow::FieldVector fields;
  std::string kinds;
  for (size_t i = 0; i < columns.size(); ++i) {
    fields.push_back(FieldOf(columns[i], facts.kinds[i], definition, facts.misfits[i]));
    kinds += fmt::format("{}:{};", NameOf(facts.kinds[i]), columns[i].name);
  }
  info.schema = arrow::schema(std::move(fields));
  info.key = facts.key.columns;
  // Elsewhere an INTEGER column may hold text as well.
  info.key_is_integer =
      info.key.size() == 1 && (facts.key.index.empty() || definition.strict) &&
      KindOfDeclared((*FindColumn(definition, info.key[0]))->declared) ==
          ColumnKind::kInt64;
  info.fingerprint = Sha256Hex(facts.definition + kinds);
  info.detail = ToDetail(facts);
  ARROW_RETURN_NOT_OK(Estimate(database, facts, info));
  return info;
}

Status CheckDefinition(Database& database, const TableInfo& table) {
  if (!table.relation.sql.empty()) return CheckQuery(database, table);
  ARROW_ASSIGN_OR_RAISE(const RelationFacts facts, FactsOf(table));
  const auto definition = ReadDefinition(database, facts.table);
  const std::string name = ToString(TableName{"main", facts.table});
  if (IdOf(definition.status()) == "source.no-such-table")
    return Error(ErrorKind::kSource, "source.table-gone",
                 fmt::format("{} was there when it was described, and is gone", name),
                 "put it back and run again, or give the load up with --restart");
  if (KindOf(definition.status()) != ErrorKind::kUsage)
    ARROW_RETURN_NOT_OK(definition.status());
  if (definition.ok() && FingerprintOf(*definition) == facts.definition)
    return Status::OK();
  return Error(ErrorKind::kSource, "source.changed",
               fmt::format("{} is not defined as it was when it was described", name),
               "run again with --restart to copy it as it is now");
}

}  // namespace sluice::sqlite
