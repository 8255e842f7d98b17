/// \file
/// Whether a store on S3 keeps its promises (safety: A1), and whether we may do what we must.
#pragma once

#include "sluice/store.h"
#include "store/s3_object.h"

namespace sluice {

/// Creates a name, creates it again and expects refusal, by Put and by Publish; then twenty
/// rounds of four creators at once, one winner each. Works below "_sluice/probe"; removes what it
/// made, and what probes left that were killed an hour ago or earlier. Every permission a load
/// needs is used once, so that a missing one is found before the first row.
Result<ProbeVerdict> ProbeS3(S3World& world, Store& store);

}  // namespace sluice
