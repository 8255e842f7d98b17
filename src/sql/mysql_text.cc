#include "sql/mysql_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>

#include "arrow/buffer.h"
#include "arrow/scalar.h"
#include "arrow/type.h"

namespace sluice::mysql {
namespace {

constexpr const char* kFormNames[] = {"integer",  "decimal", "text",   "bytes",
                                      "temporal", "year",    "ordinal"};

/// Selected as a number, and written as one.
bool IsNumeric(KeyForm form) {
  return form == KeyForm::kInteger || form == KeyForm::kYear || form == KeyForm::kOrdinal;
}

std::string Hex(std::string_view bytes) {
  std::string hex = "x'";
  for (const unsigned char byte : bytes) {
    hex += "0123456789ABCDEF"[byte >> 4];
    hex += "0123456789ABCDEF"[byte & 15];
  }
  return hex + "'";
}

bool IsUtf8Charset(std::string_view charset) {
  return charset.starts_with("utf8") || charset == "ascii";
}

Status NotThisKey(const KeyColumn& column, const std::string& found) {
  return Error(ErrorKind::kFailed, "source.key",
               fmt::format("wanted a value of the key column {} ({}), found {}",
                           column.name, NameOf(column.form), found));
}

/// A number goes into a statement unquoted: only what is one.
bool IsNumber(std::string_view text, bool with_point) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty()) return false;
  int points = 0;
  for (const char c : text) {
    if (c == '.') ++points;
    if ((c < '0' || c > '9') && c != '.') return false;
  }
  return points <= (with_point ? 1 : 0);
}

bool IsTemporal(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("0123456789-:. ") == std::string_view::npos;
}

Result<std::string> Literal(const KeyColumn& column, const arrow::Scalar& value) {
  if (value.type->id() == arrow::Type::INT64) {
    if (!IsNumeric(column.form)) return NotThisKey(column, "int64");
    return std::to_string(static_cast<const arrow::Int64Scalar&>(value).value);
  }
  if (value.type->id() != arrow::Type::STRING && value.type->id() != arrow::Type::BINARY)
    return NotThisKey(column, value.type->ToString());
  const std::string_view bytes =
      static_cast<const arrow::BaseBinaryScalar&>(value).view();
  switch (column.form) {
    case KeyForm::kInteger:
    case KeyForm::kYear:
    case KeyForm::kOrdinal:
      if (!IsNumber(bytes, false)) return NotThisKey(column, "text");
      return std::string(bytes);
    case KeyForm::kDecimal:
      if (!IsNumber(bytes, true)) return NotThisKey(column, "text");
      return std::string(bytes);
    case KeyForm::kTemporal:
      if (!IsTemporal(bytes)) return NotThisKey(column, "text");
      return fmt::format("'{}'", bytes);
    case KeyForm::kBytes: return Hex(bytes);
    case KeyForm::kText:
      // The collation is said, so that it is the column's whatever the connection has.
      return fmt::format("_{} {} COLLATE {}", column.charset, Hex(bytes),
                         column.collation);
  }
  return NotThisKey(column, "another form");
}

std::string Operand(const KeyColumn& column) {
  return QuoteName(column.name) + (column.form == KeyForm::kOrdinal ? "+0" : "");
}

/// Null: the column has none.
std::shared_ptr<arrow::Scalar> GreatestOf(const KeyColumn& column) {
  if (column.form != KeyForm::kInteger) return nullptr;
  if (column.is_wide)
    return std::make_shared<arrow::StringScalar>(
        std::to_string(std::numeric_limits<uint64_t>::max()));
  return std::make_shared<arrow::Int64Scalar>(std::numeric_limits<int64_t>::max());
}

/// The columns that decide: every value behind them is the greatest. At least one.
size_t CountDeciding(const std::vector<KeyColumn>& key, const Key& bound) {
  size_t count = key.size();
  for (; count > 1; --count) {
    const auto greatest = GreatestOf(key[count - 1]);
    if (greatest == nullptr || !greatest->Equals(*bound[count - 1])) break;
  }
  return count;
}

/// The value of the first column where it alone decides, and is an integer.
std::optional<int64_t> FirstAlone(const std::vector<KeyColumn>& key,
                                  const std::optional<Key>& bound) {
  if (!bound || bound->size() != key.size() || key[0].form != KeyForm::kInteger ||
      CountDeciding(key, *bound) != 1 || (*bound)[0]->type->id() != arrow::Type::INT64)
    return std::nullopt;
  return static_cast<const arrow::Int64Scalar&>(*(*bound)[0]).value;
}

/// (a > x) OR (a = x AND b > y) OR …; the last comparison is `last`.
Result<std::string> Bound(const std::vector<KeyColumn>& key, const Key& bound,
                          const char* strict, const char* last) {
  if (bound.size() != key.size())
    return Error(
        ErrorKind::kFailed, "source.key",
        fmt::format("wanted a key of {} values, found {}", key.size(), bound.size()));
  const size_t count = CountDeciding(key, bound);
  std::string condition, equal;
  for (size_t i = 0; i < count; ++i) {
    ARROW_ASSIGN_OR_RAISE(const std::string literal, Literal(key[i], *bound[i]));
    const std::string operand = Operand(key[i]);
    const char* comparison = i + 1 == count ? last : strict;
    condition += fmt::format("{}({}{} {} {})", i == 0 ? "" : " OR ", equal, operand,
                             comparison, literal);
    equal += fmt::format("{} = {} AND ", operand, literal);
  }
  return "(" + condition + ")";
}

}  // namespace

std::string QuoteName(std::string_view name) {
  std::string quoted = "`";
  for (const char c : name) {
    if (c == '`') quoted += '`';
    quoted += c;
  }
  return quoted + "`";
}

std::string QuoteName(const TableName& name) {
  return QuoteName(name.schema) + "." + QuoteName(name.table);
}

std::string TextLiteral(std::string_view text) { return "_utf8mb4 " + Hex(text); }

const char* NameOf(KeyForm form) { return kFormNames[static_cast<int>(form)]; }

Result<KeyForm> KeyFormFrom(std::string_view name) {
  for (int i = 0; i < static_cast<int>(std::size(kFormNames)); ++i)
    if (name == kFormNames[i]) return static_cast<KeyForm>(i);
  return Error(ErrorKind::kFailed, "source.key",
               fmt::format("wanted the form of a key, found {}", name));
}

std::string KeyList(const std::vector<KeyColumn>& key) {
  std::string list;
  for (const KeyColumn& column : key) {
    const bool is_number = IsNumeric(column.form);
    list += fmt::format("{}{}{}", list.empty() ? "" : ",", QuoteName(column.name),
                        is_number ? "+0" : "");
  }
  return list;
}

std::string KeyOrder(const std::vector<KeyColumn>& key, bool descending) {
  std::string list;
  for (const KeyColumn& column : key)
    list += fmt::format("{}{}{}", list.empty() ? " ORDER BY " : ",",
                        QuoteName(column.name), descending ? " DESC" : "");
  return list;
}

Result<Key> KeyFrom(const std::vector<KeyColumn>& columns,
                    const std::vector<std::optional<std::string>>& row) {
  Key key;
  for (size_t i = 0; i < columns.size(); ++i) {
    const KeyColumn& column = columns[i];
    if (i >= row.size() || !row[i])
      return Error(ErrorKind::kSource, "source.null-in-key",
                   fmt::format("wanted a key without NULL, as the table declares it, "
                               "found NULL in {}",
                               column.name),
                   "look with CHECK TABLE");
    const std::string& text = *row[i];
    const bool is_number = IsNumeric(column.form);
    int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    const bool is_bytes =
        column.form == KeyForm::kBytes ||
        (column.form == KeyForm::kText && !IsUtf8Charset(column.charset));
    if (is_number && read.ec == std::errc() && read.ptr == end)
      key.push_back(std::make_shared<arrow::Int64Scalar>(number));
    else if (is_bytes)
      key.push_back(
          std::make_shared<arrow::BinaryScalar>(arrow::Buffer::FromString(text)));
    else
      key.push_back(std::make_shared<arrow::StringScalar>(text));
  }
  return key;
}

std::optional<Key> EndOf(const std::vector<KeyColumn>& key, int64_t first) {
  Key end = {std::make_shared<arrow::Int64Scalar>(first)};
  for (size_t i = 1; i < key.size(); ++i) {
    auto greatest = GreatestOf(key[i]);
    if (greatest == nullptr) return std::nullopt;
    end.push_back(std::move(greatest));
  }
  return end;
}

Result<std::string> RangeCondition(const std::vector<KeyColumn>& key,
                                   const KeyRange& range) {
  const auto low = FirstAlone(key, range.after), high = FirstAlone(key, range.upto);
  if (low && high && *low < std::numeric_limits<int64_t>::max())
    return fmt::format("({} BETWEEN {} AND {})", QuoteName(key[0].name), *low + 1, *high);
  std::string condition;
  if (range.after) {
    ARROW_ASSIGN_OR_RAISE(condition, Bound(key, *range.after, ">", ">"));
  }
  if (range.upto) {
    ARROW_ASSIGN_OR_RAISE(const std::string upto, Bound(key, *range.upto, "<", "<="));
    condition += (condition.empty() ? "" : " AND ") + upto;
  }
  return condition;
}

}  // namespace sluice::mysql
