/// \file
/// From argv to Arguments. The one file that includes CLI11.
#pragma once

#include <string>
#include <vector>

#include "cli/options.h"
#include "sluice/error.h"

namespace sluice::cli {

/// `words` without the program's name. kUsage "cli.…": no verb, an unknown verb or option
/// (names the nearest), one of a later version, a value that is missing or given twice,
/// too few or many arguments.
/// --help and --version come out as the verbs help and version.
Result<Arguments> ParseCommandLine(const std::vector<std::string>& words);

}  // namespace sluice::cli
