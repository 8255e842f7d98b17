#include "source/sqlite_describe_query.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "arrow/type.h"
#include "arrow/util/key_value_metadata.h"
#include "base/sha256.h"
#include "source/query_text.h"
#include "source/sqlite_misfits.h"
#include "source/sqlite_policy.h"
#include "source/sqlite_query.h"
#include "source/sqlite_types.h"
#include "source/sqlite_where.h"

namespace sluice::sqlite {
namespace {

struct QueryDefinition {
  std::string sql;
  std::vector<std::string> names, declared;
};

Status NotAQuery(std::string message, std::string hint) {
  return Error(ErrorKind::kUsage, "source.query", "sql: " + std::move(message),
               std::move(hint));
}

Result<QueryDefinition> ReadQuery(Database& database, const std::string& sql) {
  QueryDefinition definition;
  ARROW_ASSIGN_OR_RAISE(definition.sql, BareQuery(sql, Dialect::kSqlite));
  ARROW_RETURN_NOT_OK(CheckQueryText(definition.sql));
  const Result<Statement> prepared = database.Prepare(definition.sql);
  if (KindOf(prepared.status()) == ErrorKind::kUsage && !prepared.ok())
    return NotAQuery(prepared.status().message(), "try it in the sqlite3 shell");
  ARROW_RETURN_NOT_OK(prepared.status());
  if (!prepared->is_readonly())
    return NotAQuery("wanted a query that changes nothing, found one that writes",
                     "only SELECT, WITH and VALUES have rows");
  if (prepared->parameter_count() > 0)
    return NotAQuery("wanted values, found a parameter", "write the value itself");
  for (int i = 0; i < prepared->column_count(); ++i) {
    definition.names.push_back(prepared->ColumnName(i));
    definition.declared.push_back(prepared->DeclaredType(i));
  }
  ARROW_RETURN_NOT_OK(CheckColumnNames(definition.names));
  return definition;
}

/// Of the text, and of the names and types of what it gives.
std::string FingerprintOf(const QueryDefinition& definition) {
  std::string text = fmt::format("{}:{}", definition.sql.size(), definition.sql);
  for (const auto* parts : {&definition.names, &definition.declared})
    for (const std::string& part : *parts)
      text += fmt::format("{}:{}", part.size(), part);
  return Sha256Hex(text);
}

std::shared_ptr<arrow::Field> FieldOf(const RelationFacts& facts, size_t column,
                                      const std::string& declared) {
  auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  metadata->Append("sluice.source_type", declared);
  if (facts.kinds[column] == ColumnKind::kAnyString)
    metadata->Append("sluice.on_type_mismatch", "string");
  return arrow::field(facts.columns[column], ArrowTypeOf(facts.kinds[column]),
                      /*nullable=*/true, std::move(metadata));
}

}  // namespace

Result<TableInfo> DescribeQuery(Database& database, const Relation& relation) {
  ARROW_RETURN_NOT_OK(CheckQueryAlone(relation));
  ARROW_ASSIGN_OR_RAISE(const QueryDefinition definition,
                        ReadQuery(database, relation.sql));
  for (const auto& [name, policies] : relation.column_policies)
    ARROW_RETURN_NOT_OK(CheckColumnPolicies(policies, name));
  RelationFacts facts;
  facts.table = relation.name.table;
  facts.sql = definition.sql;
  facts.columns = definition.names;
  facts.is_table = false;
  facts.definition = FingerprintOf(definition);
  for (size_t i = 0; i < definition.names.size(); ++i) {
    facts.kinds.push_back(KindOfDeclared(definition.declared[i]));
    ARROW_ASSIGN_OR_RAISE(
        const OnTypeMismatch policy,
        MismatchPolicyOf(relation, definition.declared[i], definition.names[i]));
    facts.misfits.push_back(policy);
  }
  ARROW_RETURN_NOT_OK(MakeTextOfMisfits(database, facts));

  TableInfo info;
  info.relation = relation;
  if (info.relation.name.schema.empty()) info.relation.name.schema = "main";
  arrow::FieldVector fields;
  std::string kinds;
  for (size_t i = 0; i < facts.columns.size(); ++i) {
    fields.push_back(FieldOf(facts, i, definition.declared[i]));
    kinds += fmt::format("{}:{};", NameOf(facts.kinds[i]), facts.columns[i]);
  }
  info.schema = arrow::schema(std::move(fields));
  info.fingerprint = Sha256Hex(facts.definition + kinds);
  info.detail = ToDetail(facts);
  return info;
}

Status CheckQuery(Database& database, const TableInfo& table) {
  ARROW_ASSIGN_OR_RAISE(const RelationFacts facts, FactsOf(table));
  const auto definition = ReadQuery(database, facts.sql);
  if (definition.ok() && FingerprintOf(*definition) == facts.definition)
    return Status::OK();
  if (!definition.ok() && KindOf(definition.status()) != ErrorKind::kUsage)
    return definition.status();
  return Error(ErrorKind::kSource, "source.changed",
               fmt::format("the query of {} does not give what it gave when it was "
                           "described{}",
                           ToString(table.relation.name),
                           definition.ok() ? "" : ": " + definition.status().message()),
               "run again with --restart to copy what it gives now");
}

}  // namespace sluice::sqlite
