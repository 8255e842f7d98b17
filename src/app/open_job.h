/// \file
/// From a job and its flags to opened parts and a TransferSpec.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/connectors.h"
#include "app/job.h"
#include "app/streams.h"
#include "sluice/clock.h"
#include "sluice/transfer.h"

namespace sluice {

/// What the user asked for, all in all.
struct JobRequest {
  Job job;
  Settings flags;                 ///< win over the environment's
  Settings environment;           ///< win over the job's
  std::vector<std::string> only;  ///< --stream; empty: all
  ResumeMode resume = ResumeMode::kAuto;
  std::string state;  ///< --state; "": the default
};

/// A job whose places are known; nothing is opened yet.
struct LocatedJob {
  Job job;
  Settings settings;  ///< of the run, and of streams that say nothing themselves
  Settings said;      ///< by flags and the environment: win over a stream's own
  Endpoint source, destination;
  std::string state_path;
};
Result<LocatedJob> Locate(const JobRequest& request);
/// Its source, opened; a login that was refused says where the password came from.
Result<std::unique_ptr<Source>> OpenSourceOf(const LocatedJob& job,
                                             bool only_looks = false);

/// copy's arguments as a job, references in them replaced; its name is a hash of the two places.
Result<Job> CopyJob(const std::string& source, const std::string& destination,
                    std::vector<StreamEntry> streams);

/// The streams of a job as the transfer takes them, asked of an open source.
struct PlannedStreams {
  std::vector<ChosenStream> chosen;
  std::vector<StreamSpec> specs;       ///< as many; no destination is open yet
  std::vector<Endpoint> destinations;  ///< as many
};
Result<PlannedStreams> PlanStreams(const LocatedJob& job,
                                   const std::vector<std::string>& only,
                                   Session& session);

struct OpenedJob {
  LocatedJob located;
  std::unique_ptr<Source> source;
  std::unique_ptr<Destination> destination;
  std::map<std::string, std::unique_ptr<Destination>>
      others;                              ///< of single streams, by URI
  std::map<std::string, Endpoint> places;  ///< of these streams
  std::unique_ptr<StateStore> state;
  TransferSpec spec;
};
/// Where a stream goes.
const Endpoint& PlaceOf(const OpenedJob& job, const std::string& stream);
/// Every place a job writes to, its own first.
Result<std::vector<Endpoint>> DestinationsOf(const Job& job);

/// Opens everything for a run. The source first: a wrong database makes neither state nor
/// folder.
Result<OpenedJob> OpenForRun(const JobRequest& request, Clock& clock);

/// SLUICE_LEASE_SECONDS (1 to 3600, for tests) or the default; kUsage
/// "setting.environment".
Result<int64_t> LeaseMillisFromEnvironment();
/// What a run would say of the variables that are for tests.
Status CheckEnvironment();

}  // namespace sluice
