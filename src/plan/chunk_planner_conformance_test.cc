#include "testing/chunk_planner_conformance.h"

#include "plan/planner.h"

namespace sluice {
namespace {

ChunkPlannerMaker Maker(int64_t chunk_rows, bool keyed) {
  return ChunkPlannerMaker(
      {.make =
           [=](const TableInfo& table, const std::optional<Key>& last_key,
               const std::vector<Chunk>& planned) {
             return MakePlanner(table, last_key, planned,
                                {.target_rows_min = 1,
                                 .source_bytes_min = 1,
                                 .chunk_rows_first = chunk_rows});
           },
       .keyed = keyed});
}

INSTANTIATE_TEST_SUITE_P(KeysetOfSmallChunks, ChunkPlannerConformance,
                         ::testing::Values(Maker(7, true)));
INSTANTIATE_TEST_SUITE_P(KeysetOfLargeChunks, ChunkPlannerConformance,
                         ::testing::Values(Maker(1'000, true)));
INSTANTIATE_TEST_SUITE_P(WholeTable, ChunkPlannerConformance,
                         ::testing::Values(Maker(0, false)));

}  // namespace
}  // namespace sluice
