/// \file
/// The history of runs, what probes of destinations said, how much of the past is kept.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sluice/state_store.h"
#include "state/query.h"

namespace sluice::state {

/// Loads of a job that are done (cleaned, discarded) and keep their chunks; of each stream the
/// newest cleaned one does in any case. Older cleaned loads keep their row, older discarded ones
/// nothing.
inline constexpr int kDoneLoadsMax = 100;
/// Runs of a job that are kept.
inline constexpr int kRunsMax = 1000;

Status InsertRun(Tables& tables, const RunRecord& run);
/// Repeated: the first end counts.
Status CloseRun(Tables& tables, const RunRecord& run);
/// Newest first; of all jobs when `job` is empty.
Result<std::vector<RunRecord>> ReadRuns(Tables& tables, const std::string& job,
                                        int count);
Status Prune(Tables& tables, const std::string& job);

Status WriteProbe(Tables& tables, const std::string& destination,
                  const ProbeVerdict& verdict);
Result<std::optional<std::pair<ProbeVerdict, int64_t>>> ReadProbe(
    Tables& tables, const std::string& destination);

}  // namespace sluice::state
