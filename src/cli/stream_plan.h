/// \file
/// One stream of a plan, as text and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/inspect.h"

namespace sluice::cli {

nlohmann::ordered_json StreamJson(const StreamPlan& stream);
/// Some lines: what happens, how much, how it is read, each column, each warning. A destination
/// that is not the job's is one of them.
std::string StreamText(const StreamPlan& stream, const std::string& job_destination);
/// kUsage "run.definition-changed" where the next run would stop at it, else OK.
Status ChangedError(const StreamPlan& stream);
/// "creates are exclusive … (probed 3 h ago)".
std::string ProbeText(const LastProbe& probe);
/// A verdict with its age; null.
nlohmann::ordered_json ProbeJson(const LastProbe& probe);
/// "3 streams: 2 new loads, 1 resumes; 2 warnings", and above it what they come to.
std::string TotalText(const JobPlan& plan);

}  // namespace sluice::cli
