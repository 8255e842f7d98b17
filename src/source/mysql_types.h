/// \file
/// What a column of MySQL or MariaDB is delivered as (docs/types.md), and its values from the wire.
/// No I/O.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "arrow/type_fwd.h"
#include "driver/mysql.h"
#include "sluice/error.h"
#include "source/columns.h"

namespace sluice::mysql {

enum class ColumnKind {
  kBool,  ///< BIT(1)
  kInt8,
  kInt16,  ///< and YEAR
  kInt32,
  kInt64,
  kUint64,  ///< BIGINT UNSIGNED: decimal128(20, 0)
  kBits,    ///< BIT(2) to BIT(63): int64
  kBits64,  ///< BIT(64): decimal128(20, 0)
  kFloat,
  kDouble,
  kDecimal,  ///< up to 38 digits
  kDate,
  kTimestamp,  ///< DATETIME: no zone
  kInstant,    ///< TIMESTAMP: UTC
  kTime,       ///< text
  kDateText,   ///< DATE, where the policy made text of it
  kTimestampText,
  kText,   ///< must be UTF-8
  kAscii,  ///< text the server made: numbers, UUID, INET
  kBytes,
  kEnum,      ///< ENUM, SET: text; "" where it is no member is the error value
  kGeometry,  ///< WKB, behind the four bytes of its SRID
  kVector,    ///< list<float32>
  // What policies make of them:
  kFlag,         ///< TINYINT(1): bool
  kUint8Native,  ///< UNSIGNED: uint8 to uint64
  kUint16Native,
  kUint32Native,
  kUint64Native,
  kWideDecimal,  ///< more than 38 digits: decimal256
  kTimeOfDay,    ///< TIME: time64[us]
  kTimeMicros,   ///< TIME: int64
  kSixteen,      ///< BINARY(16): fixed_size_binary(16)
  kUuidText,     ///< UUID: the same, of its text
  kEwkb,         ///< geometry: WKB that says its SRID
};

/// As information_schema.COLUMNS has it.
struct DeclaredType {
  std::string data_type;    ///< "bigint"
  std::string column_type;  ///< "bigint(20) unsigned"
  std::string charset;      ///< "" for none
};

/// The type as it is delivered.
struct DeliveredType {
  ColumnKind kind = ColumnKind::kText;
  int precision = 0;  ///< of kDecimal
  int scale = 0;      ///< likewise; digits of fraction of times
  bool is_unsigned = false;
  bool has_empty_member = false;  ///< of kEnum
};

/// kFailed "source.unsupported-type" for a type that has no row in docs/types.md.
Result<DeliveredType> DeliveredTypeOf(const DeclaredType& declared);
std::shared_ptr<arrow::DataType> ArrowTypeOf(const DeliveredType& type);
const char* NameOf(ColumnKind kind);
Result<ColumnKind> ColumnKindFrom(std::string_view name);

/// Is the kind's canonical form (docs/digest.md) one that the server has as well?
bool HasServerForm(ColumnKind kind);
/// May a value be none of the kind's?
bool MayMisfit(ColumnKind kind);

/// Is this how the server writes values of the kind?
bool IsWireOf(const DeliveredType& type, Wire wire);

enum class Fit { kFits, kMisfit, kNoMemory };
/// What a column's values are judged by besides their type.
struct CellRules {
  int64_t srid = -1;  ///< of kGeometry: any other is a misfit
};
/// Appends the value of a cell that is not NULL. Nothing is appended unless it fits.
/// kNoMemory: column.status().
Fit AppendCell(const DeliveredType& type, Wire wire, const CellRules& rules, Cell cell,
               ColumnBuilder& column);

/// What was found, for messages: "-7", "0000-00-00", "'abc'", "5 bytes".
std::string Describe(const DeliveredType& type, Wire wire, Cell cell);

}  // namespace sluice::mysql
