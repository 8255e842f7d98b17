#include "source/mysql_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "arrow/type.h"
#include "arrow/util/decimal.h"

namespace sluice::mysql {
namespace {

constexpr const char* kKindNames[] = {
    "bool",          "int8",           "int16",         "int32",        "int64",
    "uint64",        "bits",           "bits64",        "float",        "double",
    "decimal",       "date",           "timestamp",     "instant",      "time",
    "date-text",     "timestamp-text", "text",          "ascii",        "bytes",
    "enum",          "geometry",       "vector",        "flag",         "uint8-native",
    "uint16-native", "uint32-native",  "uint64-native", "wide-decimal", "time-of-day",
    "time-micros",   "sixteen",        "uuid-text",     "ewkb"};
constexpr int kDecimalDigitsMax = 38;

/// The numbers in the first parentheses: "decimal(65,30)" has 65 and 30.
struct Arguments {
  int first = -1, second = -1;
};
Arguments ArgumentsOf(std::string_view column_type) {
  Arguments arguments;
  const size_t open = column_type.find('(');
  if (open == std::string_view::npos) return arguments;
  const char* end = column_type.data() + column_type.size();
  const auto first = std::from_chars(column_type.data() + open + 1, end, arguments.first);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == ',')
    std::from_chars(first.ptr + 1, end, arguments.second);
  return arguments;
}

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// kText says: no integer.
ColumnKind IntegerKind(std::string_view type, bool is_unsigned) {
  if (type == "tinyint") return is_unsigned ? ColumnKind::kInt16 : ColumnKind::kInt8;
  if (type == "smallint") return is_unsigned ? ColumnKind::kInt32 : ColumnKind::kInt16;
  if (type == "mediumint") return ColumnKind::kInt32;
  if (type == "int") return is_unsigned ? ColumnKind::kInt64 : ColumnKind::kInt32;
  if (type == "bigint") return is_unsigned ? ColumnKind::kUint64 : ColumnKind::kInt64;
  if (type == "year") return ColumnKind::kInt16;
  return ColumnKind::kText;
}

uint64_t LoadBigEndian(Cell cell) {
  uint64_t value = 0;
  for (size_t i = 0; i < cell.size; ++i) value = (value << 8) | cell.data[i];
  return value;
}

template <typename T>
T Load(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

/// The wire has as many bits as the type; the sign is the column's.
int64_t LoadInt(Wire wire, bool is_unsigned, const uint8_t* at) {
  switch (wire) {
    case Wire::kInt8: return is_unsigned ? Load<uint8_t>(at) : Load<int8_t>(at);
    case Wire::kInt16: return is_unsigned ? Load<uint16_t>(at) : Load<int16_t>(at);
    case Wire::kInt32:
      return is_unsigned ? int64_t{Load<uint32_t>(at)} : int64_t{Load<int32_t>(at)};
    default: return Load<int64_t>(at);
  }
}

struct Moment {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, micros = 0;
};
/// Trailing zeros are left out: nothing at all is 0000-00-00.
Moment LoadMoment(Cell cell) {
  Moment moment;
  if (cell.size >= 4) {
    moment.year = Load<uint16_t>(cell.data);
    moment.month = cell.data[2];
    moment.day = cell.data[3];
  }
  if (cell.size >= 7) {
    moment.hour = cell.data[4];
    moment.minute = cell.data[5];
    moment.second = cell.data[6];
  }
  if (cell.size >= 11) moment.micros = static_cast<int>(Load<uint32_t>(cell.data + 7));
  return moment;
}

char* PutTwo(char* out, int value) {
  *out++ = static_cast<char>('0' + value / 10 % 10);
  *out++ = static_cast<char>('0' + value % 10);
  return out;
}

char* PutClock(char* out, int minute, int second, int micros, int digits) {
  *out++ = ':';
  out = PutTwo(out, minute);
  *out++ = ':';
  out = PutTwo(out, second);
  if (digits == 0) return out;
  *out++ = '.';
  for (int divisor = 100'000, i = 0; i < digits; ++i, divisor /= 10)
    *out++ = static_cast<char>('0' + micros / divisor % 10);
  return out;
}

/// At most 26 bytes.
char* PutMoment(char* out, const Moment& moment, bool with_time, int digits) {
  out = PutTwo(PutTwo(out, moment.year / 100), moment.year % 100);
  *out++ = '-';
  out = PutTwo(out, moment.month);
  *out++ = '-';
  out = PutTwo(out, moment.day);
  if (!with_time) return out;
  *out++ = ' ';
  out = PutTwo(out, moment.hour);
  return PutClock(out, moment.minute, moment.second, moment.micros, digits);
}

/// The server's text of a TIME: hours to 838, as many digits as declared. At most 17 bytes.
char* PutTime(char* out, Cell cell, int digits) {
  const bool is_negative = cell.size >= 8 && cell.data[0] != 0;
  int hours = 0, minute = 0, second = 0, micros = 0;
  if (cell.size >= 8) {
    hours = static_cast<int>(Load<uint32_t>(cell.data + 1)) * 24 + cell.data[5];
    minute = cell.data[6];
    second = cell.data[7];
  }
  if (cell.size >= 12) micros = static_cast<int>(Load<uint32_t>(cell.data + 8));
  if (is_negative) *out++ = '-';
  if (hours >= 100) *out++ = static_cast<char>('0' + hours / 100);
  out = PutTwo(out, hours % 100);
  return PutClock(out, minute, second, micros, digits);
}

constexpr int64_t kMicrosOfDay = int64_t{86'400} * 1'000'000;

int64_t LoadTimeMicros(Cell cell) {
  int64_t micros = 0;
  if (cell.size >= 8) {
    const int64_t hours = int64_t{Load<uint32_t>(cell.data + 1)} * 24 + cell.data[5];
    micros = ((hours * 60 + cell.data[6]) * 60 + cell.data[7]) * 1'000'000;
  }
  if (cell.size >= 12) micros += Load<uint32_t>(cell.data + 8);
  return cell.size >= 8 && cell.data[0] != 0 ? -micros : micros;
}

/// "-0.05" without its point, with as many digits behind it as the type has. A column always has them;
/// what IF, CASE and ROUND make of columns has its own, value by value (seen on MySQL 9.7).
bool ParseDecimal(std::string_view text, const DeliveredType& type, __int128* value) {
  const bool is_negative = text.starts_with('-');
  unsigned __int128 sum = 0;
  int digits = 0, behind = 0;
  bool is_behind = false;
  const auto take = [&](unsigned digit) {
    sum = sum * 10 + digit;
    if (sum != 0) ++digits;
    if (is_behind) ++behind;
    return digits <= type.precision && behind <= type.scale;
  };
  for (const char c : text.substr(is_negative ? 1 : 0)) {
    if (c == '.') {
      if (is_behind) return false;
      is_behind = true;
    } else if (c < '0' || c > '9' || !take(static_cast<unsigned>(c - '0'))) {
      return false;
    }
  }
  is_behind = true;
  while (behind < type.scale) {
    if (!take(0)) return false;
  }
  *value = is_negative ? -static_cast<__int128>(sum) : static_cast<__int128>(sum);
  return true;
}

Fit AppendText(std::string_view text, ColumnBuilder& column) {
  return column.AppendBytes(text) ? Fit::kFits : Fit::kNoMemory;
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<uint8_t>(c) < 0x80; });
}

Fit AppendBits(ColumnKind kind, Cell cell, ColumnBuilder& column) {
  if (cell.size > sizeof(uint64_t)) return Fit::kMisfit;
  const uint64_t bits = LoadBigEndian(cell);
  if (kind == ColumnKind::kBool)
    column.AppendBool(bits != 0);
  else if (kind == ColumnKind::kBits)
    column.AppendInt64(static_cast<int64_t>(bits));
  else
    column.AppendDecimal(bits);
  return Fit::kFits;
}

Fit AppendMoment(const DeliveredType& type, Cell cell, ColumnBuilder& column) {
  const Moment moment = LoadMoment(cell);
  const auto days = DaysOfDate(moment.year, moment.month, moment.day);
  if (!days) return Fit::kMisfit;
  if (type.kind == ColumnKind::kDate) {
    column.AppendInt32(*days);
    return Fit::kFits;
  }
  const int64_t seconds =
      int64_t{*days} * 86'400 + moment.hour * 3'600 + moment.minute * 60 + moment.second;
  column.AppendInt64(seconds * 1'000'000 + moment.micros);
  return Fit::kFits;
}

Fit AppendTemporalText(const DeliveredType& type, Cell cell, ColumnBuilder& column) {
  char text[32];
  char* end = type.kind == ColumnKind::kTime
                  ? PutTime(text, cell, type.scale)
                  : PutMoment(text, LoadMoment(cell),
                              type.kind == ColumnKind::kTimestampText, type.scale);
  return AppendText({text, static_cast<size_t>(end - text)}, column);
}

Fit AppendGeometry(const CellRules& rules, Cell cell, ColumnBuilder& column) {
  constexpr size_t kSridSize = 4;
  if (cell.size < kSridSize) return Fit::kMisfit;
  if (rules.srid >= 0 && Load<uint32_t>(cell.data) != static_cast<uint64_t>(rules.srid))
    return Fit::kMisfit;
  return AppendText(cell.bytes().substr(kSridSize), column);
}

/// As Arrow has it, with the digits behind the point that the type has.
Fit AppendWideDecimal(const DeliveredType& type, Cell cell, ColumnBuilder& column) {
  arrow::Decimal256 value;
  int32_t precision = 0, scale = 0;
  const Status parsed =
      arrow::Decimal256::FromString(cell.bytes(), &value, &precision, &scale);
  if (!parsed.ok() || scale > type.scale ||
      precision + type.scale - scale > type.precision)
    return Fit::kMisfit;
  value = value.IncreaseScaleBy(type.scale - scale);
  column.AppendWideDecimal(value.ToBytes().data());
  return Fit::kFits;
}

Fit AppendSixteen(Cell cell, ColumnBuilder& column) {
  if (cell.size != 16) return Fit::kMisfit;
  column.AppendSixteen(cell.data);
  return Fit::kFits;
}

/// "123e4567-e89b-12d3-a456-426655440000", in either case.
Fit AppendUuidText(Cell cell, ColumnBuilder& column) {
  constexpr size_t kTextSize = 36;
  uint8_t bytes[16];
  size_t count = 0;
  if (cell.size != kTextSize) return Fit::kMisfit;
  for (size_t at = 0; at < kTextSize;) {
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      if (cell.data[at++] != '-') return Fit::kMisfit;
      continue;
    }
    const auto* text = reinterpret_cast<const char*>(cell.data) + at;
    const auto read = std::from_chars(text, text + 2, bytes[count++], 16);
    if (read.ec != std::errc() || read.ptr != text + 2) return Fit::kMisfit;
    at += 2;
  }
  column.AppendSixteen(bytes);
  return Fit::kFits;
}

/// The server's form has the SRID before the value, PostGIS' behind its type, which has a bit for it.
Fit AppendEwkb(Cell cell, ColumnBuilder& column) {
  constexpr size_t kHeadSize = 9;  // SRID, byte order, type
  constexpr uint32_t kHasSrid = 0x2000'0000;
  if (cell.size < kHeadSize || cell.data[4] != 1) return Fit::kMisfit;
  const uint32_t type = Load<uint32_t>(cell.data + 5) | kHasSrid;
  std::string text(1, '\x01');
  text.append(reinterpret_cast<const char*>(&type), sizeof(type));
  text.append(cell.bytes().substr(0, 4)).append(cell.bytes().substr(kHeadSize));
  return AppendText(text, column);
}

/// Of the kinds that policies make.
Fit AppendByPolicy(const DeliveredType& type, Wire wire, Cell cell,
                   ColumnBuilder& column) {
  switch (type.kind) {
    case ColumnKind::kFlag: {
      const int64_t value = LoadInt(wire, type.is_unsigned, cell.data);
      if (value != 0 && value != 1) return Fit::kMisfit;
      column.AppendBool(value == 1);
      return Fit::kFits;
    }
    case ColumnKind::kUint8Native:
      column.AppendInt8(Load<int8_t>(cell.data));
      return Fit::kFits;
    case ColumnKind::kUint16Native:
      column.AppendInt16(Load<int16_t>(cell.data));
      return Fit::kFits;
    case ColumnKind::kUint32Native:
      column.AppendInt32(Load<int32_t>(cell.data));
      return Fit::kFits;
    case ColumnKind::kUint64Native:
      column.AppendInt64(Load<int64_t>(cell.data));
      return Fit::kFits;
    case ColumnKind::kWideDecimal: return AppendWideDecimal(type, cell, column);
    case ColumnKind::kTimeOfDay: {
      const int64_t micros = LoadTimeMicros(cell);
      if (micros < 0 || micros >= kMicrosOfDay) return Fit::kMisfit;
      column.AppendInt64(micros);
      return Fit::kFits;
    }
    case ColumnKind::kTimeMicros:
      column.AppendInt64(LoadTimeMicros(cell));
      return Fit::kFits;
    case ColumnKind::kSixteen: return AppendSixteen(cell, column);
    case ColumnKind::kUuidText: return AppendUuidText(cell, column);
    case ColumnKind::kEwkb: return AppendEwkb(cell, column);
    default: return Fit::kMisfit;
  }
}

}  // namespace

Result<DeliveredType> DeliveredTypeOf(const DeclaredType& declared) {
  const std::string& type = declared.data_type;
  const Arguments arguments = ArgumentsOf(declared.column_type);
  DeliveredType delivered;
  delivered.is_unsigned =
      declared.column_type.find(" unsigned") != std::string::npos || type == "year";
  delivered.scale = std::max(arguments.first, 0);
  delivered.kind = IntegerKind(type, delivered.is_unsigned);
  if (delivered.kind != ColumnKind::kText) return delivered;
  if (type == "decimal") {
    delivered.precision = arguments.first < 0 ? 10 : arguments.first;
    delivered.scale = std::max(arguments.second, 0);
    delivered.kind = delivered.precision <= kDecimalDigitsMax ? ColumnKind::kDecimal
                                                              : ColumnKind::kAscii;
  } else if (type == "float") {
    delivered.kind = ColumnKind::kFloat;
  } else if (type == "double") {
    delivered.kind = ColumnKind::kDouble;
  } else if (type == "bit") {
    const int bits = std::max(arguments.first, 1);
    delivered.kind = bits == 1    ? ColumnKind::kBool
                     : bits == 64 ? ColumnKind::kBits64
                                  : ColumnKind::kBits;
  } else if (type == "date") {
    delivered.kind = ColumnKind::kDate;
  } else if (type == "datetime") {
    delivered.kind = ColumnKind::kTimestamp;
  } else if (type == "timestamp") {
    delivered.kind = ColumnKind::kInstant;
  } else if (type == "time") {
    delivered.kind = ColumnKind::kTime;
  } else if (type == "enum" || type == "set") {
    delivered.kind = type == "enum" ? ColumnKind::kEnum : ColumnKind::kText;
    delivered.scale = 0;
    const std::string& members = declared.column_type;
    // Of a query's column they are not told.
    delivered.has_empty_member = members == type ||
                                 members.find("('',") != std::string::npos ||
                                 members.find("('')") != std::string::npos ||
                                 members.find(",'',") != std::string::npos ||
                                 members.find(",'')") != std::string::npos;
  } else if (IsOneOf(type, {"binary", "varbinary", "tinyblob", "blob", "mediumblob",
                            "longblob"})) {
    delivered.kind = ColumnKind::kBytes;
  } else if (IsOneOf(type, {"uuid", "inet4", "inet6"})) {
    delivered.kind = ColumnKind::kAscii;
  } else if (IsOneOf(type, {"geometry", "point", "linestring", "polygon", "multipoint",
                            "multilinestring", "multipolygon", "geometrycollection",
                            "geomcollection"})) {
    delivered.kind = ColumnKind::kGeometry;
  } else if (type == "vector") {
    delivered.kind = ColumnKind::kVector;
    delivered.scale = 0;
  } else if (!IsOneOf(type, {"char", "varchar", "tinytext", "text", "mediumtext",
                             "longtext", "json"})) {
    return Error(
        ErrorKind::kFailed, "source.unsupported-type",
        fmt::format("the type {} cannot be read in this version", declared.column_type),
        "leave the column out: name the others with --columns, or `columns` of the stream");
  }
  return delivered;
}

std::shared_ptr<arrow::DataType> ArrowTypeOf(const DeliveredType& type) {
  switch (type.kind) {
    case ColumnKind::kBool: return arrow::boolean();
    case ColumnKind::kInt8: return arrow::int8();
    case ColumnKind::kInt16: return arrow::int16();
    case ColumnKind::kInt32: return arrow::int32();
    case ColumnKind::kInt64:
    case ColumnKind::kBits: return arrow::int64();
    case ColumnKind::kUint64:
    case ColumnKind::kBits64: return arrow::decimal128(20, 0);
    case ColumnKind::kFloat: return arrow::float32();
    case ColumnKind::kDouble: return arrow::float64();
    case ColumnKind::kDecimal: return arrow::decimal128(type.precision, type.scale);
    case ColumnKind::kDate: return arrow::date32();
    case ColumnKind::kTimestamp: return arrow::timestamp(arrow::TimeUnit::MICRO);
    case ColumnKind::kInstant: return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case ColumnKind::kBytes:
    case ColumnKind::kGeometry:
    case ColumnKind::kEwkb: return arrow::binary();
    case ColumnKind::kVector:
      return arrow::list(arrow::field("element", arrow::float32(), /*nullable=*/false));
    case ColumnKind::kFlag: return arrow::boolean();
    case ColumnKind::kUint8Native: return arrow::uint8();
    case ColumnKind::kUint16Native: return arrow::uint16();
    case ColumnKind::kUint32Native: return arrow::uint32();
    case ColumnKind::kUint64Native: return arrow::uint64();
    case ColumnKind::kWideDecimal: return arrow::decimal256(type.precision, type.scale);
    case ColumnKind::kTimeOfDay: return arrow::time64(arrow::TimeUnit::MICRO);
    case ColumnKind::kTimeMicros: return arrow::int64();
    case ColumnKind::kSixteen:
    case ColumnKind::kUuidText: return arrow::fixed_size_binary(16);
    default: return arrow::utf8();
  }
}

const char* NameOf(ColumnKind kind) { return kKindNames[static_cast<int>(kind)]; }

Result<ColumnKind> ColumnKindFrom(std::string_view name) {
  for (int i = 0; i < static_cast<int>(std::size(kKindNames)); ++i)
    if (name == kKindNames[i]) return static_cast<ColumnKind>(i);
  return Error(ErrorKind::kSource, "json.malformed",
               fmt::format("wanted the kind of a column, found {}", name));
}

bool HasServerForm(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kWideDecimal:
    case ColumnKind::kTimeOfDay:
    case ColumnKind::kTimeMicros:
    case ColumnKind::kUuidText:
    case ColumnKind::kEwkb: return false;
    default: return true;
  }
}

bool MayMisfit(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kDate:
    case ColumnKind::kTimestamp:
    case ColumnKind::kInstant:
    case ColumnKind::kText:
    case ColumnKind::kEnum:
    case ColumnKind::kGeometry:
    case ColumnKind::kFlag:
    case ColumnKind::kTimeOfDay: return true;
    default: return false;
  }
}

bool IsWireOf(const DeliveredType& type, Wire wire) {
  switch (type.kind) {
    // A computed one comes cast, to 64 bits or, from MariaDB, 32.
    case ColumnKind::kInt8:
    case ColumnKind::kInt16:
      return wire == Wire::kInt8 || wire == Wire::kInt64 || wire == Wire::kInt32 ||
             (wire == Wire::kInt16 && type.kind == ColumnKind::kInt16);
    case ColumnKind::kInt32:
      return wire == Wire::kInt32 || wire == Wire::kInt16 || wire == Wire::kInt64;
    case ColumnKind::kInt64: return wire == Wire::kInt64 || wire == Wire::kInt32;
    case ColumnKind::kUint64:
    case ColumnKind::kUint64Native: return wire == Wire::kInt64;
    case ColumnKind::kFlag:
    case ColumnKind::kUint8Native: return wire == Wire::kInt8;
    case ColumnKind::kUint16Native: return wire == Wire::kInt16;
    case ColumnKind::kUint32Native: return wire == Wire::kInt32;
    case ColumnKind::kFloat: return wire == Wire::kFloat;
    case ColumnKind::kDouble: return wire == Wire::kDouble;
    case ColumnKind::kDate:
    case ColumnKind::kTimestamp:
    case ColumnKind::kInstant:
    case ColumnKind::kTime:
    case ColumnKind::kTimeOfDay:
    case ColumnKind::kTimeMicros:
    case ColumnKind::kDateText:
    case ColumnKind::kTimestampText: return wire == Wire::kTemporal;
    default: return wire == Wire::kBytes;
  }
}

Fit AppendCell(const DeliveredType& type, Wire wire, const CellRules& rules, Cell cell,
               ColumnBuilder& column) {
  switch (type.kind) {
    case ColumnKind::kInt8: {
      const int64_t value = LoadInt(wire, type.is_unsigned, cell.data);
      if (value != static_cast<int8_t>(value)) return Fit::kMisfit;
      column.AppendInt8(static_cast<int8_t>(value));
      return Fit::kFits;
    }
    case ColumnKind::kInt16: {
      const int64_t value = LoadInt(wire, type.is_unsigned, cell.data);
      if (value != static_cast<int16_t>(value)) return Fit::kMisfit;
      column.AppendInt16(static_cast<int16_t>(value));
      return Fit::kFits;
    }
    case ColumnKind::kInt32: {
      const int64_t value = LoadInt(wire, type.is_unsigned, cell.data);
      if (value != static_cast<int32_t>(value)) return Fit::kMisfit;
      column.AppendInt32(static_cast<int32_t>(value));
      return Fit::kFits;
    }
    case ColumnKind::kInt64:
      column.AppendInt64(LoadInt(wire, type.is_unsigned, cell.data));
      return Fit::kFits;
    case ColumnKind::kUint64:
      column.AppendDecimal(Load<uint64_t>(cell.data));
      return Fit::kFits;
    case ColumnKind::kBool:
    case ColumnKind::kBits:
    case ColumnKind::kBits64: return AppendBits(type.kind, cell, column);
    case ColumnKind::kFloat:
      column.AppendFloat(Load<float>(cell.data));
      return Fit::kFits;
    case ColumnKind::kDouble:
      column.AppendDouble(Load<double>(cell.data));
      return Fit::kFits;
    case ColumnKind::kDecimal: {
      __int128 value;
      if (!ParseDecimal(cell.bytes(), type, &value)) return Fit::kMisfit;
      column.AppendDecimal(value);
      return Fit::kFits;
    }
    case ColumnKind::kDate:
    case ColumnKind::kTimestamp:
    case ColumnKind::kInstant: return AppendMoment(type, cell, column);
    case ColumnKind::kTime:
    case ColumnKind::kDateText:
    case ColumnKind::kTimestampText: return AppendTemporalText(type, cell, column);
    case ColumnKind::kEnum:
      if (cell.size == 0 && !type.has_empty_member) return Fit::kMisfit;
      [[fallthrough]];
    case ColumnKind::kText:
      return IsUtf8(cell.bytes()) ? AppendText(cell.bytes(), column) : Fit::kMisfit;
    case ColumnKind::kAscii:
      return IsAscii(cell.bytes()) ? AppendText(cell.bytes(), column) : Fit::kMisfit;
    case ColumnKind::kBytes: return AppendText(cell.bytes(), column);
    case ColumnKind::kGeometry: return AppendGeometry(rules, cell, column);
    case ColumnKind::kVector:
      return cell.size % sizeof(float) == 0 ? AppendText(cell.bytes(), column)
                                            : Fit::kMisfit;
    default: return AppendByPolicy(type, wire, cell, column);
  }
}

std::string Describe(const DeliveredType& type, Wire wire, Cell cell) {
  if (cell.data == nullptr) return "NULL";
  char text[32];
  switch (wire) {
    case Wire::kInt8:
    case Wire::kInt16:
    case Wire::kInt32:
    case Wire::kInt64: {
      const int64_t value = LoadInt(wire, type.is_unsigned, cell.data);
      if (type.kind == ColumnKind::kUint64 || type.kind == ColumnKind::kUint64Native)
        return fmt::format("{}", static_cast<uint64_t>(value));
      return fmt::format("{}", value);
    }
    case Wire::kFloat: return fmt::format("{}", Load<float>(cell.data));
    case Wire::kDouble: return fmt::format("{}", Load<double>(cell.data));
    case Wire::kTemporal: {
      const bool is_time = type.kind == ColumnKind::kTime ||
                           type.kind == ColumnKind::kTimeOfDay ||
                           type.kind == ColumnKind::kTimeMicros;
      char* end = is_time ? PutTime(text, cell, type.scale)
                          : PutMoment(text, LoadMoment(cell),
                                      type.kind != ColumnKind::kDate, type.scale);
      return std::string(text, end);
    }
    case Wire::kBytes: break;
  }
  if (type.kind == ColumnKind::kDecimal || type.kind == ColumnKind::kAscii ||
      type.kind == ColumnKind::kWideDecimal || type.kind == ColumnKind::kUuidText)
    return std::string(cell.bytes());
  if (type.kind == ColumnKind::kBool || type.kind == ColumnKind::kBits ||
      type.kind == ColumnKind::kBits64)
    return fmt::format("{}", LoadBigEndian(cell));
  return fmt::format("{} bytes", cell.size);
}

}  // namespace sluice::mysql
