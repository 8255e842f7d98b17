/// \file
/// What S3 says when it refuses, and what to do about it. No I/O.
#pragma once

#include <string>
#include <string_view>

#include "driver/http.h"
#include "sluice/error.h"

namespace sluice {

/// An answer that is no success: the `<Error>` document, or what stands in for it.
struct S3Fault {
  int status = 0;       ///< of an error in the body of a 200: what it should have been
  std::string code;     ///< "NoSuchKey"; "" where the answer has no such document
  std::string message;  ///< one line
  std::string region;   ///< where the bucket is, if the answer says
  std::string server_time, request_time;
  bool foreign = false;  ///< a page or nothing S3 would say
};

/// Nothing where the answer is a success. `body_may_fail`: a 200 whose document is `<Error>`.
enum class BodyMayFail { kNo, kYes };
S3Fault FaultOf(const http::Response& response);
bool IsFault(const http::Response& response, BodyMayFail body_may_fail);

enum class S3Reaction {
  kAnswer,       ///< for the caller: absent, refused, exists
  kRetry,        ///< may go away by itself
  kCredentials,  ///< expired: look for new ones, once
  kRegion,       ///< the bucket is elsewhere
};
S3Reaction ReactionTo(const S3Fault& fault);

/// What was being done, for messages.
struct S3Attempted {
  std::string_view action;      ///< the permission it needs: "s3:PutObject"
  std::string place;            ///< "s3://bucket/key"
  std::string resource;         ///< "arn:aws:s3:::bucket/key*", what a policy would name
  std::string endpoint;         ///< scheme and host asked
  std::string region;           ///< signed for
  std::string origin;           ///< where the credentials came from
  std::string_view local_time;  ///< as signed
};

Status StatusOf(const S3Fault& fault, const S3Attempted& attempted);

}  // namespace sluice
