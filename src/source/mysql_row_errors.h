/// \file
/// What is said about a row that cannot be delivered: which one, which column, what to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "driver/mysql.h"
#include "sluice/error.h"
#include "source/mysql_query.h"

namespace sluice::mysql {

/// `row` is the cells of the failed row in the order of the query.
class RowErrors {
 public:
  RowErrors(RelationFacts facts, RowsQuery query);
  const RelationFacts& facts() const { return facts_; }
  const RowsQuery& query() const { return query_; }
  void SetWires(std::vector<Wire> wires) { wires_ = std::move(wires); }

  /// kFailed "source.type-mismatch".
  Status Misfit(const Cell* row, size_t column) const;
  /// kSource "source.corrupt": NULL in a column that forbids it.
  Status NullFound(const Cell* row, size_t column) const;
  /// kResource "source.row-too-big".
  Status RowTooBig(const Cell* row, int64_t row_bytes_max) const;
  /// `status` of a statement on the table that was fine when it was described: what was a usage
  /// error then is kSource "source.changed" now.
  Status Changed(const Status& status) const;
  /// With the table's name in front.
  Status InTable(const Status& status) const;
  /// Bytes of a column in the row: its length where it was left out.
  int64_t BytesOf(const Cell* row, size_t column) const;

 private:
  std::string RowName(const Cell* row) const;
  RelationFacts facts_;
  RowsQuery query_;
  std::vector<Wire> wires_;
};

}  // namespace sluice::mysql
