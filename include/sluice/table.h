/// \file
/// The vocabulary: tables, keys, ranges, chunks, digests.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arrow/type_fwd.h"

namespace sluice {

struct TableName {
  std::string schema;  ///< SQLite: "main"
  std::string table;
  bool operator==(const TableName&) const = default;
  auto operator<=>(const TableName&) const = default;
};
/// schema.table for messages; a part that holds a dot, quote, space or control is "quoted".
std::string ToString(const TableName& name);

enum class OnTypeMismatch { kError, kNull, kString };

/// Words of type policies by name, "zero_date" -> "string" (docs/types.md). What is not named goes by
/// the contract's default.
using Policies = std::map<std::string, std::string>;

/// What is asked of a source: one table, some of its columns, some of its rows.
struct Relation {
  TableName name;
  std::vector<std::string> columns;  ///< empty: all, in the table's order
  std::string where;  ///< one expression in the source's SQL; empty: all rows
  OnTypeMismatch on_type_mismatch = OnTypeMismatch::kError;
  std::string sql =
      {};  ///< a query in the source's SQL instead of a table; `name` is what
           ///< its rows are called
  Policies policies =
      {};  ///< of every column; those of its type win, those of the column
           ///< itself win over both
  std::map<std::string, Policies> type_policies = {};    ///< by the source's type name
  std::map<std::string, Policies> column_policies = {};  ///< by column
};

/// What the source answered. Immutable; the same object is handed to every session of the run.
struct TableInfo {
  Relation relation;
  std::shared_ptr<arrow::Schema> schema;  ///< of what Read delivers, with field metadata
  std::string fingerprint;       ///< of definition and types; compared on every resume
  std::vector<std::string> key;  ///< unique, NOT NULL, ordered by the server; or empty
  bool key_is_integer =
      false;  ///< one integer column: bounds may be proposed by arithmetic
  int64_t estimated_rows = 0;   ///< a hint, never a fact
  int64_t estimated_bytes = 0;  ///< likewise
  std::string detail;           ///< the connector's own facts (JSON), opaque to others
};

/// One value per key column, in the types the source delivers. Only the source compares keys.
using Key = std::vector<std::shared_ptr<arrow::Scalar>>;

/// after < key <= upto; an absent side is open. Chunks of a load are disjoint and cover it.
struct KeyRange {
  std::optional<Key> after, upto;
};

struct Chunk {
  int64_t ordinal = 0;  ///< from 1, dense, in key order
  KeyRange range;
  bool last = false;  ///< no chunk follows: the plan is complete
};

struct ChunkCost {
  int64_t rows = 0;
  int64_t source_bytes = 0;   ///< Arrow bytes decoded
  int64_t encoded_bytes = 0;  ///< bytes staged
  double seconds = 0;
};

/// Exact sum of unsigned 64-bit numbers.
struct Sum128 {
  uint64_t high = 0, low = 0;
  void Add(uint64_t value) {
    low += value;
    if (low < value) ++high;
  }
  void Add(const Sum128& other) {
    Add(other.low);
    high += other.high;
  }
  bool operator==(const Sum128&) const = default;
};
std::string ToString(const Sum128& sum);  ///< decimal

enum class DigestKind { kNone, kClient, kServer };

/// Order-independent digest of a set of rows (docs/digest.md). `rows` is always counted; the
/// sums only where kind is not kNone. hashed must equal rows.
struct Digest {
  int64_t rows = 0, hashed = 0;
  Sum128 high,
      low;  ///< of the first and the second 64 bits of each row's SHA-256, big-endian
  int version = 0;
  DigestKind kind = DigestKind::kNone;
  void Add(const Digest& other);  ///< of a disjoint set of rows; kinds must agree
  bool operator==(const Digest&) const = default;
};

enum class VerifyDepth { kCounts, kContent };
enum class Consistency { kSnapshot, kPerChunk, kSnapshotStrict };

}  // namespace sluice
