/// \file
/// What copy and run have in common: a transfer with its display, its signals and its
/// summary.
#pragma once

#include "app/open_job.h"
#include "cli/verbs.h"

namespace sluice::cli {

Outcome RunToTheEnd(const JobRequest& request, const Invocation& invocation);
/// A run of `job` that failed before it began; it is written down where there is a state.
Outcome FailedBefore(const std::string& job, const Status& status,
                     const Invocation& invocation);

}  // namespace sluice::cli
