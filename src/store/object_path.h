/// \file
/// Paths of objects, as every store takes them.
#pragma once

#include <string>
#include <string_view>

#include "sluice/error.h"
#include "sluice/store.h"

namespace sluice {

/// Splits "a/b/c" into "a/b" and "c".
struct PathParts {
  std::string folder, name;
};
PathParts SplitPath(std::string_view path);

/// Below a folder `…/_sluice/staging`, where nothing is ever published.
bool IsStagingPath(std::string_view path);

/// kDestination "store.bad-path" for an empty, absolute or escaping path.
Status CheckPath(std::string_view path);
/// Likewise for one below a staging folder.
Status CheckPublishedPath(std::string_view path);
/// Likewise unless it is staged below a staging folder and published elsewhere.
Status CheckTarget(const StageTarget& target);

}  // namespace sluice
