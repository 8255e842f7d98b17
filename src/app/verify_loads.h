/// \file
/// The verb verify: committed loads compared with their slots, their stored bytes and
/// their source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/connectors.h"
#include "verify/compare.h"

namespace arrow {
class StopToken;
}

namespace sluice {

struct VerifyRequest {
  std::vector<Endpoint> destinations;  ///< at least one; of several, those that exist
  std::optional<Endpoint> source;      ///< compared too
  std::string job;                     ///< its newest committed load per stream…
  std::vector<std::string> streams;    ///< …of these; empty: of all
  std::string manifest;  ///< or, instead of a job, one slot: a path below the destination
  VerifyDepth depth = VerifyDepth::kCounts;
};

/// Fills `destinations` and `manifest` from a slot's path or URI. kUsage
/// "manifest.address".
Status TakeManifestAddress(const std::string& address, VerifyRequest* request);
/// Whether an argument looks like one.
bool IsManifestAddress(const std::string& argument);

struct VerifiedLoad {
  Endpoint destination;
  std::string stream, load, table;
  std::string manifest, location;
  int64_t rows = 0, bytes = 0, files = 0, chunks = 0;
  bool source_compared = false;
  ChunkOutcome outcome = ChunkOutcome::kEqual;  ///< the worst
  std::vector<ChunkVerdict>
      differences;  ///< chunks that are not equal; ordinal 0: beyond the last
  Status status;    ///< why it could not be compared
};

/// kUsage: no such destination, no committed load. Each load's failure is its own.
Result<std::vector<VerifiedLoad>> VerifyLoads(const VerifyRequest& request,
                                              const arrow::StopToken& stop);

}  // namespace sluice
