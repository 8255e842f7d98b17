#include "plan/whole_table.h"

namespace sluice {

Result<std::optional<Chunk>> WholeTablePlanner::Next(Session&) {
  if (done_) return std::nullopt;
  done_ = true;
  return Chunk{.ordinal = 1, .range = {}, .last = true};
}

void WholeTablePlanner::Observe(const ChunkCost&) {}

}  // namespace sluice
