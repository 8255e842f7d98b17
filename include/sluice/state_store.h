/// \file
/// What a run must remember to be resumable: leases, loads, chunks, attempts. Every write is
/// durable when it returns, and fenced: it fails with kHeld "state.fenced" once the lease is lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/destination.h"

namespace sluice {

/// The right to write for one job. A new holder has a greater epoch.
struct Lease {
  std::string job;
  int64_t epoch = 0;
  std::string nonce;
};
struct LeaseOptions {
  int64_t ttl_millis = 60'000;  ///< by the state store's clock
  std::string run = {};         ///< shown to others
};
struct LeaseHolder {
  std::string host, run;
  int64_t pid = 0, epoch = 0;
  int64_t expires_in_millis = 0;  ///< <= 0: free
  bool held = false;
};

/// Only ever downwards; or kDiscarded, from any phase before kCommitted.
enum class Phase {
  kCopying,
  kPublishing,
  kPublished,
  kVerified,
  kCommitted,
  kCleaned,
  kDiscarded
};
const char* ToString(Phase phase);

struct ChunkState {
  Chunk chunk;
  std::optional<ChunkReceipt> staged;  ///< the newest; the winner once frozen
  int failures = 0;
};

struct LoadState {
  LoadSpec spec;
  TableInfo table;         ///< as described when the load opened
  std::string definition;  ///< canonical JSON of what decides bytes
  std::optional<Key> last_key;
  Phase phase = Phase::kCopying;
  Consistency consistency = Consistency::kPerChunk;
  std::vector<std::string>
      positions;  ///< of the runs that read for it, in order, distinct
  std::vector<std::string> replaces;  ///< fixed with kPublishing
  int64_t clock_micros = 0;
  std::vector<ChunkState> chunks;  ///< by ordinal
  std::vector<ChunkReceipt>
      losers;  ///< attempts begun or staged that are not the newest staged
  int64_t updated_millis = 0;  ///< the store's clock
};

struct RunRecord {
  std::string run = {}, job = {}, host = {}, version = {}, definition = {};
  int64_t pid = 0, started_millis = 0, ended_millis = 0;  ///< ended 0: running or killed
  int exit_code = -1;
  std::string summary = {};  ///< JSON of the result object
};

/// Thread-safe. Errors: kHeld (held by another, fenced), kSource "state.corrupt", kUsage
/// "state.newer", kResource "state.disk-full", kTransient "state.busy".
class StateStore {
 public:
  virtual ~StateStore() = default;
  virtual std::string Describe() const = 0;
  /// kHeld "state.held" says who holds it and until when. Takes over what has run out, or what a
  /// dead process of this host held.
  virtual Result<Lease> Acquire(const std::string& job, const LeaseOptions& options) = 0;
  virtual Status Renew(const Lease& lease) = 0;
  virtual Status Release(const Lease& lease) = 0;  ///< fenced already: OK
  virtual Result<std::optional<LeaseHolder>> Holder(const std::string& job) = 0;
  virtual Status OpenLoad(const Lease& lease,
                          const LoadState& load) = 0;  ///< no chunks yet
  virtual Status AddChunk(const Lease& lease, const std::string& load,
                          const Chunk& chunk) = 0;
  virtual Status BeginAttempt(const Lease& lease, const std::string& load,
                              int64_t ordinal, const std::string& attempt) = 0;
  virtual Status MarkStaged(const Lease& lease, const ChunkReceipt& receipt) = 0;
  virtual Status FailAttempt(const Lease& lease, const std::string& load, int64_t ordinal,
                             const std::string& attempt, const std::string& why) = 0;
  virtual Status AddPosition(const Lease& lease, const std::string& load,
                             const std::string& position) = 0;
  /// Checks that the load is in `from`. To kPublishing: needs the last chunk and a staged receipt for
  /// each, and freezes them and `replaces`. To kPublished: takes the receipts with their objects.
  virtual Status Advance(const Lease& lease, const std::string& load, Phase from,
                         Phase to, const std::vector<ChunkReceipt>& published,
                         const std::vector<std::string>& replaces) = 0;
  virtual Result<std::optional<LoadState>> FindLoad(const std::string& load) = 0;
  /// The newest load of the stream that is neither cleaned nor discarded.
  virtual Result<std::optional<LoadState>> OpenLoadOf(const std::string& job,
                                                      const std::string& stream) = 0;
  /// Loads of the job, newest first, at most `count`; of all jobs when `job` is empty.
  virtual Result<std::vector<LoadState>> Loads(const std::string& job, int count) = 0;
  virtual Result<std::vector<LeaseHolder>> Jobs(std::vector<std::string>* names) = 0;
  virtual Status BeginRun(const Lease& lease, const RunRecord& run) = 0;
  virtual Status EndRun(const Lease& lease, const std::string& run, int exit_code,
                        const std::string& summary) = 0;
  virtual Result<std::vector<RunRecord>> Runs(const std::string& job, int count) = 0;
  virtual Status SaveProbe(const std::string& destination,
                           const ProbeVerdict& verdict) = 0;
  /// With its age in milliseconds.
  virtual Result<std::optional<std::pair<ProbeVerdict, int64_t>>> LastProbe(
      const std::string& destination) = 0;
};

}  // namespace sluice
