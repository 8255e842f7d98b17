#include "source/mysql_describe.h"

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
#include "source/mysql_definition.h"
#include "source/mysql_policy.h"
#include "source/mysql_query.h"
#include "source/mysql_where.h"

namespace sluice::mysql {
namespace {

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
  const std::string meant = DidYouMean(name, names);
  return Error(ErrorKind::kUsage, "source.no-such-column",
               fmt::format("wanted a column of {}, found none of the name {}",
                           ToString(definition.name), name),
               meant.empty() ? "sluice discover lists the columns of each table" : meant);
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

/// 0 for types whose values are small always.
int64_t ValueBytesMax(const std::string& type) {
  if (type == "text" || type == "blob") return 64 << 10;
  if (type == "mediumtext" || type == "mediumblob") return 16 << 20;
  const bool is_large = type == "longtext" || type == "longblob" || type == "json" ||
                        type.find("geom") != std::string::npos ||
                        type.find("polygon") != std::string::npos ||
                        type.find("linestring") != std::string::npos ||
                        type == "multipoint";
  return is_large ? int64_t{4} << 30 : 0;
}

bool IsUtf8Charset(std::string_view charset) {
  return charset.empty() || charset.starts_with("utf8") || charset == "ascii";
}

ColumnFacts FactsOfColumn(const ColumnDefinition& column, const Delivery& delivery) {
  ColumnFacts facts;
  facts.name = column.name;
  facts.type = delivery.type;
  facts.on_misfit = delivery.on_misfit;
  if (!IsUtf8Charset(column.declared.charset) && !delivery.as_stored)
    facts.charset = column.declared.charset;
  facts.value_bytes_max = ValueBytesMax(column.declared.data_type);
  facts.srid = column.srid.value_or(-1);
  return facts;
}

/// The relation's rows in the order that the server likes best.
std::string WithoutIndex(RelationFacts facts) {
  facts.index.clear();
  return FromClause(facts);
}

/// A geometry column without an SRID of its own has that of its first value.
Status FindSrids(Connection& connection, RelationFacts& facts) {
  std::vector<ColumnFacts*> asked;
  std::string sql;
  for (ColumnFacts& column : facts.columns) {
    if (column.type.kind != ColumnKind::kGeometry || column.srid >= 0) continue;
    asked.push_back(&column);
    sql += fmt::format("{2}(SELECT ST_SRID({0}){1} WHERE {0} IS NOT NULL LIMIT 1)",
                       QuoteName(column.name), WithoutIndex(facts),
                       sql.empty() ? "SELECT " : ", ");
  }
  if (asked.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto rows, connection.Query(sql));
  for (size_t i = 0; i < asked.size(); ++i) {
    const std::string text = rows[0][i].value_or("0");
    asked[i]->srid = 0;
    std::from_chars(text.data(), text.data() + text.size(), asked[i]->srid);
  }
  return Status::OK();
}

/// Dates that are none become text, the whole column, where the policy says so.
Status FindMisfits(Connection& connection, const std::vector<Delivery>& deliveries,
                   RelationFacts& facts) {
  std::string sql;
  std::vector<ColumnFacts*> asked;
  for (size_t i = 0; i < deliveries.size(); ++i) {
    if (!deliveries[i].find_misfits) continue;
    ColumnFacts& column = facts.columns[i];
    asked.push_back(&column);
    sql += fmt::format(
        "{1}COALESCE(MAX({0} IS NOT NULL AND (YEAR({0})=0 OR MONTH({0})=0 OR DAY({0})=0 "
        "OR COALESCE(TO_DAYS(LAST_DAY({0})),0)=0 OR DAY({0})>DAY(LAST_DAY({0})))),0)",
        QuoteName(column.name), sql.empty() ? "" : ",");
  }
  if (asked.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const std::string where, WhereClause(facts, {}, true));
  ARROW_ASSIGN_OR_RAISE(const auto rows,
                        connection.Query("SELECT " + sql + WithoutIndex(facts) + where));
  for (size_t i = 0; i < asked.size(); ++i) {
    if (rows[0][i].value_or("0") == "0") continue;
    ColumnKind& kind = asked[i]->type.kind;
    kind = kind == ColumnKind::kDate ? ColumnKind::kDateText : ColumnKind::kTimestampText;
  }
  return Status::OK();
}

std::shared_ptr<arrow::Field> FieldOf(const ColumnDefinition& column,
                                      const ColumnFacts& facts,
                                      const Definition& definition,
                                      const std::string& policy) {
  auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  metadata->Append("sluice.source_type", column.declared.column_type);
  if (!column.collation.empty()) metadata->Append("sluice.collation", column.collation);
  if (!column.comment.empty()) metadata->Append("sluice.comment", column.comment);
  if (facts.type.kind == ColumnKind::kGeometry)
    metadata->Append("sluice.srid", std::to_string(facts.srid));
  if (facts.type.kind == ColumnKind::kDateText ||
      facts.type.kind == ColumnKind::kTimestampText)
    metadata->Append("sluice.on_type_mismatch", "string");
  if (!policy.empty()) metadata->Append("sluice.policy", policy);
  if (facts.type.kind == ColumnKind::kSixteen || facts.type.kind == ColumnKind::kUuidText)
    metadata->Append("sluice.logical_type", "uuid");
  if (column.declared.data_type == "json")
    metadata->Append("sluice.logical_type", "json");
  if (definition.key) {
    const auto& key = definition.key->columns;
    for (size_t i = 0; i < key.size(); ++i)
      if (key[i].name == column.name)
        metadata->Append("sluice.key", std::to_string(i + 1));
  }
  const bool nullable = facts.on_misfit == OnMisfit::kNull || column.nullable;
  return arrow::field(column.name, ArrowTypeOf(facts.type), nullable,
                      std::move(metadata));
}

Result<std::vector<Delivery>> DeliveriesOf(const Definition& definition,
                                           const Relation& relation,
                                           const std::vector<ColumnDefinition>& columns) {
  std::vector<Delivery> deliveries;
  for (const ColumnDefinition& column : columns) {
    auto delivery = DeliveryOf(relation, column.name, column.declared);
    if (!delivery.ok())
      return InContext(
          delivery.status(),
          fmt::format("{}, column {}", ToString(definition.name), column.name));
    deliveries.push_back(*std::move(delivery));
  }
  return deliveries;
}

/// Policies of single columns by the columns' own names. One that the table does not have is passed
/// over: what is said of many tables need not fit each.
Result<std::map<std::string, Policies>> ColumnPolicies(const Definition& definition,
                                                       const Relation& relation) {
  std::map<std::string, Policies> by_name;
  for (const auto& [name, policies] : relation.column_policies) {
    const auto found = FindColumn(definition, name);
    if (!found.ok()) continue;
    const ColumnDefinition* column = *found;
    ARROW_RETURN_NOT_OK(
        InContext(CheckColumnPolicies(policies, column->name, column->declared),
                  ToString(definition.name)));
    by_name[column->name].insert(policies.begin(), policies.end());
  }
  return by_name;
}

Result<RelationFacts> FactsFrom(const Definition& definition, const Relation& relation,
                                const std::vector<ColumnDefinition>& columns,
                                const std::vector<Delivery>& deliveries) {
  RelationFacts facts;
  facts.name = definition.name;
  facts.where = relation.where;
  facts.query = definition.query;
  facts.is_wrapped = definition.is_wrapped;
  facts.definition = FingerprintOf(definition);
  for (size_t i = 0; i < columns.size(); ++i)
    facts.columns.push_back(FactsOfColumn(columns[i], deliveries[i]));
  for (ColumnFacts& column : facts.columns) column.is_computed = definition.is_view;
  if (!definition.key) return facts;
  facts.index = definition.key->index;
  facts.key = definition.key->columns;
  for (const KeyColumn& part : facts.key) {
    ARROW_ASSIGN_OR_RAISE(const ColumnDefinition* column,
                          FindColumn(definition, part.name));
    Delivery plain;
    ARROW_ASSIGN_OR_RAISE(plain.type, DeliveredTypeOf(column->declared));
    facts.key_columns.push_back(FactsOfColumn(*column, plain));
  }
  return facts;
}

bool WantsAll(const Relation& relation) {
  return relation.columns.empty() && relation.sql.empty();
}

/// The catalogue hides columns that the account may not read: "all" would be some of them. kSource
/// "source.missing-grant".
Status CheckAllReadable(Connection& connection, const TableName& name) {
  return connection.Query(fmt::format("SELECT * FROM {} LIMIT 0", QuoteName(name)))
      .status();
}

/// The same for many, each with its verdict; one by one only where not all may be read.
std::map<TableName, Status> CheckAllReadable(Connection& connection,
                                             const std::vector<TableName>& names) {
  constexpr size_t kTablesMax = 50;  // of a statement; the servers take 61
  std::map<TableName, Status> verdicts;
  for (size_t begin = 0; begin < names.size(); begin += kTablesMax) {
    const size_t end = std::min(begin + kTablesMax, names.size());
    std::string sql;
    for (size_t i = begin; i < end; ++i)
      sql += fmt::format("{}(SELECT * FROM {} LIMIT 0) t{}",
                         sql.empty() ? "SELECT 1 FROM " : ", ", QuoteName(names[i]), i);
    const bool all = connection.Query(sql).ok();
    for (size_t i = begin; i < end; ++i)
      verdicts[names[i]] = all ? Status::OK() : CheckAllReadable(connection, names[i]);
  }
  return verdicts;
}

Result<TableInfo> DescribeDefined(Connection& connection, const Definition& definition,
                                  const Relation& relation) {
  ARROW_ASSIGN_OR_RAISE(const auto columns, Select(definition, relation.columns));
  if (!relation.where.empty())
    ARROW_RETURN_NOT_OK(
        CheckWhere(connection, QuoteName(definition.name), relation.where));

  TableInfo info;
  info.relation = relation;
  info.relation.name = definition.name;
  if (!relation.columns.empty()) {
    info.relation.columns.clear();
    for (const ColumnDefinition& column : columns)
      info.relation.columns.push_back(column.name);
  }
  ARROW_ASSIGN_OR_RAISE(info.relation.column_policies,
                        ColumnPolicies(definition, relation));
  ARROW_ASSIGN_OR_RAISE(const auto deliveries,
                        DeliveriesOf(definition, info.relation, columns));
  ARROW_ASSIGN_OR_RAISE(RelationFacts facts,
                        FactsFrom(definition, relation, columns, deliveries));
  ARROW_RETURN_NOT_OK(FindSrids(connection, facts));
  ARROW_RETURN_NOT_OK(FindMisfits(connection, deliveries, facts));

  arrow::FieldVector fields;
  std::string kinds;
  for (size_t i = 0; i < columns.size(); ++i) {
    fields.push_back(
        FieldOf(columns[i], facts.columns[i], definition, deliveries[i].policy));
    kinds += fmt::format("{}:{}:{};", NameOf(facts.columns[i].type.kind),
                         facts.columns[i].srid, columns[i].name);
  }
  auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  if (!definition.key_note.empty() && !definition.key)
    metadata->Append("sluice.key_note", definition.key_note);
  info.schema = arrow::schema(std::move(fields),
                              metadata->size() > 0 ? std::move(metadata) : nullptr);
  for (const KeyColumn& column : facts.key) info.key.push_back(column.name);
  info.key_is_integer = facts.key.size() == 1 && facts.key[0].form == KeyForm::kInteger;
  info.fingerprint = Sha256Hex(facts.definition + kinds);
  info.detail = ToDetail(facts);
  info.estimated_rows = definition.estimated_rows;
  info.estimated_bytes = definition.estimated_bytes;
  return info;
}

}  // namespace

Result<TableInfo> DescribeRelation(Connection& connection, const Relation& relation) {
  ARROW_ASSIGN_OR_RAISE(const Definition definition,
                        relation.sql.empty() ? ReadDefinition(connection, relation.name)
                                             : ReadQuery(connection, relation));
  if (WantsAll(relation))
    ARROW_RETURN_NOT_OK(CheckAllReadable(connection, definition.name));
  return DescribeDefined(connection, definition, relation);
}

std::vector<Result<TableInfo>> DescribeRelations(Connection& connection,
                                                 const std::vector<Relation>& relations) {
  // A query has no definition that could be asked for with those of others.
  std::vector<TableName> names;
  for (const Relation& relation : relations)
    if (relation.sql.empty()) names.push_back(relation.name);
  const auto definitions = ReadDefinitions(connection, names);
  std::vector<TableName> whole;
  size_t named = 0;
  for (const Relation& relation : relations) {
    if (!relation.sql.empty() || !definitions.ok()) continue;
    const Result<Definition>& definition = (*definitions)[named++];
    if (definition.ok() && WantsAll(relation)) whole.push_back(definition->name);
  }
  const auto readable = CheckAllReadable(connection, whole);
  std::vector<Result<TableInfo>> tables;
  tables.reserve(relations.size());
  size_t next = 0;
  for (const Relation& relation : relations) {
    if (!relation.sql.empty()) {
      tables.push_back(DescribeRelation(connection, relation));
      continue;
    }
    if (!definitions.ok()) {
      tables.emplace_back(definitions.status());
      continue;
    }
    const Result<Definition>& definition = (*definitions)[next++];
    const auto verdict =
        definition.ok() ? readable.find(definition->name) : readable.end();
    if (!definition.ok()) {
      tables.emplace_back(definition.status());
    } else if (verdict != readable.end() && !verdict->second.ok()) {
      tables.emplace_back(verdict->second);
    } else {
      tables.push_back(DescribeDefined(connection, *definition, relation));
    }
  }
  return tables;
}

Status CheckDefinition(Connection& connection, const TableInfo& table) {
  ARROW_ASSIGN_OR_RAISE(const RelationFacts facts, FactsOf(table));
  const bool is_query = !table.relation.sql.empty();
  const auto definition = is_query ? ReadQuery(connection, table.relation)
                                   : ReadDefinition(connection, facts.name);
  const std::string name = ToString(facts.name);
  if (IdOf(definition.status()) == "source.no-such-table")
    return Error(ErrorKind::kSource, "source.table-gone",
                 fmt::format("{} was there when it was described, and is gone", name),
                 "put it back and run again, or give the load up with --restart");
  const bool was_fine = is_query && KindOf(definition.status()) == ErrorKind::kUsage;
  if (!definition.ok() && !was_fine) return definition.status();
  if (definition.ok() && FingerprintOf(*definition) == facts.definition)
    return Status::OK();
  return Error(ErrorKind::kSource, "source.changed",
               fmt::format("{} is not defined as it was when it was described", name),
               "run again with --restart to copy it as it is now");
}

}  // namespace sluice::mysql
