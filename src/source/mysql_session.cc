#include "source/mysql_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "arrow/record_batch.h"
#include "arrow/scalar.h"
#include "arrow/type.h"
#include "source/mysql_definition.h"
#include "source/mysql_describe.h"
#include "source/mysql_query.h"
#include "source/mysql_reader.h"
#include "source/mysql_row_errors.h"
#include "sql/mysql_digest.h"

namespace sluice::mysql {
namespace {

constexpr int kProbes = 16;
constexpr int kProbesFoundMin = 14;

/// Nothing for what is beyond 64 bits: BIGINT UNSIGNED from 2^63 on is cut by steps.
std::optional<int64_t> IntegerOf(const std::optional<Key>& key) {
  if (!key || key->size() != 1 || (*key)[0]->type->id() != arrow::Type::INT64)
    return std::nullopt;
  return static_cast<const arrow::Int64Scalar&>(*(*key)[0]).value;
}

Key IntegerKey(int64_t value) { return {std::make_shared<arrow::Int64Scalar>(value)}; }

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
      if (!first) return std::nullopt;
      if (const auto start = IntegerOf(first)) {
        const int64_t limit =
            IntegerOf(within.upto).value_or(std::numeric_limits<int64_t>::max());
        // Keys are unique integers: no more than rows_wanted of them are left. Unsigned, as the
        // distance of two integers may need 64 bits.
        const uint64_t distance =
            static_cast<uint64_t>(limit) - static_cast<uint64_t>(*start);
        const bool is_near = distance < static_cast<uint64_t>(rows_wanted);
        if (is_near && (!within.upto || IntegerOf(within.upto))) return std::nullopt;
        ARROW_ASSIGN_OR_RAISE(const bool is_dense,
                              IsDense(facts, *start, is_near ? 0 : rows_wanted));
        if (is_dense) return IntegerKey(*start + (rows_wanted - 1));
      }
    }
    return FindKey(facts, within, rows_wanted - 1, /*from_the_end=*/false);
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
    ARROW_ASSIGN_OR_RAISE(const std::string sql, SelectDigestOf(facts, range));
    const auto rows = connection_->Query(sql);
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

  Result<std::optional<Key>> FindKey(const RelationFacts& facts, const KeyRange& range,
                                     int64_t offset, bool from_the_end) {
    ARROW_ASSIGN_OR_RAISE(const std::string sql,
                          SelectKey(facts, range, offset, from_the_end));
    const auto rows = connection_->Query(sql);
    if (!rows.ok()) return OfDescribed(rows.status(), facts);
    if (rows->empty()) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(Key key, KeyFrom(facts.key, (*rows)[0]));
    return key;
  }

  /// Are nearly all of the `count` integers from `first` on keys? Asks for a few of them; they lie
  /// unevenly, for keys are often multiples of something.
  Result<bool> IsDense(const RelationFacts& facts, int64_t first, int64_t count) {
    if (count <= 0) return false;
    std::string probes;
    for (int i = 0; i < kProbes; ++i) {
      constexpr double kGoldenRatio = 0.6180339887498949;
      const double place =
          (i + 1) * kGoldenRatio - static_cast<int>((i + 1) * kGoldenRatio);
      const auto step = static_cast<int64_t>(place * static_cast<double>(count));
      probes += fmt::format("{}{}", i == 0 ? "" : ",", first + step);
    }
    const auto rows = connection_->Query(
        fmt::format("SELECT COUNT(*){} WHERE {} IN ({})", FromClause(facts),
                    QuoteName(facts.key[0].name), probes));
    if (!rows.ok()) return OfDescribed(rows.status(), facts);
    int64_t found = 0;
    const std::string text = (*rows)[0][0].value_or("0");
    std::from_chars(text.data(), text.data() + text.size(), found);
    // Probes that fall on one integer count once: a few rows are cheaper to step over anyway.
    return found >= kProbesFoundMin;
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
