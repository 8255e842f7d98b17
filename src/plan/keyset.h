/// \file
/// Chunks by key, each about as large as a file should be.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "plan/planner.h"
#include "sluice/chunk_planner.h"

namespace sluice {

/// Asks the session for one bound at a time, in key order, from where `planned` ends to `last_key`.
class KeysetPlanner : public ChunkPlanner {
 public:
  KeysetPlanner(const TableInfo& table, const std::optional<Key>& last_key,
                const std::vector<Chunk>& planned, const PlanOptions& options);

  Result<std::optional<Chunk>> Next(Session& session) override;
  void Observe(const ChunkCost& cost) override;

  int64_t rows_wanted() const;  ///< of the next chunk

 private:
  Chunk Emit(const std::optional<Key>& upto, bool last);
  int64_t RowsMin() const;

  TableInfo table_;
  std::optional<Key> last_key_;
  PlanOptions options_;
  std::optional<Key> after_;
  int64_t ordinal_ = 0;
  bool done_ = false;

  int64_t rows_;                   ///< aim, before the bounds of rows_wanted()
  double bytes_per_row_ = 0;       ///< decoded; estimated, then observed
  int64_t rows_planned_ = 0;       ///< as asked for, of all chunks so far
  std::deque<int64_t> in_flight_;  ///< rows asked for, of chunks not observed yet
};

}  // namespace sluice
