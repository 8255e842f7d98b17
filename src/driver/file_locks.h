/// \file
/// Who holds a lock on a file, as far as the kernel tells.
#pragma once

#include <string>
#include <vector>

namespace sluice {

/// "python3 (pid 4711)" for each other process of this host that holds a POSIX lock on one of
/// `paths`; those that hold a write lock only, if there are any. Empty where nothing is known: no
/// /proc, a network file system, another container.
std::vector<std::string> LockHolders(const std::vector<std::string>& paths);

}  // namespace sluice
