#include "plan/planner.h"

#include "plan/keyset.h"
#include "plan/whole_table.h"

namespace sluice {

std::unique_ptr<ChunkPlanner> MakePlanner(const TableInfo& table,
                                          const std::optional<Key>& last_key,
                                          const std::vector<Chunk>& planned,
                                          const PlanOptions& options) {
  if (table.key.empty()) return std::make_unique<WholeTablePlanner>(planned);
  return std::make_unique<KeysetPlanner>(table, last_key, planned, options);
}

}  // namespace sluice
