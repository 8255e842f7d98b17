#include "verify/content.h"

#include <fmt/format.h>

#include "arrow/record_batch.h"
#include "arrow/util/cancel.h"
#include "sql/digest.h"

namespace sluice {

Result<Digest> DigestStored(Load& load, const ChunkReceipt& receipt,
                            const arrow::StopToken& stop) {
  ARROW_ASSIGN_OR_RAISE(auto rows, load.ReadBack(receipt));
  return DigestRows(*rows, stop);
}

Status VerifyContent(Load& load, const ChunkReceipt& receipt,
                     const arrow::StopToken& stop) {
  if (receipt.digest.kind != DigestKind::kClient) {
    return Error(
        ErrorKind::kFailed, "verify.no-digest",
        fmt::format("chunk {} was staged without a digest of its rows", receipt.ordinal));
  }
  ARROW_ASSIGN_OR_RAISE(auto stored, DigestStored(load, receipt, stop));
  if (stored == receipt.digest) return Status::OK();
  return Error(
      ErrorKind::kMismatch, "verify.content",
      fmt::format(
          "chunk {}: {} rows were read, {} rows are stored, and their digests differ",
          receipt.ordinal, receipt.digest.rows, stored.rows));
}

}  // namespace sluice
