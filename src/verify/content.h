/// \file
/// The full depth of verification: what the stored bytes decode to is what was read.
#pragma once

#include "sluice/destination.h"

namespace sluice {

/// kMismatch unless the rows decoded from the stored objects have the digest of the
/// receipt. kFailed "verify.no-digest" for a receipt without a client digest.
Status VerifyContent(Load& load, const ChunkReceipt& receipt,
                     const arrow::StopToken& stop);

/// The digest of what is stored.
Result<Digest> DigestStored(Load& load, const ChunkReceipt& receipt,
                            const arrow::StopToken& stop);

}  // namespace sluice
