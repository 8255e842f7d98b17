/// \file
/// A bucket of S3, or of a server that speaks its protocol, as a Store.
///
/// Staged: a multipart upload all of whose parts are there but which is not completed: upload
/// id and the parts' ETags and CRC-32C are the token, so that any process can complete or abort
/// it. Small objects are uploads of one part. Published: completed, with `If-None-Match: *`.
/// - Every request that carries bytes carries their CRC-32C.
/// - An upload has no name of its own: ListStaged gives the object's path, and an attempt of ""
///   (S3 lists no metadata of uploads). For a folder `x/_sluice/staging/y` that is `x/y`.
/// - A version is the ETag.
#pragma once

#include <memory>

#include "sluice/clock.h"
#include "sluice/store.h"
#include "store/s3_options.h"

namespace sluice {

/// Speaks to nobody yet. `clock` outlives the store. kUsage for credentials that cannot be read.
Result<std::unique_ptr<Store>> OpenS3Store(const S3Options& options, Clock& clock);

}  // namespace sluice
