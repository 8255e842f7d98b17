/// \file
/// Cuts a table into chunks by key, a chunk at a time, while the copy runs.
#pragma once

#include <optional>

#include "sluice/error.h"
#include "sluice/source.h"
#include "sluice/table.h"

namespace sluice {

/// One thread at a time. A planner never compares keys: it asks the session it is lent.
class ChunkPlanner {
 public:
  virtual ~ChunkPlanner() = default;
  /// The next chunk, whose `after` is the last one's `upto`; nothing when the last key is reached.
  /// The first call on an empty table gives one chunk without rows (a table without rows gives one
  /// file with the schema). The caller makes a chunk durable before its first row is read.
  /// `session` is whichever is idle (the worker that asks lends its own, so that planning needs no
  /// connection besides); a planner keeps no reference to it.
  virtual Result<std::optional<Chunk>> Next(Session& session) = 0;
  /// What a finished chunk cost; later chunks adapt, damped.
  virtual void Observe(const ChunkCost& cost) = 0;
};

}  // namespace sluice
