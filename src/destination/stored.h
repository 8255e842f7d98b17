/// \file
/// What is stored, read again: bytes against checksums, files as rows.
#pragma once

#include <memory>
#include <vector>

#include "sluice/error.h"
#include "sluice/receipt.h"

namespace arrow {
class StopToken;
}

namespace sluice {

/// kMismatch "stored.differs" unless every object of the receipt has its size, crc32c and
/// rows.
Status CheckStoredObjects(Store& store, const ChunkReceipt& receipt,
                          const arrow::StopToken& stop);

/// Whether a part says of itself that it was made for the folder in which it lies below this root.
/// What cannot be read as a part of ours says nothing.
Result<bool> BelongsToItsFolder(Store& store, const ObjectInfo& part);

/// The rows of the receipt's objects, one after the other, a few thousand at a time.
/// `schema`: what the files must have; null: what the first one has. kMismatch
/// "stored.undecodable" for bytes that are no such file. The store outlives the reader.
Result<std::shared_ptr<arrow::RecordBatchReader>> ReadStoredRows(
    Store& store, const ChunkReceipt& receipt, std::shared_ptr<arrow::Schema> schema);

}  // namespace sluice
