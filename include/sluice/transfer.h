/// \file
/// A run: streams leave a source and arrive at a destination, exactly once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sluice/clock.h"
#include "sluice/destination.h"
#include "sluice/notifier.h"
#include "sluice/source.h"
#include "sluice/state_store.h"

namespace sluice {

enum class ResumeMode { kAuto, kInsist, kRestart };

struct Limits {
  int64_t memory = 256 << 20;         ///< bytes; a row above a quarter of it is kResource
  int connections = 2;                ///< sessions, and workers
  int64_t lease_ttl_millis = 60'000;  ///< 0: never renewed, no watching thread
  int64_t chunk_rows = 0;  ///< 0: chunks adapt to time and bytes; else so many rows each
  int read_ahead =
      2;  ///< batches between the reading thread and the encoder; 0: no thread
  int64_t bytes_per_second =
      0;  ///< decoded bytes read from the source, all sessions; 0: unbounded
};

struct StreamSpec {
  std::string name;
  Relation relation;
  std::string
      definition;  ///< canonical JSON of what decides bytes, less the source's schema
  std::string compression = "zstd";
  int compression_level = 1;
  int64_t file_size = 128 << 20;
  VerifyDepth verify = VerifyDepth::kCounts;
  std::optional<int> keep_versions =
      {};                              ///< committed loads that stay; nothing: the run's
  Destination* destination = nullptr;  ///< where it goes; nullptr: the run's
  std::string path = {};  ///< template of the load's folder; empty: the default layout
};

struct TransferSpec {
  std::string job, run;
  std::vector<StreamSpec> streams;
  Consistency consistency = Consistency::kSnapshot;
  ResumeMode resume = ResumeMode::kAuto;
  int keep_versions = 1;
  Limits limits;
  std::string asked = {};  ///< JSON for the history of runs; no secrets
};

/// Five parts handed in; they outlive the run.
struct Collaborators {
  Source& source;
  Destination& destination;
  StateStore& state;
  Clock& clock;
  Notifier& notifier;
};

struct StreamReport {
  std::string stream, load;
  Phase phase = Phase::kCopying;
  int64_t rows = 0, bytes = 0, files = 0, chunks = 0;
  int64_t rows_read = 0;  ///< by this run; fewer than rows when it resumed
  bool resumed = false, mixed = false;
  std::map<std::string, int64_t> coerced;
  std::string manifest, location;  ///< of the slot and of the load's folder
  std::map<std::string, double> timings;
  Status status;
};

struct TransferReport {
  std::string run;
  std::vector<StreamReport> streams;
  std::vector<std::string> warnings;
  Consistency consistency = Consistency::kPerChunk;  ///< of the sessions it got
  std::string position;  ///< of the source when they were opened; "": never opened
  Status status;         ///< of the run itself: lease, source, state
  int exit_code = 0;
};

/// Blocks until done, failed or drained. Returns a report always; failures are inside.
/// `stop` requested: no new chunk starts, chunks in flight are finished and staged (drained).
/// `stop_now` requested: chunks in flight are abandoned.
TransferReport RunTransfer(const TransferSpec& spec, const Collaborators& parts,
                           const arrow::StopToken& stop,
                           const arrow::StopToken& stop_now);

}  // namespace sluice
