/// \file
/// Loads as they were left, put together from their rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sluice/state_store.h"
#include "state/query.h"

namespace sluice::state {

// Each within one transaction of the caller's: the rows of a load are of one moment.
Result<std::optional<LoadState>> ReadLoad(Tables& tables, const std::string& load);
Result<std::optional<LoadState>> ReadOpenLoad(Tables& tables, const std::string& job,
                                              const std::string& stream);
/// Newest first; of all jobs when `job` is empty.
Result<std::vector<LoadState>> ReadLoads(Tables& tables, const std::string& job,
                                         int count);

}  // namespace sluice::state
