#include "store/s3_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <pugixml.hpp>

namespace sluice {
namespace {

constexpr size_t kShownMax = 300;

/// One line of at most kShownMax bytes.
std::string Shown(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= ' ';
    if (!blank) {
      line.push_back(c);
    } else if (!line.empty() && line.back() != ' ') {
      line.push_back(' ');
    }
    if (line.size() >= kShownMax) break;
  }
  return line;
}

template <size_t kCount>
bool IsOneOf(const std::string& code, const std::array<std::string_view, kCount>& codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

constexpr auto kTransientCodes = std::to_array<std::string_view>(
    {"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "Busy",
     "OperationAborted", "Throttling", "ThrottlingException", "RequestThrottled",
     "RequestLimitExceeded", "BandwidthLimitExceeded", "IncompleteBody", "BadDigest",
     "RequestTimeoutException", "TooManyRequests", "EC2ThrottledException",
     "XMinioServerNotInitialized"});
constexpr auto kCredentialCodes = std::to_array<std::string_view>(
    {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"});
constexpr auto kKeyCodes = std::to_array<std::string_view>(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken",
     "InvalidClientTokenId", "UnrecognizedClientException", "AccountProblem",
     "InvalidSecurity", "XAdminUserNotFound"});

Status Forbidden(const S3Fault& fault, const S3Attempted& attempted) {
  const bool kms =
      fault.code.starts_with("KMS") || fault.message.find("kms:") != std::string::npos;
  return Error(
      ErrorKind::kDestination, "s3.forbidden",
      fmt::format("not allowed: {} on {}, as {} ({}{}{})", attempted.action,
                  attempted.place, attempted.origin,
                  fault.code.empty() ? "HTTP 403" : fault.code,
                  fault.message.empty() ? "" : ": ", fault.message),
      kms ? "grant kms:GenerateDataKey and kms:Decrypt on the key; docs/s3.md has the policy"
          : fmt::format("grant {} on {}; docs/s3.md has the whole policy",
                        attempted.action, attempted.resource));
}

Status Skewed(const S3Fault& fault, const S3Attempted& attempted) {
  std::string by;
  if (!fault.server_time.empty())
    by = fmt::format("; the server's clock says {}, ours {}", fault.server_time,
                     attempted.local_time);
  return Error(
      ErrorKind::kDestination, "s3.clock",
      fmt::format("{} refuses the time of the request{}", attempted.endpoint, by),
      "set this machine's clock; S3 takes a difference of at most 15 minutes");
}

Status Foreign(const S3Fault& fault, const S3Attempted& attempted) {
  return Error(ErrorKind::kDestination, "s3.not-s3",
               fmt::format("{} does not answer as S3 does: HTTP {} {}",
                           attempted.endpoint, fault.status, fault.message),
               "look at the endpoint: it names the S3 API, not a console or web page");
}

/// What the status would be, had it not been sent before the outcome was known.
int StatusMeant(const std::string& code) {
  if (code == "PreconditionFailed") return 412;
  if (code == "ConditionalRequestConflict") return 409;
  if (code == "NoSuchUpload" || code == "NoSuchBucket") return 404;
  if (code == "AccessDenied") return 403;
  if (code == "SlowDown") return 503;
  constexpr auto kBadRequests = std::to_array<std::string_view>(
      {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML",
       "InvalidRequest"});
  return IsOneOf(code, kBadRequests) ? 400 : 500;
}

}  // namespace

bool IsFault(const http::Response& response, BodyMayFail body_may_fail) {
  if (response.status / 100 != 2) return true;
  if (body_may_fail == BodyMayFail::kNo) return false;
  return response.body.find("<Error>") != std::string::npos ||
         response.body.find("<Error ") != std::string::npos;
}

S3Fault FaultOf(const http::Response& response) {
  S3Fault fault;
  fault.status = response.status;
  fault.region = response.Find("x-amz-bucket-region");
  pugi::xml_document document;
  const bool parsed =
      document.load_buffer(response.body.data(), response.body.size()).status ==
      pugi::status_ok;
  const pugi::xml_node error = document.child("Error");
  if (parsed && error) {
    fault.code = error.child_value("Code");
    fault.message = Shown(error.child_value("Message"));
    if (fault.region.empty()) fault.region = error.child_value("Region");
    fault.server_time = error.child_value("ServerTime");
    fault.request_time = error.child_value("RequestTime");
  } else if (!response.body.empty()) {
    // A proxy's or load balancer's page with 502 or 503 is no proof of another kind of server.
    fault.foreign = response.status < 500 || response.status == 501;
    fault.message = Shown(response.body);
  }
  if (response.status / 100 == 2) fault.status = StatusMeant(fault.code);
  if (fault.server_time.empty()) fault.server_time = response.Find("date");
  return fault;
}

S3Reaction ReactionTo(const S3Fault& fault) {
  if (IsOneOf(fault.code, kTransientCodes)) return S3Reaction::kRetry;
  if (IsOneOf(fault.code, kCredentialCodes)) return S3Reaction::kCredentials;
  const bool elsewhere = fault.status == 301 || fault.status == 307 ||
                         fault.code == "AuthorizationHeaderMalformed" ||
                         fault.code == "IllegalLocationConstraintException";
  if (elsewhere || (fault.status == 400 && fault.code.empty() && !fault.region.empty()))
    return S3Reaction::kRegion;
  const bool refused_for_good = fault.status == 501 || fault.status == 505;
  if ((fault.status >= 500 && !refused_for_good) || fault.status == 429 ||
      fault.status == 408) {
    return S3Reaction::kRetry;
  }
  return S3Reaction::kAnswer;
}

Status StatusOf(const S3Fault& fault, const S3Attempted& attempted) {
  const std::string said = fmt::format(
      "{}{}{}", fault.code.empty() ? fmt::format("HTTP {}", fault.status) : fault.code,
      fault.message.empty() ? "" : ": ", fault.message);
  if (fault.foreign) return Foreign(fault, attempted);
  if (fault.code == "RequestTimeTooSkewed") return Skewed(fault, attempted);
  if (fault.code == "NoSuchBucket") {
    return Error(
        ErrorKind::kDestination, "s3.no-bucket",
        fmt::format("no such bucket: {} at {}", attempted.place, attempted.endpoint),
        "create the bucket first; sluice never does");
  }
  if (IsOneOf(fault.code, kCredentialCodes)) {
    return Error(ErrorKind::kDestination, "s3.credentials-expired",
                 fmt::format("the credentials of {} have expired, and no newer ones were "
                             "found ({})",
                             attempted.origin, said),
                 "renew them (aws sso login, or whatever made them) and run again: it "
                 "resumes");
  }
  if (IsOneOf(fault.code, kKeyCodes)) {
    return Error(ErrorKind::kDestination, "s3.credentials-refused",
                 fmt::format("{} does not accept the credentials of {} ({})",
                             attempted.endpoint, attempted.origin, said),
                 "look at the access key and its secret, and that they belong to this "
                 "endpoint");
  }
  const bool told = !fault.region.empty() && fault.region != attempted.region;
  const bool mute = fault.status == 400 && fault.code.empty();
  if (ReactionTo(fault) == S3Reaction::kRegion && (told || !mute)) {
    return Error(
        ErrorKind::kDestination, "s3.wrong-region",
        fmt::format("{} is not in region {}{}{} ({})", attempted.place, attempted.region,
                    told ? " but in " : "", told ? fault.region : "", said),
        told ? fmt::format("give region={}", fault.region)
             : "give the bucket's region as region=…");
  }
  if (ReactionTo(fault) == S3Reaction::kRetry) {
    const bool slow =
        fault.status == 503 || fault.status == 429 || fault.code == "SlowDown";
    return Error(ErrorKind::kTransient, slow ? "s3.slow-down" : "s3.unavailable",
                 fmt::format("{} on {} failed again and again: {}", attempted.action,
                             attempted.place, said));
  }
  if (fault.status == 401 || fault.status == 403) return Forbidden(fault, attempted);
  return Error(
      ErrorKind::kDestination, "s3.refused",
      fmt::format("{} on {} was refused: {}", attempted.action, attempted.place, said));
}

}  // namespace sluice
