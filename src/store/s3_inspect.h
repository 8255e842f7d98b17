/// \file
/// What a run may do in a bucket, and which of the bucket's settings would get in its way.
#pragma once

#include <vector>

#include "sluice/finding.h"
#include "sluice/store.h"
#include "store/s3_object.h"

namespace sluice {

/// As Store::Inspect says: each permission is used once, below `_sluice/probe/`.
std::vector<Finding> InspectS3(S3World& world, Store& store);

}  // namespace sluice
