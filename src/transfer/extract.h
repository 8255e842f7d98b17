/// \file
/// One stream of one run, as a list of steps: open, copy, publish, verify, commit, clean up.
#pragma once

#include "sluice/transfer.h"
#include "transfer/run_context.h"

namespace sluice {

/// Runs every step the load is not past yet. What was reached is in the report even when a step
/// fails: `report.status` says why, `report.phase` how far. `session` is the caller's to lend, and to take
/// back.
void ExtractStream(RunContext& run, const StreamSpec& stream, Session& session,
                   StreamReport& report);

}  // namespace sluice
