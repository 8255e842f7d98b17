/// \file
/// Current loads that another job made of a table this one copies: a reader of the destination would
/// find two.
#pragma once

#include <vector>

#include "app/open_job.h"
#include "sluice/finding.h"

namespace sluice {

/// A warning for each, with what to do. A destination that cannot be looked into is a finding of its
/// own, kUnknown; one that does not exist yet holds nothing.
std::vector<Finding> FindForeignLoads(const Job& job, const PlannedStreams& streams);

}  // namespace sluice
