/// \file
/// What lies in a bucket below a folder: objects, and uploads that were never completed.
#pragma once

#include <string>
#include <vector>

#include "sluice/store.h"
#include "store/s3_object.h"

namespace sluice {

/// By path; pages are followed to the end.
Result<std::vector<ObjectInfo>> ListObjects(S3World& world, const std::string& folder);
/// `folder` may be a staging folder: "x/_sluice/staging/y" are the uploads for "x/y".
Result<std::vector<StagedObject>> ListUploads(S3World& world, const std::string& folder);

/// Without its quotes.
std::string BareEtag(std::string_view etag);

}  // namespace sluice
