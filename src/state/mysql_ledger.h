/// \file
/// The tables of a ledger: made, recognised, and found to be what they must be.
#pragma once

#include <string>

#include "state/mysql_tables.h"

namespace sluice::state {

/// The ledger's own id, which goes where its tables go. kUsage "state.no-such-file", "state.newer";
/// kSource "state.corrupt".
Result<std::string> OpenLedger(MysqlTables& tables, const MysqlStateOptions& options);

}  // namespace sluice::state
