/// \file
/// What a place on S3 is: s3://bucket/prefix?option=value&…
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/retry.h"
#include "base/uri.h"
#include "sluice/error.h"

namespace sluice {

struct S3Options {
  std::string bucket;
  std::string prefix;    ///< "" or "a/b", without slashes at its ends; not encoded
  std::string endpoint;  ///< "http://127.0.0.1:9000"; "": AWS
  std::string region;    ///< "": as the environment says, else found out
  std::optional<bool> path_style;  ///< absent: with an endpoint, or dots in the bucket
  std::string profile;
  std::string sse;            ///< "", "AES256" or "aws:kms"
  std::string kms_key;        ///< with aws:kms; "": the account's default
  std::string storage_class;  ///< "": the bucket's
  std::map<std::string, std::string> tags;
  std::string ca_file;

  int64_t part_size = 8 << 20;  ///< bytes; S3 wants at least 5 MiB of all but the last
  int uploads = 4;  ///< parts on their way at once; two more buffers are filled
  RetryOptions retry{.attempts_max = 7,
                     .first = std::chrono::milliseconds(100),
                     .longest = std::chrono::milliseconds(10'000)};
  std::chrono::seconds retry_time_max{120};  ///< of one request with all its tries
  std::chrono::seconds silence_max{60};      ///< no byte for so long: the request is dead
  bool gives_up = false;  ///< once a request had no answer, none is sent any more
};

/// kUsage: "uri.no-bucket", "uri.unknown-option", "uri.bad-option". An endpoint that is not
/// named is taken from AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL.
Result<S3Options> ParseS3Uri(const Uri& uri);

/// The same place has the same text: "s3://bucket/prefix?endpoint=…", without the options that
/// do not say where.
std::string CanonicalS3Uri(const S3Options& options);

}  // namespace sluice
