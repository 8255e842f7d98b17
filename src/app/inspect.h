/// \file
/// Looking without touching: what a source has, what a job would do, whether its parts
/// answer.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/open_job.h"

namespace sluice {

/// A table as it would arrive, or why it would not.
struct DescribedTable {
  TableName name;
  TableInfo table;
  Status status;
};
/// Base tables and views of a source.
Result<std::vector<DescribedTable>> Discover(const Endpoint& source);

/// What the next run would do with a stream.
enum class NextStep {
  kNewLoad,
  kResume,         ///< the unfinished load goes on
  kRefuseChanged,  ///< its definition or its table changed: the run would stop
};
struct StreamPlan {
  StreamSpec spec;
  TableInfo table;
  Status status;                ///< why it cannot be copied
  int64_t chunks_estimate = 0;  ///< a guess from the source's estimates
  NextStep next = NextStep::kNewLoad;
  std::optional<LoadState> unfinished;
};
struct JobPlan {
  LocatedJob located;
  std::string source;  ///< as the source describes itself
  bool state_exists = false;
  std::optional<std::pair<ProbeVerdict, int64_t>>
      probe;  ///< the destination's last, and its age in ms
  std::vector<StreamPlan> streams;
};
/// Writes nothing anywhere: no folder, no state, no probe.
Result<JobPlan> PlanJob(const JobRequest& request);

/// One thing that was tried.
struct CheckItem {
  std::string what;  ///< "source", "destination", "state"
  std::string place;
  Status status;
  std::string detail;  ///< a sentence
  std::optional<ProbeVerdict> verdict;
};
CheckItem CheckSource(const Endpoint& source);
/// Probes: makes, races for and removes objects of its own.
CheckItem CheckDestination(const Endpoint& destination);
/// Makes the state where there is none.
CheckItem CheckState(const std::string& path);
/// All three, and that the job's streams can be read.
Result<std::vector<CheckItem>> CheckJob(const JobRequest& request);

}  // namespace sluice
