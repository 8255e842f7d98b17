/// \file
/// What a load is likely to come to: as the last one did, else what the source's statistics say.
/// Nothing is computed of rates that were not seen.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "sluice/state_store.h"
#include "sluice/transfer.h"

namespace sluice {

struct Forecast {
  std::optional<int64_t> rows, source_bytes;  ///< bytes as decoded, or as stored there
  std::optional<int64_t> file_bytes, files, chunks;
  std::optional<double> seconds;  ///< of one connection, chunks added up
  /// Since the load that all of it is taken from; nothing: from the source's statistics.
  std::optional<int64_t> last_load_millis;
};

/// The newest committed load of each stream of a job.
using LastLoads = std::map<std::string, LoadState>;
/// `streams` is how many the job has.
Result<LastLoads> LastLoadsOf(StateStore& state, const std::string& job, size_t streams);

/// `table` is the stream's, described now. A last load counts if it was defined as `spec` is.
Forecast ForecastOf(const StreamSpec& spec, const TableInfo& table, const LastLoads& last,
                    int64_t now_millis);

}  // namespace sluice
