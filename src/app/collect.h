/// \file
/// gc: removes what no load needs any more, by the rules of docs/commands.md, and says why
/// it leaves the rest.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/connectors.h"
#include "sluice/clock.h"

namespace arrow {
class StopToken;
}

namespace sluice {

struct CollectRequest {
  std::vector<Endpoint> destinations;  ///< at least one; of several, those that exist
  std::string job;  ///< only this job's loads and unknown ones; "": every job's
  std::string state_path;
  int64_t older_than_millis = 7 * int64_t{86'400'000};
  std::vector<std::string> abandon;  ///< loads to discard although they are open
  bool dry_run = false;
};

enum class CollectAct {
  kNothing,    ///< decided and clean
  kLeftovers,  ///< decided: its leftovers go
  kDiscard,    ///< undecided: its slot is taken as discarded, then everything of it goes
  kKeepOpen,   ///< this state knows it as unfinished
  kKeepYoung,  ///< unknown, and not old enough
  kKeepHeld,   ///< a run is at work on its job
  kKeepUnproven,  ///< unknown, and the store cannot decide a slot by itself
};
const char* ToString(CollectAct act);

struct CollectedLoad {
  std::string destination;  ///< its URI
  TableName table;
  std::string load, job;
  CollectAct act = CollectAct::kNothing;
  int64_t leftovers = 0;  ///< objects that were there
  int64_t removed = 0;    ///< by this call
  std::string why;        ///< a sentence
  Status status;
};

/// One entry for every load that is not clean. Nothing is removed in a dry run. kUsage: a
/// load to abandon that is at none of the destinations, no destination that exists.
Result<std::vector<CollectedLoad>> Collect(const CollectRequest& request, Clock& clock,
                                           const arrow::StopToken& stop);

}  // namespace sluice
