/// \file
/// What is said about a row that cannot be delivered: which one, which column, what to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "driver/sqlite.h"
#include "sluice/error.h"
#include "source/sqlite_query.h"

namespace sluice::sqlite {

/// `row` is the cells of the failed row in the order of the query.
class RowErrors {
 public:
  RowErrors(RelationFacts facts, RowsQuery query, KeyRange range);
  const RelationFacts& facts() const { return facts_; }

  /// kFailed "source.type-mismatch".
  Status Misfit(const Cell* row, size_t column) const;
  /// kSource "source.corrupt": NULL in a column that forbids it.
  Status NullFound(const Cell* row, size_t column) const;
  /// kResource "source.row-too-big": all of the row is there, its sum is too large.
  Status RowTooBig(const Cell* row, int64_t row_bytes_max) const;
  /// The same, where SQLite refused to load a value of the row after `rows_before` rows of the
  /// query: finds the row again without its values, and asks for their sizes.
  Status ValueTooBig(Database& database, int64_t rows_before,
                     int64_t row_bytes_max) const;
  /// `status` of a statement on the table that was fine when it was described: what was a usage
  /// error then is kSource "source.changed" now.
  Status Changed(const Status& status) const;
  /// With the table's name in front.
  Status InTable(const Status& status) const;

 private:
  struct RowSize {
    int64_t row_bytes = 0;
    int64_t largest_bytes = 0;
    size_t largest = 0;  ///< column
    bool is_exact = true;
    void Add(size_t column, int64_t bytes) {
      row_bytes += bytes;
      if (bytes > largest_bytes) largest = column;
      if (bytes > largest_bytes) largest_bytes = bytes;
    }
  };
  struct FoundRow {
    Statement statement;  ///< owns what the cells point to
    std::vector<Cell> cells;
  };

  std::string NameOfTable() const;
  std::string RowName(const Cell* row, const std::vector<int>& places) const;
  Status TooBig(const std::string& row, const RowSize& size, int64_t row_bytes_max) const;
  /// Nothing where no key names a row, or the row is gone.
  Result<std::optional<FoundRow>> FindRow(Database& database,
                                          const std::string& expression,
                                          int64_t rows_before) const;

  RelationFacts facts_;
  RowsQuery query_;
  KeyRange range_;
};

}  // namespace sluice::sqlite
