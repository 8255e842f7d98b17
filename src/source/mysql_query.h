/// \file
/// What Describe found out about a relation, as every later call needs it, and the statements made
/// of it. Crosses sessions and runs as JSON in TableInfo::detail.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sluice/error.h"
#include "sluice/table.h"
#include "source/mysql_policy.h"
#include "source/mysql_types.h"
#include "sql/mysql_text.h"

namespace sluice::mysql {

struct ColumnFacts {
  std::string name;
  DeliveredType type;
  OnMisfit on_misfit = OnMisfit::kError;
  std::string charset;          ///< of text that is not in UTF-8; else ""
  int64_t value_bytes_max = 0;  ///< that a value may have, as the type says
  int64_t srid = -1;            ///< of a geometry: the only one its values may have
  bool is_computed =
      false;  ///< of a view or a query: values need not look as the type has them
};

struct RelationFacts {
  TableName name;
  std::vector<ColumnFacts> columns;      ///< selected
  std::vector<ColumnFacts> key_columns;  ///< of the key, whether selected or not
  std::string where;
  std::string query;           ///< instead of a table
  bool is_wrapped = false;     ///< it is a derived table of the statement
  std::vector<KeyColumn> key;  ///< empty: none
  std::string index;           ///< the key's
  std::string definition;      ///< fingerprint of the table's definition
};

std::string ToDetail(const RelationFacts& facts);
Result<RelationFacts> FactsOf(const TableInfo& table);

/// What is selected for a column: its name, or what makes UTF-8 of it.
std::string SelectedAs(const ColumnFacts& column);

/// " FROM …", by the key's index.
std::string FromClause(const RelationFacts& facts);
/// " WHERE …" of a range and the relation's own condition, or "".
Result<std::string> WhereClause(const RelationFacts& facts, const KeyRange& range,
                                bool with_condition);

/// Rows of `range` in key order: the selected columns; the lengths of those that might make a row
/// too large; those columns of the key that are not selected.
struct RowsQuery {
  std::string sql;
  std::vector<int> lengths;       ///< place of a column's length in the result; -1: none
  std::vector<int> label_places;  ///< of the key's columns in the result
};
Result<RowsQuery> SelectRows(const RelationFacts& facts, const KeyRange& range,
                             int64_t row_bytes_max);

/// The key alone of the row `offset` (from 0) of `range`; `where` is not applied.
Result<std::string> SelectKey(const RelationFacts& facts, const KeyRange& range,
                              int64_t offset, bool from_the_end);

/// The digest of the rows of `range` as the server computes it; nothing where a policy delivers what the
/// server has no form of.
Result<std::optional<std::string>> SelectDigestOf(const RelationFacts& facts,
                                                  const KeyRange& range);

}  // namespace sluice::mysql
