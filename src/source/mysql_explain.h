/// \file
/// How the server would read a relation's chunks.
#pragma once

#include <vector>

#include "driver/mysql.h"
#include "sluice/error.h"
#include "sluice/finding.h"
#include "sluice/table.h"

namespace sluice::mysql {

/// As Session::ExplainAll says: two questions a table, and one for all of them.
std::vector<Result<ReadPlan>> ExplainTables(Connection& connection,
                                            const std::vector<TableInfo>& tables);

}  // namespace sluice::mysql
