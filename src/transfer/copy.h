/// \file
/// The copy step: chunks are planned, read, encoded and staged by workers, one session each. The first
/// works with the session it is given; while chunks are left, idle sessions of the run join in.
#pragma once

#include <vector>

#include "sluice/chunk_planner.h"
#include "transfer/run_context.h"

namespace sluice {

/// What the workers share. `load_state` is as the state store has it when the step begins.
struct CopyTask {
  const StreamSpec& stream;
  const LoadState& load_state;
  Load& load;
  ChunkPlanner& planner;
  Session& session;  ///< of the calling thread
};

/// Stages every chunk of the load that is not staged yet; on return each is in the state.
/// Adds what this run read to `rows_read`. kCancelled "run.drained" when `run.stop` was requested
/// before all were; the first error of any worker otherwise. Transient errors of a chunk are tried
/// again here and nowhere else.
Status CopyChunks(RunContext& run, const CopyTask& task, int64_t* rows_read);

}  // namespace sluice
