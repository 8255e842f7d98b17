/// \file
/// A command of the user's that prints credentials.
#pragma once

#include <string>
#include <vector>

#include "sluice/clock.h"
#include "sluice/error.h"

namespace sluice::aws {

/// Words of a command line: blanks separate, '…' and "…" keep them, \ keeps one character. kUsage for
/// an open quote.
Result<std::vector<std::string>> SplitCommand(const std::string& command);

/// Standard output of `command`, at most 1 MiB, within a minute; run without a shell, its errors go to
/// ours. kUsage "credentials.process".
Result<std::string> OutputOfCommand(const std::string& command, Clock& clock);

}  // namespace sluice::aws
