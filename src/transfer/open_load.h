/// \file
/// Which load a stream works on: the unfinished one, or a new one.
#pragma once

#include <memory>

#include "transfer/run_context.h"

namespace sluice {

struct OpenedLoad {
  LoadState state;
  std::unique_ptr<Load> load;
  bool resumed = false;
  bool superseded =
      false;  ///< committed, and not what is asked for now: after it, another load begins
};

/// Resumes the stream's unfinished load if its definition and its table are unchanged, else says
/// what differs; or makes a new load durable. `spec.resume` may insist on either.
Result<OpenedLoad> OpenLoad(RunContext& run, const StreamSpec& stream, Session& session);

/// Slot first, then objects, then the state. kHeld if the load is committed.
Status DiscardLoad(RunContext& run, const LoadState& state, Load& load);

}  // namespace sluice
