/// \file
/// What a load is, what its chunks left behind, and what decides it. All of it crosses processes as
/// JSON (base/vocabulary_json.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sluice/store.h"
#include "sluice/table.h"

namespace sluice {

/// One chunk, prepared by one attempt; once published, what is visible. JSON: base/vocabulary_json.h.
struct ChunkReceipt {
  std::string load;
  int64_t ordinal = 0;
  std::string attempt;
  int64_t rows = 0;
  Digest digest;  ///< of the rows as delivered; kind kNone if not asked for
  ChunkCost cost;
  std::string position;                    ///< of the snapshot it was read from
  std::map<std::string, int64_t> coerced;  ///< column -> values a policy changed
  std::vector<StagedObject> staged;        ///< in row order
  std::vector<ObjectRef> objects;          ///< as many, once published
};

/// Everything that decides the bytes and names of a load; frozen when it opens. JSON.
struct LoadSpec {
  std::string load;  ///< UUIDv7
  std::string job, run, stream;
  int64_t epoch = 0;  ///< of the lease it was opened under
  std::string mode = "full";
  Relation relation;
  std::vector<std::string> key;
  std::shared_ptr<arrow::Schema> schema;
  std::string source;  ///< description without secrets
  std::string compression = "zstd";
  int compression_level = 1;
  int64_t file_size = 128 << 20;  ///< upper bound of an encoded file
  bool attempt_names = false;     ///< A1 is not enforced: names carry the attempt
  std::string path = {};  ///< template of the folder (docs/manifest.md); "": the default
};

/// What the transfer knows and the slot must say.
struct ManifestFacts {
  Consistency consistency = Consistency::kPerChunk;
  bool mixed = false;                  ///< resumed under another snapshot
  std::vector<std::string> positions;  ///< distinct, in order of use
  std::vector<Chunk> chunks;           ///< bounds, as planned
  std::vector<std::string> replaces;   ///< loads this one supersedes
  std::string predicate;
  int64_t clock_micros = 0;               ///< when the predicate was pinned
  std::map<std::string, double> timings;  ///< step -> seconds
};

enum class Outcome { kUndecided, kCommitted, kDiscarded };
/// The decision about a load. Written once, never changed.
struct Slot {
  Outcome outcome = Outcome::kUndecided;
  std::string path;      ///< of the slot object
  std::string location;  ///< of the folder of the load's objects
  std::string json;      ///< the manifest, if committed
};

}  // namespace sluice
