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

}  // namespace sluice::mysql
