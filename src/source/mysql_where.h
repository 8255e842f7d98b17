/// \file
/// Is a `where` one expression that means the same to every session of a load?
#pragma once

#include <string>
#include <string_view>

#include "driver/mysql.h"
#include "sluice/error.h"

namespace sluice::mysql {

/// Looks at the text alone: one balanced expression without comments, parameters, variables, a
/// second statement, or functions whose value depends on the clock, on chance or on the
/// connection. kUsage "source.where".
Status CheckWhereText(std::string_view where);

/// That, and whether the server takes it as a condition on `quoted_table`.
Status CheckWhere(Connection& connection, const std::string& quoted_table,
                  std::string_view where);

/// Likewise of a query, which may hold no comments any more: it begins with SELECT, WITH, VALUES or
/// TABLE, writes nowhere, locks nothing and gives the same rows each time. kUsage "source.query".
Status CheckQueryText(std::string_view sql);

}  // namespace sluice::mysql
