/// \file
/// The disk below a folder tree, as far as a run rests on it.
#pragma once

#include <vector>

#include "sluice/finding.h"
#include "store/local_tree.h"

namespace sluice {

/// As Store::Inspect says; how names are created is what the probe tells.
std::vector<Finding> InspectLocalTree(const LocalTree& tree);

}  // namespace sluice
