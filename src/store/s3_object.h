/// \file
/// Single objects on S3: one being written, one being read.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "arrow/io/type_fwd.h"
#include "sluice/store.h"
#include "store/part_pool.h"
#include "store/s3_client.h"

namespace sluice {

/// What the handles of one store share.
struct S3World {
  S3World(const S3Options& options, Clock& clock)
      : client(options, clock),
        parts({static_cast<size_t>(options.part_size), options.uploads,
               options.uploads + 2}) {}
  S3Client client;
  PartPool parts;
  /// Seen by the probe: bytes that do not have the checksum they come with are refused. Until then
  /// what the store says of its checksums is only said.
  std::atomic<bool> checks_sums = false;
  /// The key of a path: below the prefix.
  std::string Key(std::string_view path) const;
};

/// The headers every new object is created with: encryption, tags, class, who wrote it.
struct S3Writer {
  std::string attempt, nonce;
};
std::vector<http::Header> HeadersOfNew(const S3Options& options, const S3Writer& writer);

/// Creates the upload; what is dropped unstaged is aborted.
Result<std::unique_ptr<PendingObject>> BeginS3Object(std::shared_ptr<S3World> world,
                                                     const StageTarget& target);

/// By ranged GETs of that ETag; another one is kDestination "store.object-changed".
std::shared_ptr<arrow::io::RandomAccessFile> NewS3Reader(std::shared_ptr<S3World> world,
                                                         const ObjectRef& object);

/// Idempotent.
Status AbortUpload(S3Client& client, const std::string& key, const std::string& upload);

/// The text of `<name>` in a document whose root begins with `root` (servers disagree on its end);
/// "s3.not-s3" where it is no such document.
Result<std::string> XmlValue(S3Client& client, const http::Response& response,
                             const char* root, const char* name);

}  // namespace sluice
