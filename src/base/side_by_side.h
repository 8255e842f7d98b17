/// \file
/// The same act on many things, some of them at once.
#pragma once

#include <cstddef>
#include <functional>

#include "sluice/error.h"

namespace sluice {

/// Calls act(0) … act(count - 1), begun in that order, at most `width` of them at once; `width` 1:
/// in the calling thread. After a failure none is begun any more. Returns when all that were begun
/// have ended: the failure of the least number. The threads have the caller's crash hook.
Status ForEachSideBySide(size_t count, int width,
                         const std::function<Status(size_t)>& act);

}  // namespace sluice
