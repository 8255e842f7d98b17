#include "source/mysql_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "arrow/record_batch.h"
#include "source/mysql_bound.h"
#include "source/mysql_definition.h"
#include "source/mysql_describe.h"
#include "source/mysql_explain.h"
#include "source/mysql_query.h"
#include "source/mysql_reader.h"
#include "source/mysql_row_errors.h"
#include "sql/mysql_digest.h"

namespace sluice::mysql {
namespace {

/// A usage error of a statement on a table that was fine when it was described is a change of it.
Status OfDescribed(const Status& status, const RelationFacts& facts) {
  if (status.ok()) return status;
  return RowErrors(facts, {}).Changed(status);
}

class MysqlSession : public Session {
 public:
  MysqlSession(std::shared_ptr<Connection> connection, Consistency kind)
      : connection_(std::move(connection)), kind_(kind) {}

  Result<std::vector<TableName>> List(const Pattern& pattern) override {
    return ListTables(*connection_, pattern.glob, pattern.views);
  }

  Result<TableInfo> Describe(const Relation& relation) override {
    return DescribeRelation(*connection_, relation);
  }

  std::vector<Result<TableInfo>> DescribeAll(
      const std::vector<Relation>& relations) override {
    return DescribeRelations(*connection_, relations);
  }

  std::vector<Result<ReadPlan>> ExplainAll(
      const std::vector<TableInfo>& tables) override {
    return ExplainTables(*connection_, tables);
  }

  Result<std::optional<Key>> LastKey(const TableInfo& table) override {
    ARROW_ASSIGN_OR_RAISE(const RelationFacts facts, KeyedFactsOf(table));
    auto key = FindKey(*connection_, facts, {}, 0, /*from_the_end=*/true);
    ARROW_RETURN_NOT_OK(OfDescribed(key.status(), facts));
    return key;
  }

  Result<std::optional<Key>> Bound(const TableInfo& table, const KeyRange& within,
                                   int64_t rows_wanted) override {
    ARROW_ASSIGN_OR_RAISE(const RelationFacts facts, KeyedFactsOf(table));
    auto bound =
        FindBound(*connection_, facts, within, std::max<int64_t>(rows_wanted, 1));
    ARROW_RETURN_NOT_OK(OfDescribed(bound.status(), facts));
    return bound;
  }

  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      const TableInfo& table, const KeyRange& range,
      const ReadContext& context) override {
    if (kind_ == Consistency::kPerChunk)
      ARROW_RETURN_NOT_OK(CheckDefinition(*connection_, table));
    return OpenReader(connection_, table, range, context);
  }

  Result<std::optional<Digest>> DigestOf(const TableInfo& table,
                                         const KeyRange& range) override {
    ARROW_ASSIGN_OR_RAISE(const RelationFacts facts, FactsOf(table));
    ARROW_ASSIGN_OR_RAISE(const auto sql, SelectDigestOf(facts, range));
    if (!sql) return std::nullopt;
    const auto rows = connection_->Query(*sql);
    if (!rows.ok()) return OfDescribed(rows.status(), facts);
    ARROW_ASSIGN_OR_RAISE(const Digest digest, DigestFrom((*rows)[0]));
    return digest;
  }

  Status CheckUnchanged(const TableInfo& table) override {
    return CheckDefinition(*connection_, table);
  }

  Status Cancel() override { return connection_->Cancel(); }

 private:
  static Result<RelationFacts> KeyedFactsOf(const TableInfo& table) {
    ARROW_ASSIGN_OR_RAISE(RelationFacts facts, FactsOf(table));
    if (facts.key.empty())
      return Error(ErrorKind::kFailed, "source.no-key",
                   fmt::format("wanted a table with a key, found none in {}",
                               ToString(table.relation.name)));
    return facts;
  }

  std::shared_ptr<Connection> connection_;
  Consistency kind_;
};

}  // namespace

std::unique_ptr<Session> MakeSession(std::shared_ptr<Connection> connection,
                                     Consistency kind) {
  return std::make_unique<MysqlSession>(std::move(connection), kind);
}

}  // namespace sluice::mysql
