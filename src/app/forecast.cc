#include "app/forecast.h"

namespace sluice {
namespace {

/// Old versions, and loads that were discarded, lie between those that count.
constexpr size_t kLoadsOfStream = 4;
constexpr size_t kLoadsMin = 100;

}  // namespace

Result<LastLoads> LastLoadsOf(StateStore& state, const std::string& job, size_t streams) {
  const size_t count = kLoadsMin + streams * kLoadsOfStream;
  ARROW_ASSIGN_OR_RAISE(auto loads, state.Loads(job, static_cast<int>(count)));
  LastLoads last;
  for (LoadState& load : loads) {
    const bool is_committed =
        load.phase == Phase::kCommitted || load.phase == Phase::kCleaned;
    const std::string stream = load.spec.stream;
    if (is_committed) last.emplace(stream, std::move(load));
  }
  return last;
}

Forecast ForecastOf(const StreamSpec& spec, const TableInfo& table, const LastLoads& last,
                    int64_t now_millis) {
  Forecast forecast;
  const auto found = last.find(spec.name);
  if (found == last.end() || found->second.definition != spec.definition) {
    // Statistics are of the whole table, whatever `where` keeps of it.
    if (!spec.relation.where.empty()) return forecast;
    forecast.rows = table.estimated_rows;
    forecast.source_bytes = table.estimated_bytes;
    return forecast;
  }
  const LoadState& load = found->second;
  int64_t rows = 0, source_bytes = 0, file_bytes = 0, files = 0;
  double seconds = 0;
  for (const ChunkState& chunk : load.chunks) {
    if (!chunk.staged) continue;
    rows += chunk.staged->rows;
    source_bytes += chunk.staged->cost.source_bytes;
    file_bytes += chunk.staged->cost.encoded_bytes;
    files += static_cast<int64_t>(chunk.staged->staged.size());
    seconds += chunk.staged->cost.seconds;
  }
  forecast.rows = rows;
  forecast.source_bytes = source_bytes;
  forecast.file_bytes = file_bytes;
  forecast.files = files;
  forecast.chunks = static_cast<int64_t>(load.chunks.size());
  forecast.seconds = seconds;
  forecast.last_load_millis = now_millis - load.updated_millis;
  return forecast;
}

}  // namespace sluice
