/// \file
/// Is a `where` one expression that means the same to every session of a load?
#pragma once

#include <string>
#include <string_view>

#include "driver/sqlite.h"
#include "sluice/error.h"

namespace sluice::sqlite {

/// Looks at the text alone: one balanced expression without comments, parameters, a second
/// statement, or functions whose value depends on the clock, on chance or on the connection.
/// kUsage "source.where".
Status CheckWhereText(std::string_view where);

/// That, and whether SQLite takes it as a condition on `quoted_table`.
Status CheckWhere(Database& database, const std::string& quoted_table,
                  std::string_view where);

/// Likewise of a query, which may hold no comments any more: it begins with SELECT, WITH or VALUES and
/// gives the same rows each time. kUsage "source.query".
Status CheckQueryText(std::string_view sql);

}  // namespace sluice::sqlite
