/// \file
/// Signature Version 4 of AWS, for S3 and STS: pure text, no I/O. libcurl's own (7.88) signs the
/// query unsorted and mixes up header names that are prefixes of others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "driver/http.h"

namespace sluice::aws {

struct Credentials {
  std::string access_key, secret_key;
  std::string session_token;   ///< "" for long-lived keys
  int64_t expires_micros = 0;  ///< wall clock; 0: never
  std::string origin;  ///< where they come from, for messages: "profile prod in …"
  bool anonymous() const { return access_key.empty(); }
};

using Query = std::vector<std::pair<std::string, std::string>>;  ///< not encoded

struct Unsigned {
  std::string method;
  std::string scheme, host;  ///< host with the port where it is not the scheme's
  std::string path = "/";    ///< not encoded
  Query query;
  std::vector<http::Header> headers;  ///< names in lower case; all of them are signed
  std::string payload_hash;           ///< hex SHA-256 of the body, or UNSIGNED-PAYLOAD
};

struct Signed {
  std::string url;
  std::vector<http::Header> headers;  ///< with host, x-amz-date, authorization …
};

struct Scope {
  std::string_view region, service;
  int64_t now_micros = 0;  ///< wall clock, UTC
};

/// Anonymous credentials: encoded, not signed.
Signed Sign(const Unsigned& request, const Credentials& credentials, const Scope& scope);

/// Everything but A-Z a-z 0-9 - _ . ~ as %XX, per byte; '/' stays in a path.
enum class Slash { kKeep, kEncode };
std::string UriEncode(std::string_view text, Slash slash);

/// "20130524T000000Z".
std::string AmzDate(int64_t micros);
/// "2009-10-12T17:50:30.000Z", and "Wed, 12 Oct 2009 17:50:00 GMT"; 0 where it is no such time.
int64_t MicrosOfIsoTime(std::string_view text);
int64_t MicrosOfHttpDate(std::string_view text);
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

}  // namespace sluice::aws
