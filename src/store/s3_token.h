/// \file
/// What a staged upload is known by, across processes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/error.h"

namespace sluice {

struct S3Part {
  std::string etag;  ///< as the store gave it, with its quotes
  uint32_t crc32c = 0;
  bool operator==(const S3Part&) const = default;
};

struct S3Token {
  std::string upload;         ///< the store's id
  std::string nonce;          ///< ours: in the object's metadata
  std::vector<S3Part> parts;  ///< numbered from 1
  bool operator==(const S3Token&) const = default;
};

/// JSON, in one line.
std::string ToText(const S3Token& token);
/// kDestination "store.bad-token".
Result<S3Token> ParseS3Token(const std::string& text);

/// Big-endian, base64: as x-amz-checksum-crc32c has it.
std::string Base64Crc(uint32_t crc32c);
/// Nothing for what is no checksum of a whole object.
std::optional<uint32_t> CrcFromBase64(std::string_view text);
/// What S3 calls COMPOSITE: the sum of the parts' sums, "…-3".
std::string CompositeCrc(const std::vector<S3Part>& parts);
/// The body of CompleteMultipartUpload.
std::string CompleteDocument(const std::vector<S3Part>& parts);

}  // namespace sluice
