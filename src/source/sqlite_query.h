/// \file
/// What Describe found out about a relation, as every later call needs it, and the statements made
/// of it. Crosses sessions and runs as JSON in TableInfo::detail.
#pragma once

#include <string>
#include <vector>

#include "driver/sqlite.h"
#include "sluice/error.h"
#include "sluice/table.h"
#include "source/sqlite_definition.h"
#include "source/sqlite_types.h"

namespace sluice::sqlite {

struct RelationFacts {
  std::string table;
  std::vector<std::string> columns;     ///< selected
  std::vector<ColumnKind> kinds;        ///< one per selected column
  std::vector<OnTypeMismatch> misfits;  ///< likewise: what becomes of them
  std::string where;
  std::string sql;         ///< instead of a table: the query
  KeyDefinition key;       ///< without columns: none
  std::string rowid;       ///< visible name, or ""
  bool is_table = true;    ///< not a view, not virtual
  std::string definition;  ///< fingerprint of the table's definition
};

std::string ToDetail(const RelationFacts& facts);
Result<RelationFacts> FactsOf(const TableInfo& table);

/// "a", "b" FROM main."t" INDEXED BY …: the table read by the key's index, or in rowid order.
std::string FromClause(const RelationFacts& facts);

/// Rows of `range` in key order, the selected columns first and then those columns of the key (or
/// the rowid) that are not selected and which name a row in messages.
struct RowsQuery {
  std::string sql;
  std::vector<std::string>
      label_names;                ///< of the columns that name a row; empty: nothing does
  std::vector<int> label_places;  ///< their places in the result
};
RowsQuery SelectRows(const RelationFacts& facts, const KeyRange& range);

/// The key alone of the row `offset` (from 0) of `range`; `where` is not applied.
std::string SelectKey(const RelationFacts& facts, const KeyRange& range,
                      bool from_the_end);

/// Binds the bounds of `range`, which a statement made above names first.
/// kFailed "source.key" for a key that is not this relation's.
Status BindRange(const RelationFacts& facts, const KeyRange& range, Statement& statement);
/// Number of parameters that BindRange takes.
int RangeParameters(const KeyRange& range);

Result<Key> KeyOf(const Cell* cells, size_t count);

}  // namespace sluice::sqlite
