/// \file
/// Whether the parts of a job answer, and what a run would stumble over.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/open_job.h"
#include "sluice/finding.h"
#include "sluice/store.h"

namespace sluice {

/// One part that was tried, and what was seen of it.
struct CheckItem {
  std::string what;  ///< "source", "destination", "state"
  std::string place;
  Status status;
  std::string detail;  ///< a sentence
  std::optional<ProbeVerdict> verdict = {};
  std::vector<Finding> findings = {};
};
CheckItem CheckSource(const Endpoint& source);
/// Probes: makes, races for and removes objects of its own.
CheckItem CheckDestination(const Endpoint& destination);
/// Makes the state where there is none.
CheckItem CheckState(const std::string& path);
/// Of all, every place its streams go to, and that each of them may be read.
Result<std::vector<CheckItem>> CheckJob(const JobRequest& request);

}  // namespace sluice
