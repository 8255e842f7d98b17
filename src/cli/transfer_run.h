/// \file
/// What copy and run have in common: a transfer with its display, its signals and its
/// summary.
#pragma once

#include "app/open_job.h"
#include "cli/verbs.h"

namespace sluice::cli {

Outcome RunToTheEnd(const JobRequest& request, const Invocation& invocation);
/// A run of a job that failed before it began; it is written down where there is a state. Of the job its
/// name is known, of its places what could be found out.
Outcome FailedBefore(const LocatedJob& job, const Status& status,
                     const Invocation& invocation);

}  // namespace sluice::cli
