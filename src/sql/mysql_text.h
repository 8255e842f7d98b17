/// \file
/// Statements for MySQL and MariaDB as text: names, values, ranges of a key. No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/error.h"
#include "sluice/table.h"

namespace sluice::mysql {

/// `name`, quoted.
std::string QuoteName(std::string_view name);
/// `schema`.`table`
std::string QuoteName(const TableName& name);
/// Text in UTF-8 as a literal that no sql_mode reads in another way.
std::string TextLiteral(std::string_view text);

/// How a column of a key is compared and written.
enum class KeyForm {
  kInteger,   ///< integers, BIT: decimal
  kDecimal,   ///< DECIMAL: decimal with a point
  kText,      ///< in the column's character set and collation
  kBytes,     ///< BINARY, VARBINARY
  kTemporal,  ///< DATE, DATETIME, TIMESTAMP, TIME: the server's text
  kYear,      ///< decimal, but no number: 1 is 2001 in a comparison, and 70 is 1970
  kOrdinal,   ///< ENUM, SET: c+0, for they sort by number but compare as text
};
const char* NameOf(KeyForm form);
Result<KeyForm> KeyFormFrom(std::string_view name);

struct KeyColumn {
  std::string name;
  KeyForm form = KeyForm::kInteger;
  std::string charset, collation;  ///< of kText
  bool is_wide = false;            ///< of kInteger: may be beyond a signed 64-bit integer
  bool operator==(const KeyColumn&) const = default;
};

/// The columns as they are selected for a key, with commas between.
std::string KeyList(const std::vector<KeyColumn>& key);
/// "ORDER BY …" of a key, or "".
std::string KeyOrder(const std::vector<KeyColumn>& key, bool descending);

/// A row of KeyList as a key: integers that fit as int64, text in UTF-8 as string, else binary.
/// kSource "source.null-in-key".
Result<Key> KeyFrom(const std::vector<KeyColumn>& key,
                    const std::vector<std::optional<std::string>>& row);

/// The key with `first` and behind it the greatest value of each further column: the upper end of
/// the rows that begin with `first`. Nothing where a further column has no greatest value.
std::optional<Key> EndOf(const std::vector<KeyColumn>& key, int64_t first);

/// after < key <= upto, expanded to OR: the optimizer makes one range of an index of it, which it
/// does not of (a, b) > (x, y). A bound made by EndOf is a comparison of the first column alone;
/// between two of them, and in a key of one integer, one BETWEEN: the condition is evaluated for
/// every row. "" for the unbounded range. kFailed "source.key" for a key that is not of these
/// columns.
Result<std::string> RangeCondition(const std::vector<KeyColumn>& key,
                                   const KeyRange& range);

}  // namespace sluice::mysql
