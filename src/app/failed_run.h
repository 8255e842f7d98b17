/// \file
/// A run that failed before it began, as on a refused login: what a later look at the state finds of it.
#pragma once

#include <string>

#include "sluice/clock.h"
#include "sluice/error.h"

namespace sluice {

struct FailedRun {
  std::string job;
  std::string state;  ///< --state; "": the default
  std::string asked;  ///< JSON for the history of runs; no secrets
  Status status;
};
/// Writes it down with its exit code and gives the run's id; "" where there is no state yet, which
/// a request that is wrong must not make, or where it cannot be written, another run being at work.
std::string RecordFailedRun(const FailedRun& failed, Clock& clock);

}  // namespace sluice
