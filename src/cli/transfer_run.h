/// \file
/// What copy and run have in common: a transfer with its display, its signals and its
/// summary.
#pragma once

#include "app/open_job.h"
#include "cli/verbs.h"

namespace sluice::cli {

Outcome RunToTheEnd(const JobRequest& request, const Invocation& invocation);

}  // namespace sluice::cli
