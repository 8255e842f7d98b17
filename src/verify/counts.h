/// \file
/// The cheap depth of verification: rows counted three times, stored bytes against their
/// checksums.
#pragma once

#include "sluice/destination.h"

namespace sluice {

/// kMismatch unless the rows of the receipt are those of its objects, and the stored
/// objects have the sizes, checksums and rows that were staged.
Status VerifyCounts(Load& load, const ChunkReceipt& receipt,
                    const arrow::StopToken& stop);

}  // namespace sluice
