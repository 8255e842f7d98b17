#include "source/sqlite_types.h"

#include <fmt/format.h>

#include <array>
#include <cctype>

#include "arrow/type.h"

namespace sluice::sqlite {
namespace {

constexpr int64_t kExactInDoubleMax = int64_t{1} << 53;

struct KindFacts {
  ColumnKind kind;
  const char* name;
  std::shared_ptr<arrow::DataType> type;
};

const std::array<KindFacts, 8>& Kinds() {
  static const std::array<KindFacts, 8> kinds = {{
      {ColumnKind::kBool, "bool", arrow::boolean()},
      {ColumnKind::kDate, "date", arrow::date32()},
      {ColumnKind::kTimestamp, "timestamp", arrow::timestamp(arrow::TimeUnit::MICRO)},
      {ColumnKind::kInt64, "int64", arrow::int64()},
      {ColumnKind::kString, "string", arrow::utf8()},
      {ColumnKind::kBinary, "binary", arrow::binary()},
      {ColumnKind::kFloat64, "float64", arrow::float64()},
      {ColumnKind::kAnyString, "any-string", arrow::utf8()},
  }};
  return kinds;
}

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  for (char& c : upper)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

/// "TIMESTAMP (6)" -> "TIMESTAMP".
std::string_view WithoutArguments(std::string_view declared) {
  declared = declared.substr(0, declared.find('('));
  const size_t first = declared.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return declared.substr(first, declared.find_last_not_of(" \t\r\n") - first + 1);
}

bool HoldsAny(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words)
    if (text.find(word) != std::string_view::npos) return true;
  return false;
}

/// As SQLite's quote() writes it: X'00FF'.
std::string BlobLiteral(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  text.reserve(bytes.size() * 2 + 3);
  text += "X'";
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 0xf];
  }
  text += '\'';
  return text;
}

bool IsExactInDouble(const Cell& cell) {
  return cell.type == Type::kInteger && cell.integer >= -kExactInDoubleMax &&
         cell.integer <= kExactInDoubleMax;
}

Fit Appended(bool done) { return done ? Fit::kFits : Fit::kNoMemory; }

Fit AppendText(bool blobs_too, const Cell& cell, RealTexts& reals,
               ColumnBuilder& column) {
  switch (cell.type) {
    case Type::kText:
      return IsUtf8(cell.bytes()) ? Appended(column.AppendBytes(cell.bytes()))
                                  : Fit::kMisfit;
    case Type::kInteger: {
      char text[kNumberRoom];
      const char* end = FormatInt(text, cell.integer);
      return Appended(column.AppendBytes({text, static_cast<size_t>(end - text)}));
    }
    case Type::kReal: return Appended(column.AppendBytes(reals.Of(cell.real)));
    case Type::kBlob:
      return blobs_too ? Appended(column.AppendBytes(BlobLiteral(cell.bytes())))
                       : Fit::kMisfit;
    case Type::kNull: break;
  }
  return Fit::kMisfit;
}

}  // namespace

ColumnKind KindOfDeclared(std::string_view declared) {
  const std::string upper = UpperCase(declared);
  const std::string_view word = WithoutArguments(upper);
  if (word == "BOOL" || word == "BOOLEAN") return ColumnKind::kBool;
  if (word == "DATE") return ColumnKind::kDate;
  if (word == "DATETIME" || word == "TIMESTAMP") return ColumnKind::kTimestamp;
  if (HoldsAny(upper, {"INT"})) return ColumnKind::kInt64;
  if (HoldsAny(upper, {"CHAR", "CLOB", "TEXT"})) return ColumnKind::kString;
  if (HoldsAny(upper, {"BLOB"})) return ColumnKind::kBinary;
  if (HoldsAny(upper, {"REAL", "FLOA", "DOUB"})) return ColumnKind::kFloat64;
  return ColumnKind::kString;
}

bool HasRealAffinity(std::string_view declared) {
  const std::string upper = UpperCase(declared);
  return !HoldsAny(upper, {"INT", "CHAR", "CLOB", "TEXT", "BLOB"}) &&
         HoldsAny(upper, {"REAL", "FLOA", "DOUB"});
}

const std::shared_ptr<arrow::DataType>& ArrowTypeOf(ColumnKind kind) {
  return Kinds()[static_cast<size_t>(kind)].type;
}

const char* NameOf(ColumnKind kind) { return Kinds()[static_cast<size_t>(kind)].name; }

Result<ColumnKind> ColumnKindFrom(std::string_view name) {
  for (const KindFacts& facts : Kinds())
    if (facts.name == name) return facts.kind;
  return Error(ErrorKind::kSource, "json.malformed",
               fmt::format("wanted the kind of a SQLite column, found {}", name));
}

const char* NameOf(Type storage_class) {
  switch (storage_class) {
    case Type::kInteger: return "INTEGER";
    case Type::kReal: return "REAL";
    case Type::kText: return "TEXT";
    case Type::kBlob: return "BLOB";
    case Type::kNull: break;
  }
  return "NULL";
}

std::string Describe(const Cell& cell) {
  switch (cell.type) {
    case Type::kInteger: return fmt::format("INTEGER {}", cell.integer);
    case Type::kReal: {
      char text[kNumberRoom];
      return fmt::format("REAL {}", std::string(text, FormatReal(text, cell.real)));
    }
    case Type::kText:
      return fmt::format("TEXT of {} bytes{}", cell.size,
                         IsUtf8(cell.bytes()) ? "" : " that is not UTF-8");
    case Type::kBlob: return fmt::format("BLOB of {} bytes", cell.size);
    case Type::kNull: break;
  }
  return "NULL";
}

bool Fits(ColumnKind kind, const Cell& cell) {
  switch (kind) {
    case ColumnKind::kString: return cell.type != Type::kBlob;
    case ColumnKind::kAnyString: return true;
    case ColumnKind::kInt64: return cell.type == Type::kInteger;
    case ColumnKind::kBinary: return cell.type == Type::kBlob;
    case ColumnKind::kBool:
      return cell.type == Type::kInteger && (cell.integer == 0 || cell.integer == 1);
    case ColumnKind::kFloat64: return cell.type == Type::kReal || IsExactInDouble(cell);
    case ColumnKind::kDate: return cell.type == Type::kText && ParseDate(cell.bytes());
    case ColumnKind::kTimestamp:
      return cell.type == Type::kText && ParseTimestamp(cell.bytes());
  }
  return false;
}

Fit AppendCell(ColumnKind kind, const Cell& cell, RealTexts& reals,
               ColumnBuilder& column) {
  switch (kind) {
    case ColumnKind::kString: return AppendText(/*blobs_too=*/false, cell, reals, column);
    case ColumnKind::kInt64:
      if (cell.type != Type::kInteger) return Fit::kMisfit;
      column.AppendInt64(cell.integer);
      return Fit::kFits;
    case ColumnKind::kDate: {
      const auto days = cell.type == Type::kText ? ParseDate(cell.bytes()) : std::nullopt;
      if (!days) return Fit::kMisfit;
      column.AppendInt32(*days);
      return Fit::kFits;
    }
    case ColumnKind::kFloat64: {
      const bool exact = IsExactInDouble(cell);
      if (cell.type != Type::kReal && !exact) return Fit::kMisfit;
      column.AppendDouble(exact ? static_cast<double>(cell.integer) : cell.real);
      return Fit::kFits;
    }
    case ColumnKind::kTimestamp: {
      const auto micros =
          cell.type == Type::kText ? ParseTimestamp(cell.bytes()) : std::nullopt;
      if (!micros) return Fit::kMisfit;
      column.AppendInt64(*micros);
      return Fit::kFits;
    }
    case ColumnKind::kBool:
      if (cell.type != Type::kInteger || (cell.integer != 0 && cell.integer != 1))
        return Fit::kMisfit;
      column.AppendBool(cell.integer == 1);
      return Fit::kFits;
    case ColumnKind::kBinary:
      return cell.type == Type::kBlob ? Appended(column.AppendBytes(cell.bytes()))
                                      : Fit::kMisfit;
    case ColumnKind::kAnyString:
      return AppendText(/*blobs_too=*/true, cell, reals, column);
  }
  return Fit::kMisfit;
}

}  // namespace sluice::sqlite
