/// \file
/// Where rows come from.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/error.h"
#include "sluice/finding.h"
#include "sluice/table.h"

namespace arrow {
class StopToken;
}

namespace sluice {

/// What a read did to the rows; filled by the reader, complete once the reader has ended.
/// Written by the reading thread only.
struct ReadTally {
  int64_t rows = 0;
  int64_t source_bytes = 0;
  std::map<std::string, int64_t> coerced;  ///< column -> values a policy changed
};

/// How to read. The referenced objects outlive the reader.
struct ReadContext {
  arrow::MemoryPool* pool = nullptr;  ///< nullptr: Arrow's default
  int64_t batch_rows = 16 * 1024;     ///< upper bound of rows in a batch
  int64_t batch_bytes = 4 << 20;      ///< a batch ends once it holds as much
  int64_t row_bytes_max =
      64 << 20;  ///< a larger row is kResource naming table, key, column,
                 ///< size and the --memory that would do (four times it)
  const arrow::StopToken* stop = nullptr;  ///< polled at least once per batch
  ReadTally* tally = nullptr;
};

struct Pattern {
  std::string glob = "*";  ///< of the table's name, case-sensitive
  bool views = false;      ///< views too
};

/// One connection, used by one thread at a time; Cancel from any thread. A call that finds it gone for
/// good is kTransient "source.lost": its chunk goes to another session of the set.
class Session {
 public:
  virtual ~Session() = default;

  /// Names in the server's order; no system tables.
  virtual Result<std::vector<TableName>> List(const Pattern& pattern) = 0;

  /// kUsage: no such table or column (names the nearest), a `where` that does not parse or is not
  /// deterministic. Everything later calls need is in the answer.
  virtual Result<TableInfo> Describe(const Relation& relation) = 0;

  /// Describe of many, one answer each, in few questions.
  virtual std::vector<Result<TableInfo>> DescribeAll(
      const std::vector<Relation>& relations);

  /// How each would be read; proves that it may be. Reads no rows but those at the ends of a key.
  virtual std::vector<Result<ReadPlan>> ExplainAll(const std::vector<TableInfo>& tables);

  /// The greatest key among the relation's rows; nothing when there is no row. Needs a key.
  virtual Result<std::optional<Key>> LastKey(const TableInfo& table) = 0;

  /// A key in `within` (open below, closed above) with about `rows_wanted` rows of `within` at or
  /// below it; it need not belong to a row of the relation, but every row's key is comparable to
  /// it. Nothing: `within` holds fewer rows than that, take it whole. Needs a key; cheap: at most
  /// one step of `rows_wanted` rows in the index.
  virtual Result<std::optional<Key>> Bound(const TableInfo& table, const KeyRange& within,
                                           int64_t rows_wanted) = 0;

  /// The rows of `range` (unbounded range: all) as the schema of `table` says; in key order if
  /// there is a key. Errors name table, key and column. One open reader per session.
  virtual Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      const TableInfo& table, const KeyRange& range, const ReadContext& context) = 0;

  /// The rows of `range` digested by the server; a source that has no server
  /// form returns nothing and the caller digests what Read delivers.
  virtual Result<std::optional<Digest>> DigestOf(const TableInfo& table,
                                                 const KeyRange& range) = 0;

  /// Compares the definition now with the one in `table`: kSource when it changed or is gone.
  virtual Status CheckUnchanged(const TableInfo& table) = 0;

  /// Makes a call in progress return kCancelled soon. From any thread.
  virtual Status Cancel() = 0;
};

/// Sessions that read one state of the database, as far as `kind` says.
struct SessionSet {
  std::vector<std::unique_ptr<Session>>
      sessions;  ///< at least one, at most as many as wanted
  Consistency kind = Consistency::kPerChunk;
  std::string
      position;  ///< of the snapshot, comparable for equality; "" if the source has none
};

/// Thread-safe.
class Source {
 public:
  virtual ~Source() = default;
  /// One-line description for messages; no secrets.
  virtual std::string Describe() const = 0;
  /// kUsage: unreachable by configuration; kTransient: locked, refused, timed out.
  virtual Result<SessionSet> Open(Consistency wanted, int sessions) = 0;
  /// Looks at the server, its settings and the account's privileges; changes and locks nothing.
  virtual Result<SourceFindings> Inspect(const SourceWish& wish);
};

}  // namespace sluice
