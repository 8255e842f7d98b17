#include "testing/scripted_source.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "arrow/array/builder_binary.h"
#include "arrow/array/builder_primitive.h"
#include "arrow/record_batch.h"
#include "arrow/scalar.h"
#include "arrow/type.h"
#include "arrow/util/cancel.h"
#include "arrow/util/checked_cast.h"

namespace sluice {
namespace {

using arrow::internal::checked_cast;

std::shared_ptr<arrow::Schema> WholeSchema() {
  return arrow::schema({arrow::field("id", arrow::int64(), false),
                        arrow::field("name", arrow::utf8(), false),
                        arrow::field("amount", arrow::float64())});
}

std::string NameIn(const Relation& relation) {
  return relation.name.schema + "." + relation.name.table;
}

Result<int64_t> IntegerOf(const Key& key) {
  if (key.size() != 1 || key[0]->type->id() != arrow::Type::INT64 || !key[0]->is_valid) {
    return Error(ErrorKind::kUsage, "source.key-type", "wanted a key of one int64");
  }
  return checked_cast<const arrow::Int64Scalar&>(*key[0]).value;
}

Key KeyOf(int64_t id) { return {std::make_shared<arrow::Int64Scalar>(id)}; }

int64_t BytesOf(const ScriptedRow& row) {
  return 16 + static_cast<int64_t>(row.name.size());
}

using Rows = std::shared_ptr<const ScriptedTable>;
struct Span {
  ScriptedRows::const_iterator begin, end;
};

Result<Span> SpanOf(const ScriptedTable& table, const KeyRange& range) {
  Span span{table.rows.begin(), table.rows.end()};
  if (range.after) {
    ARROW_ASSIGN_OR_RAISE(const int64_t after, IntegerOf(*range.after));
    span.begin = table.rows.upper_bound(after);
  }
  if (range.upto) {
    ARROW_ASSIGN_OR_RAISE(const int64_t upto, IntegerOf(*range.upto));
    span.end = table.rows.upper_bound(upto);
    if (span.begin == table.rows.end() || span.begin->first > upto) span.begin = span.end;
  }
  return span;
}

}  // namespace

struct ScriptedSource::Script {
  struct Failure {
    SourceCall call;
    int64_t nth, times;
    Status status;
  };
  std::mutex mutex;
  std::vector<Failure> failures;
  std::map<SourceCall, int64_t> calls;
  int64_t rows_read = 0;
  bool dead = false;

  Status Enter(SourceCall call) {
    const std::lock_guard lock(mutex);
    if (dead) return Error(ErrorKind::kFailed, "fault.dead", "this process was killed");
    const int64_t nth = ++calls[call];
    for (const Failure& failure : failures) {
      if (failure.call == call && nth >= failure.nth &&
          nth < failure.nth + failure.times) {
        return failure.status;
      }
    }
    return Status::OK();
  }
};

class ScriptedTableReader final : public arrow::RecordBatchReader {
 public:
  ScriptedTableReader(std::shared_ptr<ScriptedSource::Script> script, Rows table,
                      TableInfo info, ReadContext context,
                      std::shared_ptr<std::atomic<bool>> cancelled)
      : script_(std::move(script)),
        table_(std::move(table)),
        info_(std::move(info)),
        context_(context),
        cancelled_(std::move(cancelled)) {}

  Status Begin(const KeyRange& range) {
    ARROW_ASSIGN_OR_RAISE(const Span span, SpanOf(*table_, range));
    next_ = span.begin;
    end_ = span.end;
    return Status::OK();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return info_.schema; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    ARROW_RETURN_NOT_OK(script_->Enter(SourceCall::kBatch));
    if (cancelled_->load())
      return Error(ErrorKind::kCancelled, "source.cancelled", "cancelled");
    if (context_.stop != nullptr) ARROW_RETURN_NOT_OK(context_.stop->Poll());
    arrow::MemoryPool* pool =
        context_.pool != nullptr ? context_.pool : arrow::default_memory_pool();
    arrow::Int64Builder ids(pool);
    arrow::StringBuilder names(pool);
    arrow::DoubleBuilder amounts(pool);
    int64_t rows = 0, bytes = 0;
    for (; next_ != end_ && rows < context_.batch_rows && bytes < context_.batch_bytes;
         ++next_) {
      const auto& [id, row] = *next_;
      ARROW_RETURN_NOT_OK(CheckSize(id, row));
      ARROW_RETURN_NOT_OK(ids.Append(id));
      ARROW_RETURN_NOT_OK(names.Append(row.name));
      ARROW_RETURN_NOT_OK(row.amount ? amounts.Append(*row.amount)
                                     : amounts.AppendNull());
      ++rows;
      bytes += BytesOf(row);
    }
    if (rows == 0) return Status::OK();
    std::map<std::string, std::shared_ptr<arrow::Array>> columns;
    ARROW_ASSIGN_OR_RAISE(columns["id"], ids.Finish());
    ARROW_ASSIGN_OR_RAISE(columns["name"], names.Finish());
    ARROW_ASSIGN_OR_RAISE(columns["amount"], amounts.Finish());
    std::vector<std::shared_ptr<arrow::Array>> wanted;
    for (const auto& field : info_.schema->fields())
      wanted.push_back(columns[field->name()]);
    *batch = arrow::RecordBatch::Make(info_.schema, rows, std::move(wanted));
    Count(rows, bytes);
    return Status::OK();
  }

 private:
  Status CheckSize(int64_t id, const ScriptedRow& row) const {
    if (BytesOf(row) <= context_.row_bytes_max) return Status::OK();
    return Error(ErrorKind::kResource, "source.row-too-large",
                 "row " + std::to_string(id) + " of " + NameIn(info_.relation) +
                     ", column name: " + std::to_string(BytesOf(row)) +
                     " bytes found, at most " + std::to_string(context_.row_bytes_max) +
                     " wanted",
                 "give --memory " + std::to_string(4 * BytesOf(row)));
  }

  void Count(int64_t rows, int64_t bytes) {
    if (context_.tally != nullptr) {
      context_.tally->rows += rows;
      context_.tally->source_bytes += bytes;
    }
    const std::lock_guard lock(script_->mutex);
    script_->rows_read += rows;
  }

  const std::shared_ptr<ScriptedSource::Script> script_;
  const Rows table_;
  const TableInfo info_;
  const ReadContext context_;
  const std::shared_ptr<std::atomic<bool>> cancelled_;
  ScriptedRows::const_iterator next_, end_;
};

class ScriptedSession final : public Session {
 public:
  ScriptedSession(ScriptedDatabase database,
                  std::shared_ptr<ScriptedSource::Script> script,
                  std::optional<ScriptedDatabase::Tables> snapshot)
      : database_(std::move(database)),
        script_(std::move(script)),
        snapshot_(std::move(snapshot)) {}

  Result<std::vector<TableName>> List(const Pattern& pattern) override {
    ARROW_RETURN_NOT_OK(script_->Enter(SourceCall::kList));
    const auto star = pattern.glob.find('*');
    std::vector<TableName> names;
    for (const auto& [name, table] : Seen()) {
      const bool wanted = star == std::string::npos
                              ? name.table == pattern.glob
                              : name.table.starts_with(pattern.glob.substr(0, star)) &&
                                    name.table.ends_with(pattern.glob.substr(star + 1));
      if (wanted) names.push_back(name);
    }
    return names;
  }

  Result<TableInfo> Describe(const Relation& relation) override {
    ARROW_RETURN_NOT_OK(script_->Enter(SourceCall::kDescribe));
    if (!relation.where.empty()) {
      return Error(ErrorKind::kUsage, "source.where", "a scripted table takes no where");
    }
    ARROW_ASSIGN_OR_RAISE(const Rows table, Find(relation));
    TableInfo info;
    info.relation = relation;
    info.schema = WholeSchema();
    if (!relation.columns.empty()) {
      std::vector<std::shared_ptr<arrow::Field>> fields;
      for (const std::string& column : relation.columns) {
        fields.push_back(info.schema->GetFieldByName(column));
        if (fields.back() == nullptr) {
          return Error(ErrorKind::kUsage, "source.no-such-column",
                       NameIn(relation) + " has no column: " + column,
                       "columns: id name amount");
        }
      }
      info.schema = arrow::schema(std::move(fields));
    }
    info.fingerprint = "definition " + std::to_string(table->definition);
    if (table->keyed) info.key = {"id"};
    info.key_is_integer = table->keyed;
    info.estimated_rows = static_cast<int64_t>(table->rows.size());
    info.estimated_bytes = info.estimated_rows * 32;
    return info;
  }

  Result<std::optional<Key>> LastKey(const TableInfo& info) override {
    ARROW_RETURN_NOT_OK(script_->Enter(SourceCall::kLastKey));
    ARROW_ASSIGN_OR_RAISE(const Rows table, FindKeyed(info));
    if (table->rows.empty()) return std::nullopt;
    return KeyOf(table->rows.rbegin()->first);
  }

  Result<std::optional<Key>> Bound(const TableInfo& info, const KeyRange& within,
                                   int64_t rows_wanted) override {
    ARROW_RETURN_NOT_OK(script_->Enter(SourceCall::kBound));
    ARROW_ASSIGN_OR_RAISE(const Rows table, FindKeyed(info));
    ARROW_ASSIGN_OR_RAISE(Span span, SpanOf(*table, within));
    for (int64_t row = 1; span.begin != span.end; ++span.begin, ++row) {
      if (row >= rows_wanted) return KeyOf(span.begin->first);
    }
    return std::nullopt;
  }

  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      const TableInfo& info, const KeyRange& range, const ReadContext& context) override {
    ARROW_RETURN_NOT_OK(script_->Enter(SourceCall::kRead));
    ARROW_ASSIGN_OR_RAISE(Rows table, Find(info.relation));
    cancelled_->store(false);
    auto reader = std::make_shared<ScriptedTableReader>(script_, std::move(table), info,
                                                        context, cancelled_);
    ARROW_RETURN_NOT_OK(reader->Begin(range));
    return reader;
  }

  Result<std::optional<Digest>> DigestOf(const TableInfo&, const KeyRange&) override {
    return std::nullopt;
  }

  Status CheckUnchanged(const TableInfo& info) override {
    ARROW_RETURN_NOT_OK(script_->Enter(SourceCall::kCheckUnchanged));
    const ScriptedDatabase::Tables now = Live();
    const auto found = now.find(info.relation.name);
    if (found == now.end()) {
      return Error(ErrorKind::kSource, "source.table-gone",
                   "the table was dropped: " + NameIn(info.relation));
    }
    const std::string fingerprint =
        "definition " + std::to_string(found->second->definition);
    if (fingerprint == info.fingerprint) return Status::OK();
    return Error(ErrorKind::kSource, "source.table-changed",
                 "the table was altered: " + NameIn(info.relation));
  }

  Status Cancel() override {
    cancelled_->store(true);
    return Status::OK();
  }

 private:
  ScriptedDatabase::Tables Live() const {
    const std::lock_guard lock(database_.state_->mutex);
    return database_.state_->tables;
  }
  ScriptedDatabase::Tables Seen() const { return snapshot_ ? *snapshot_ : Live(); }

  Result<Rows> Find(const Relation& relation) const {
    const ScriptedDatabase::Tables tables = Seen();
    const auto found = tables.find(relation.name);
    if (found != tables.end()) return found->second;
    std::string known;
    for (const auto& [name, table] : tables) known += " " + name.table;
    return Error(ErrorKind::kUsage, "source.no-such-table",
                 "no such table: " + NameIn(relation), "tables:" + known);
  }

  Result<Rows> FindKeyed(const TableInfo& info) const {
    ARROW_ASSIGN_OR_RAISE(Rows table, Find(info.relation));
    if (table->keyed) return table;
    return Error(ErrorKind::kUsage, "source.no-key", "no key: " + NameIn(info.relation));
  }

  const ScriptedDatabase database_;
  const std::shared_ptr<ScriptedSource::Script> script_;
  const std::optional<ScriptedDatabase::Tables> snapshot_;
  const std::shared_ptr<std::atomic<bool>> cancelled_ =
      std::make_shared<std::atomic<bool>>(false);
};

ScriptedRows MakeRows(int64_t first, int64_t count, int64_t step) {
  ScriptedRows rows;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t id = first + i * step;
    const bool has_amount = id % 7 != 0;
    rows[id] = {
        "row " + std::to_string(id),
        has_amount ? std::optional<double>(static_cast<double>(id) / 4) : std::nullopt};
  }
  return rows;
}

ScriptedDatabase::ScriptedDatabase() : state_(std::make_shared<State>()) {}

void ScriptedDatabase::Create(const std::string& table, ScriptedRows rows, bool keyed) {
  const std::lock_guard lock(state_->mutex);
  auto made = std::make_shared<ScriptedTable>();
  made->rows = std::move(rows);
  made->keyed = keyed;
  state_->tables[{"main", table}] = std::move(made);
  ++state_->version;
}

ScriptedTable* ScriptedDatabase::Change(const std::string& table) {
  auto& held = state_->tables[{"main", table}];
  auto copy = held == nullptr ? std::make_shared<ScriptedTable>()
                              : std::make_shared<ScriptedTable>(*held);
  ScriptedTable* changed = copy.get();
  held = std::move(copy);
  ++state_->version;
  return changed;
}

void ScriptedDatabase::Put(const std::string& table, int64_t id, ScriptedRow row) {
  const std::lock_guard lock(state_->mutex);
  Change(table)->rows[id] = std::move(row);
}

void ScriptedDatabase::Remove(const std::string& table, int64_t id) {
  const std::lock_guard lock(state_->mutex);
  Change(table)->rows.erase(id);
}

void ScriptedDatabase::Alter(const std::string& table) {
  const std::lock_guard lock(state_->mutex);
  ++Change(table)->definition;
}

void ScriptedDatabase::Drop(const std::string& table) {
  const std::lock_guard lock(state_->mutex);
  state_->tables.erase({"main", table});
  ++state_->version;
}

ScriptedRows ScriptedDatabase::Rows(const std::string& table) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->tables.find({"main", table});
  return found == state_->tables.end() ? ScriptedRows() : found->second->rows;
}

void ScriptedDatabase::AllowSnapshots(bool allowed) {
  const std::lock_guard lock(state_->mutex);
  state_->snapshots = allowed;
}

ScriptedSource::ScriptedSource(ScriptedDatabase database)
    : database_(std::move(database)), script_(std::make_shared<Script>()) {}

ScriptedSource::~ScriptedSource() = default;

Result<SessionSet> ScriptedSource::Open(Consistency wanted, int sessions) {
  ARROW_RETURN_NOT_OK(script_->Enter(SourceCall::kOpen));
  const std::lock_guard lock(database_.state_->mutex);
  const bool snapshot = database_.state_->snapshots && wanted != Consistency::kPerChunk;
  SessionSet set;
  set.kind = snapshot ? wanted : Consistency::kPerChunk;
  if (snapshot) set.position = "version " + std::to_string(database_.state_->version);
  std::optional<ScriptedDatabase::Tables> tables;
  if (snapshot) tables = database_.state_->tables;
  for (int i = 0; i < std::max(sessions, 1); ++i) {
    set.sessions.push_back(std::make_unique<ScriptedSession>(database_, script_, tables));
  }
  return set;
}

void ScriptedSource::FailAt(SourceCall call, int64_t nth, Status failure, int64_t times) {
  const std::lock_guard lock(script_->mutex);
  script_->failures.push_back({call, nth, times, std::move(failure)});
}

void ScriptedSource::Kill() {
  const std::lock_guard lock(script_->mutex);
  script_->dead = true;
}

int64_t ScriptedSource::calls(SourceCall call) const {
  const std::lock_guard lock(script_->mutex);
  const auto found = script_->calls.find(call);
  return found == script_->calls.end() ? 0 : found->second;
}

int64_t ScriptedSource::rows_read() const {
  const std::lock_guard lock(script_->mutex);
  return script_->rows_read;
}

}  // namespace sluice
