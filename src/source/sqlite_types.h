/// \file
/// What a declared SQLite type is delivered as, and which stored values fit it (docs/types.md).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "arrow/type_fwd.h"
#include "driver/sqlite.h"
#include "sluice/error.h"
#include "source/columns.h"

namespace sluice::sqlite {

enum class ColumnKind {
  kBool,
  kDate,
  kTimestamp,
  kInt64,
  kString,
  kBinary,
  kFloat64,
  kAnyString
};

/// The first rule that fits, case ignored: BOOL or BOOLEAN; DATE; DATETIME or TIMESTAMP (each as
/// the whole word, arguments ignored); contains INT; CHAR, CLOB or TEXT; BLOB; REAL, FLOA or DOUB.
/// Everything else is kString: the text of whatever is stored.
ColumnKind KindOfDeclared(std::string_view declared);
/// SQLite's own REAL affinity (https://sqlite.org/datatype3.html, 3.1).
bool HasRealAffinity(std::string_view declared);

const std::shared_ptr<arrow::DataType>& ArrowTypeOf(ColumnKind kind);
const char* NameOf(ColumnKind kind);
Result<ColumnKind> ColumnKindFrom(std::string_view name);

const char* NameOf(Type storage_class);
/// What was found, for messages: "INTEGER 7", "TEXT of 3 bytes", "BLOB of 16 bytes".
std::string Describe(const Cell& cell);

/// Does the value of a cell that is not NULL fit? Text is not looked at for UTF-8.
bool Fits(ColumnKind kind, const Cell& cell);

enum class Fit { kFits, kMisfit, kNoMemory };
/// Appends the value of a cell that is not NULL. Nothing is appended unless it fits.
/// kNoMemory: column.status().
Fit AppendCell(ColumnKind kind, const Cell& cell, RealTexts& reals,
               ColumnBuilder& column);

}  // namespace sluice::sqlite
