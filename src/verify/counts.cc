#include "verify/counts.h"

#include <fmt/format.h>

namespace sluice {

Status VerifyCounts(Load& load, const ChunkReceipt& receipt,
                    const arrow::StopToken& stop) {
  int64_t staged = 0;
  for (const auto& object : receipt.staged) staged += object.rows;
  if (staged != receipt.rows) {
    return Error(ErrorKind::kMismatch, "verify.rows",
                 fmt::format("chunk {}: {} rows were read, {} were staged",
                             receipt.ordinal, receipt.rows, staged));
  }
  const auto& digest = receipt.digest;
  if (digest.kind != DigestKind::kNone &&
      (digest.rows != receipt.rows || digest.hashed != receipt.rows)) {
    return Error(ErrorKind::kMismatch, "verify.digest-rows",
                 fmt::format("chunk {}: {} rows were read, {} were digested",
                             receipt.ordinal, receipt.rows, digest.hashed));
  }
  return InContext(load.CheckStored(receipt, stop),
                   fmt::format("chunk {}", receipt.ordinal));
}

}  // namespace sluice
