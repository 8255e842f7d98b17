/// \file
/// The slot's JSON (docs/manifest.md): written once, read by anybody, trusted by nobody.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/error.h"
#include "sluice/receipt.h"

namespace sluice {

/// Longest slot that is written or read.
inline constexpr int64_t kSlotSizeMax = 256 << 20;

/// The slot of a committed load. kFailed "load.incomplete" unless there is exactly one
/// published receipt for each planned chunk; kResource "manifest.too-large".
Result<std::string> CommittedSlot(const LoadSpec& spec,
                                  const std::vector<ChunkReceipt>& published,
                                  const ManifestFacts& facts,
                                  int64_t size_max = kSlotSizeMax);
std::string DiscardedSlot(std::string_view load);
std::string DroppedMark(std::string_view load);

/// What was read at `path`, as the slot of `load`. kMismatch "slot.malformed" for
/// anything else, kUsage "slot.newer" for a slot of a later version.
Result<Slot> ParseSlot(const std::string& path, std::string_view load, std::string bytes);

/// A committed slot taken apart.
struct Manifest {
  std::string path;
  LoadSpec spec;  ///< schema is null: the files have it
  ManifestFacts facts;
  std::vector<ChunkReceipt>
      receipts;         ///< by ordinal; `staged` says the rows of each object
  std::string version;  ///< of the program that wrote it
  int64_t rows = 0, bytes = 0;
};
/// kMismatch "slot.malformed" names the path and the member; kUsage "slot.not-committed".
Result<Manifest> ReadManifest(const Slot& slot);

}  // namespace sluice
