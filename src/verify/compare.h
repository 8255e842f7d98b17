/// \file
/// Source, manifest and stored bytes of a committed load, compared chunk by chunk.
#pragma once

#include <string>
#include <vector>

#include "sluice/destination.h"
#include "sluice/source.h"

namespace sluice {

enum class ChunkOutcome {
  kEqual,
  kStoredDiffers,  ///< the bytes are not what the slot says
  kSourceDiffers,  ///< the source's rows differ although its position is the chunk's
  kSourceMoved,    ///< the source's rows differ, and it changed since
};
const char* ToString(ChunkOutcome outcome);

struct ChunkVerdict {
  int64_t ordinal = 0;
  ChunkOutcome outcome = ChunkOutcome::kEqual;
  int64_t rows = 0;  ///< by the manifest
  int64_t source_rows = 0, stored_rows = 0;
  std::string detail;  ///< what differs; "" if equal
};

struct CompareTask {
  Load& load;
  const std::vector<Chunk>& chunks;           ///< as the manifest has them
  const std::vector<ChunkReceipt>& receipts;  ///< as many, in the same order
  VerifyDepth depth = VerifyDepth::kCounts;
  Session* source = nullptr;         ///< null: stored bytes against the manifest only
  const TableInfo* table = nullptr;  ///< as described now; with a source
  std::string position = {};         ///< of the source now; "" if it has none
  int64_t row_bytes_max = 64 << 20;
};

struct CompareReport {
  std::vector<ChunkVerdict> chunks;
  int64_t rows = 0;
  int64_t equal = 0, stored_differs = 0, source_differs = 0,
          source_moved = 0;  ///< chunks
};

/// Mismatches are in the report; an error is what kept it from being made.
/// counts: checksums of the stored bytes, rows of the source. content: digests of both.
Result<CompareReport> CompareLoad(const CompareTask& task, const arrow::StopToken& stop);

/// kMismatch for stored bytes or a source that differ; with `strict` also for one that
/// moved.
Status VerdictOf(const CompareReport& report, bool strict);

}  // namespace sluice
