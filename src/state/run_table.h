/// \file
/// The history of runs, what probes of destinations said, how much of the past is kept.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "driver/sqlite.h"
#include "sluice/state_store.h"

namespace sluice::state {

/// Loads of a job that are done (cleaned, discarded) and keep their chunks; of each stream the
/// newest cleaned one does in any case. Older cleaned loads keep their row, older discarded ones
/// nothing.
inline constexpr int kDoneLoadsMax = 100;
/// Runs of a job that are kept.
inline constexpr int kRunsMax = 1000;

Status InsertRun(sqlite::Database& database, const RunRecord& run,
                 const std::string& now_sql);
/// Repeated: the first end counts.
Status CloseRun(sqlite::Database& database, const RunRecord& run,
                const std::string& now_sql);
/// Newest first; of all jobs when `job` is empty.
Result<std::vector<RunRecord>> ReadRuns(sqlite::Database& database,
                                        const std::string& job, int count);
Status Prune(sqlite::Database& database, const std::string& job);

Status WriteProbe(sqlite::Database& database, const std::string& destination,
                  const ProbeVerdict& verdict, const std::string& now_sql);
Result<std::optional<std::pair<ProbeVerdict, int64_t>>> ReadProbe(
    sqlite::Database& database, const std::string& destination,
    const std::string& now_sql);

}  // namespace sluice::state
