/// \file
/// Looking without touching: what a source has, what a job would do.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/forecast.h"
#include "app/open_job.h"
#include "sluice/finding.h"

namespace sluice {

/// A table as it would arrive, or why it would not.
struct DescribedTable {
  TableName name;
  TableInfo table;
  Status status;
  bool is_view = false;
};
/// Base tables and views of a source.
Result<std::vector<DescribedTable>> Discover(const Endpoint& source);

/// What the next run would do with a stream.
enum class NextStep {
  kNewLoad,
  kResume,         ///< the unfinished load goes on
  kRefuseChanged,  ///< its definition or its table changed: the run would stop
};
/// A destination's last verdict, and its age in ms.
using LastProbe = std::optional<std::pair<ProbeVerdict, int64_t>>;
struct StreamPlan {
  StreamSpec spec;
  Endpoint destination;
  LastProbe probe;
  std::vector<SettingShown> settings;  ///< that it says itself
  TableInfo table;
  Status status;  ///< why it cannot be copied: not described, or may not be read
  ReadPlan read;
  Forecast forecast;
  NextStep next = NextStep::kNewLoad;
  std::optional<LoadState> unfinished;
  bool table_changed = false;
  std::vector<std::string> differs;  ///< of kRefuseChanged
};
struct JobPlan {
  LocatedJob located;
  std::string source;     ///< as the source describes itself
  SourceFindings server;  ///< its settings, and the consistency it would give
  bool state_exists = false;
  LastProbe probe;
  std::vector<StreamPlan> streams;
  std::vector<Finding> destination;  ///< what other jobs have there
};
/// Writes nothing anywhere: no folder, no state, no probe.
Result<JobPlan> PlanJob(const JobRequest& request);

}  // namespace sluice
