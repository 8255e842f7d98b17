/// \file
/// A table without a key: one chunk, all of it.
#pragma once

#include <vector>

#include "sluice/chunk_planner.h"

namespace sluice {

class WholeTablePlanner : public ChunkPlanner {
 public:
  explicit WholeTablePlanner(const std::vector<Chunk>& planned)
      : done_(!planned.empty()) {}

  Result<std::optional<Chunk>> Next(Session& session) override;
  void Observe(const ChunkCost& cost) override;

 private:
  bool done_;
};

}  // namespace sluice
