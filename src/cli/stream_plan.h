/// \file
/// One stream of a plan, as text and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/inspect.h"

namespace sluice::cli {

nlohmann::ordered_json StreamJson(const StreamPlan& stream);
/// Some lines: what happens, how much, how it is read, each column, each warning.
std::string StreamText(const StreamPlan& stream);
/// "3 streams: 2 new loads, 1 resumes; 2 warnings", and above it what they come to.
std::string TotalText(const JobPlan& plan);

}  // namespace sluice::cli
