/// \file
/// Which planner a table gets, and what it aims at.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sluice/chunk_planner.h"

namespace sluice {

struct PlanOptions {
  int64_t target_encoded_bytes = 128
                                 << 20;  ///< a chunk aims at nine tenths of it, encoded
  int64_t memory = 256 << 20;  ///< of the run; bounds the first, unmeasured chunks
  int workers = 2;             ///< a large table gives each at least two chunks
  int64_t target_rows_min =
      10'000;  ///< a chunk is not made smaller than this many rows …
  int64_t source_bytes_min = 32 << 20;  ///< … unless they are as many bytes as this
  double seconds_max = 20;              ///< a chunk is not meant to take longer
  int64_t chunk_rows_first = 0;         ///< 0: from the table's estimate
  int64_t chunk_rows = 0;  ///< else: every chunk so many rows, nothing adapts
};

/// By key if the table has one, else the whole table as one chunk. `last_key`: of the load, fixed
/// when it opened; nothing for a table without rows. `planned`: what an earlier run of the load
/// recorded, in order; the planner goes on behind it and returns none of it again.
std::unique_ptr<ChunkPlanner> MakePlanner(const TableInfo& table,
                                          const std::optional<Key>& last_key,
                                          const std::vector<Chunk>& planned,
                                          const PlanOptions& options);

}  // namespace sluice
