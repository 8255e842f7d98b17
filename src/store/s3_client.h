/// \file
/// One bucket, spoken to: requests are signed, tried again while that may help, and their
/// refusals understood.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "driver/aws_credentials.h"
#include "driver/http.h"
#include "sluice/clock.h"
#include "store/s3_error.h"
#include "store/s3_options.h"

namespace sluice {

struct S3Request {
  std::string_view action;  ///< the permission it needs, for messages: "s3:PutObject"
  std::string method = "GET";
  std::string key;  ///< below the bucket, not encoded; "": the bucket itself
  aws::Query query;
  std::vector<http::Header> headers;
  std::string_view body;
  std::function<void()> halfway;  ///< as http::Request's
  int64_t response_max = 8 << 20;
  char* into = nullptr;
  BodyMayFail body_may_fail = BodyMayFail::kNo;
  bool wrong_on_purpose = false;  ///< a refusal (4xx) is the answer that is looked for
  const std::atomic<bool>* cancelled = nullptr;
};

/// A success, or a refusal that is the caller's to judge.
struct S3Answer {
  http::Response response;
  S3Fault fault;  ///< status 0: a success
  bool ok() const { return fault.status == 0; }
};

/// Thread-safe.
class S3Client {
 public:
  S3Client(S3Options options, Clock& clock);
  ~S3Client();

  /// Tries again, with full jitter, what may go away by itself: at most retry.attempts_max times
  /// and retry_time_max. Errors: kTransient (nothing had an effect), kCommitUnknown
  /// "s3.reply-lost" (a request that changes something may have had its effect), kDestination,
  /// kUsage (credentials), kCancelled.
  Result<S3Answer> Send(const S3Request& request);

  /// The status of a refusal nobody expected.
  Status Refusal(const S3Request& request, const S3Answer& answer);

  const S3Options& options() const { return options_; }
  Clock& clock() const { return clock_; }
  /// "s3://bucket/key".
  std::string Place(std::string_view key) const;

 private:
  struct Try {
    Status failure;   ///< nobody answered
    S3Answer answer;  ///< or somebody did
    aws::Credentials used;
    std::string signed_at;
  };
  Result<S3Answer> SendPatiently(const S3Request& request);
  Try SendOnce(const S3Request& request);
  std::string Region();
  /// What can be done about a refusal, or nothing any more: each cure is tried once.
  struct Cures {
    bool renewed = false, moved = false;
  };
  bool Cure(const S3Request& request, const Try& tried, Cures* cures);
  /// Whether the bucket was found to be in another region than was asked.
  bool Move(const S3Fault& fault);
  S3Attempted Attempted(const S3Request& request, const std::string& origin,
                        std::string_view signed_at);

  const S3Options options_;
  Clock& clock_;
  http::Client http_;
  const std::unique_ptr<aws::CredentialSource> credentials_;
  std::mutex mutex_;
  std::string region_, origin_, signed_at_;
  bool region_given_ = false;
  Status unanswered_;  ///< where options_.gives_up: why nobody is asked any more
};

}  // namespace sluice
