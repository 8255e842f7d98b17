/// \file
/// Where rows go. A load is prepared invisibly, published whole, decided by one slot.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sluice/receipt.h"

namespace arrow {
class StopToken;
}

namespace sluice {

struct PrepareContext {
  Chunk chunk;
  std::string attempt;
  DigestKind digest = DigestKind::kNone;  ///< kClient: digest the rows as they pass
  arrow::MemoryPool* pool = nullptr;
  int64_t memory = 64 << 20;  ///< bytes the encoder may hold (open row group and pages)
  const arrow::StopToken* stop = nullptr;
};

/// One load of one stream. Every call is idempotent. Prepare from many threads, the rest from one.
class Load {
 public:
  virtual ~Load() = default;
  /// Encodes and stages every row of `rows`. On error nothing is visible.
  virtual Result<ChunkReceipt> Prepare(
      const PrepareContext& context,
      const std::shared_ptr<arrow::RecordBatchReader>& rows) = 0;
  /// Visible, not yet committed. One receipt per ordinal, the winners, frozen by the caller.
  virtual Result<std::vector<ChunkReceipt>> Publish(
      const std::vector<ChunkReceipt>& winners, const arrow::StopToken& stop) = 0;
  /// The rows of a published receipt, decoded from the stored bytes.
  virtual Result<std::shared_ptr<arrow::RecordBatchReader>> ReadBack(
      const ChunkReceipt& receipt) = 0;
  /// kMismatch unless the stored bytes of every object have the receipt's size, crc32c and row count.
  virtual Status CheckStored(const ChunkReceipt& receipt,
                             const arrow::StopToken& stop) = 0;
  /// Destroys one attempt that is not a winner.
  virtual Status Retire(const ChunkReceipt& receipt) = 0;
  /// Writes the slot: committed. Exactly the receipts published. Exists already: returns it as it is.
  virtual Result<Slot> Commit(const std::vector<ChunkReceipt>& published,
                              const ManifestFacts& facts) = 0;
  virtual Result<Slot> FindSlot() = 0;
  /// Takes the slot as discarded first, then destroys what is staged, then what is visible. The slot
  /// says committed: kHeld "load.committed", nothing is touched.
  virtual Status Discard() = 0;
  /// Aborts every staged leftover of this load. Needs a slot.
  virtual Status CleanUp() = 0;
};

/// One load as the destination shows it.
struct LoadEntry {
  TableName table;
  std::string load;
  Outcome outcome = Outcome::kUndecided;
  bool dropped = false;  ///< its objects were removed after it was replaced
  std::string job, stream,
      source;  ///< from the slot; "" while undecided, and once dropped
  std::vector<std::string> replaces;
  std::string manifest, location;  ///< paths of the slot and of the folder
  int64_t rows = 0, size = 0, files = 0;
  int64_t staged = 0;           ///< leftovers: in staging, or visible and in no slot
  int64_t modified_micros = 0;  ///< newest object
};

/// Thread-safe.
class Destination {
 public:
  virtual ~Destination() = default;
  virtual std::string Describe() const = 0;  ///< URI without secrets
  virtual Result<ProbeVerdict> Probe() = 0;
  virtual Result<std::unique_ptr<Load>> Open(const LoadSpec& spec) = 0;
  virtual Result<std::vector<TableName>> Tables() = 0;
  virtual Result<std::vector<LoadEntry>> Loads(const TableName& table) = 0;
  /// Removes the objects of a committed load that was replaced; its slot stays, `{load}.dropped.json`
  /// comes first. Idempotent.
  virtual Status Drop(const TableName& table, const std::string& load) = 0;
  /// What gc does: of a decided load every leftover; of an undecided one the slot is taken as discarded
  /// first (committed meanwhile: only leftovers go). Returns the number of objects removed.
  virtual Result<int64_t> Collect(const TableName& table, const std::string& load) = 0;
};

}  // namespace sluice
