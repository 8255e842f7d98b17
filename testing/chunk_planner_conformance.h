/// \file
/// What every ChunkPlanner must do, sentence by sentence of sluice/chunk_planner.h, over tables
/// with integer keys that live in memory.
///
///   INSTANTIATE_TEST_SUITE_P(Mine, ChunkPlannerConformance,
///                            ::testing::Values(ChunkPlannerMaker({.make = …, .keyed = true})));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <vector>

#include "sluice/chunk_planner.h"
#include "testing/scripted_source.h"

namespace sluice {

struct ChunkPlannerSort {
  std::function<std::unique_ptr<ChunkPlanner>(const TableInfo& table,
                                              const std::optional<Key>& last_key,
                                              const std::vector<Chunk>& planned)>
      make;
  bool keyed = true;  ///< tables it is made for have a key
};

/// Naming it in a test program links the suite into it.
class ChunkPlannerMaker {
 public:
  explicit ChunkPlannerMaker(ChunkPlannerSort sort);
  const ChunkPlannerSort& sort() const { return sort_; }

 private:
  friend void PrintTo(const ChunkPlannerMaker&, std::ostream* out) {
    *out << "a planner";
  }
  ChunkPlannerSort sort_;
};

class ChunkPlannerConformance : public ::testing::TestWithParam<ChunkPlannerMaker> {
 protected:
  ChunkPlannerConformance();
  ~ChunkPlannerConformance() override;

  /// A table "t" of these rows, opened and described.
  void Have(ScriptedRows rows);
  std::unique_ptr<ChunkPlanner> Planner(const std::vector<Chunk>& planned = {});
  /// To the end; `between` is called with the planner after each chunk.
  std::vector<Chunk> Plan(ChunkPlanner& planner,
                          const std::function<void(ChunkPlanner&)>& between = {});
  /// The chunks hold every row once, in order, and are numbered and ended as they must be.
  void ExpectWhole(const std::vector<Chunk>& chunks);

  ScriptedDatabase database_;
  ScriptedRows rows_;
  std::unique_ptr<ScriptedSource> source_;
  SessionSet set_;
  TableInfo table_;
  std::optional<Key> last_key_;
};

}  // namespace sluice
