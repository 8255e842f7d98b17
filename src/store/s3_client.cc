#include "store/s3_client.h"

#include <fmt/format.h>

#include <cstdlib>
#include <functional>

#include "arrow/util/cancel.h"
#include "base/sha256.h"
#include "base/uuid.h"
#include "sluice/version.h"

namespace sluice {
namespace {

constexpr std::string_view kDefaultRegion = "us-east-1";

std::string FirstOf(const aws::Surroundings& surroundings,
                    std::initializer_list<const char*> variables) {
  for (const char* name : variables) {
    const auto value = surroundings.variable(name);
    if (value && !value->empty()) return *value;
  }
  return "";
}

aws::Surroundings SurroundingsOf(const S3Options& options) {
  aws::Surroundings surroundings = aws::Surroundings::FromEnvironment();
  if (!options.profile.empty()) surroundings.profile = options.profile;
  surroundings.region = options.region;
  if (surroundings.region.empty())
    surroundings.region = FirstOf(surroundings, {"AWS_REGION", "AWS_DEFAULT_REGION"});
  if (surroundings.region.empty())
    surroundings.region = aws::ProfileSetting(surroundings, "region").value_or("");
  return surroundings;
}

http::Options HttpOptionsOf(const S3Options& options) {
  http::Options http;
  http.user_agent = fmt::format("sluice/{}", kVersion);
  http.ca_file = options.ca_file;
  const auto surroundings = SurroundingsOf(options);
  if (http.ca_file.empty()) http.ca_file = FirstOf(surroundings, {"AWS_CA_BUNDLE"});
  if (http.ca_file.empty())
    http.ca_file = aws::ProfileSetting(surroundings, "ca_bundle").value_or("");
  return http;
}

bool IsLoopback(std::string_view host) {
  return host.starts_with("127.") || host.starts_with("localhost") ||
         host.starts_with("[::1]");
}

bool Changes(const S3Request& request) {
  return request.method != "GET" && request.method != "HEAD";
}

}  // namespace

S3Client::S3Client(S3Options options, Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      http_(HttpOptionsOf(options_)),
      credentials_(aws::NewCredentialChain(SurroundingsOf(options_), http_, clock)),
      region_(SurroundingsOf(options_).region),
      region_given_(!options_.region.empty()) {}
S3Client::~S3Client() = default;

std::string S3Client::Place(std::string_view key) const {
  return fmt::format("s3://{}{}{}", options_.bucket, key.empty() ? "" : "/", key);
}

std::string S3Client::Region() {
  const std::lock_guard lock(mutex_);
  return region_.empty() ? std::string(kDefaultRegion) : region_;
}

bool S3Client::Move(const S3Fault& fault) {
  const std::lock_guard lock(mutex_);
  const std::string asked = region_.empty() ? std::string(kDefaultRegion) : region_;
  // What the user said is not overruled: a bucket elsewhere may be a bucket mistaken.
  if (region_given_ || fault.region.empty() || fault.region == asked) return false;
  region_ = fault.region;
  return true;
}

S3Client::Try S3Client::SendOnce(const S3Request& request) {
  Try result;
  auto credentials = credentials_->Get();
  if (!credentials.ok()) {
    result.failure = credentials.status();
    return result;
  }
  result.used = *credentials;
  const std::string region = Region();
  const bool dotted = options_.bucket.find('.') != std::string::npos;
  const bool path_style =
      options_.path_style.value_or(!options_.endpoint.empty() || dotted);
  aws::Unsigned plain;
  plain.method = request.method;
  std::string endpoint = options_.endpoint;
  if (endpoint.empty()) {
    endpoint = fmt::format("https://s3.{}.amazonaws.com{}", region,
                           region.starts_with("cn-") ? ".cn" : "");
  }
  const size_t host = endpoint.find("://");
  plain.scheme = endpoint.substr(0, host);
  plain.host = endpoint.substr(host + 3);
  plain.path = "/" + request.key;
  if (path_style) {
    plain.path = "/" + options_.bucket + (request.key.empty() ? "" : "/" + request.key);
  } else {
    plain.host = options_.bucket + "." + plain.host;
  }
  plain.query = request.query;
  plain.headers = request.headers;
  // Where nobody can listen or change it, the checksum guards the body.
  const bool guarded = plain.scheme == "https" || IsLoopback(plain.host);
  plain.payload_hash =
      guarded ? std::string(aws::kUnsignedPayload) : Sha256Hex(request.body);
  const int64_t now = clock_.NowMicros();
  result.signed_at = aws::AmzDate(now);
  const aws::Signed ready = aws::Sign(plain, result.used, {region, "s3", now});
  http::Request wire;
  wire.method = request.method;
  wire.url = ready.url;
  wire.headers = ready.headers;
  wire.body = request.body;
  wire.halfway = request.halfway;
  wire.response_max = request.response_max;
  wire.into = request.into;
  wire.silence_max = options_.silence_max;
  wire.cancelled = request.cancelled;
  wire.proxy = !IsLoopback(plain.host);
  auto response = http_.Send(wire);
  if (!response.ok()) {
    result.failure = response.status();
    return result;
  }
  if (IsFault(*response, request.body_may_fail)) result.answer.fault = FaultOf(*response);
  result.answer.response = *std::move(response);
  const std::lock_guard lock(mutex_);
  origin_ = result.used.origin;
  signed_at_ = result.signed_at;
  return result;
}

bool S3Client::Cure(const S3Request& request, const Try& tried, Cures* cures) {
  const S3Fault& fault = tried.answer.fault;
  const S3Reaction reaction = ReactionTo(fault);
  if (reaction == S3Reaction::kRegion && !cures->moved && Move(fault)) {
    cures->moved = true;
    return true;
  }
  // The answer to a HEAD has no document: expired credentials look like this.
  const bool mute = request.method == "HEAD" && fault.status == 400 && fault.code.empty();
  if ((reaction != S3Reaction::kCredentials && !mute) || cures->renewed) return false;
  cures->renewed = true;
  credentials_->Refuse(tried.used);
  return true;
}

Result<S3Answer> S3Client::Send(const S3Request& request) {
  if (!options_.gives_up) return SendPatiently(request);
  {
    const std::lock_guard lock(mutex_);
    ARROW_RETURN_NOT_OK(unanswered_);
  }
  auto answer = SendPatiently(request);
  const ErrorKind kind = KindOf(answer.status());
  if (!answer.ok() &&
      (kind == ErrorKind::kTransient || kind == ErrorKind::kCommitUnknown)) {
    const std::lock_guard lock(mutex_);
    unanswered_ = answer.status();
  }
  return answer;
}

Result<S3Answer> S3Client::SendPatiently(const S3Request& request) {
  Backoff backoff(options_.retry, std::hash<std::string>{}(NewNonce()));
  const auto begun = clock_.Elapsed();
  bool lost = false;
  Cures cures;
  for (;;) {
    Try tried = SendOnce(request);
    const S3Fault& fault = tried.answer.fault;
    Status failure = tried.failure;
    if (failure.ok()) {
      if (tried.answer.ok()) return std::move(tried.answer);
      if (Cure(request, tried, &cures)) continue;
      const bool wanted = request.wrong_on_purpose && fault.status / 100 == 4;
      if (wanted || ReactionTo(fault) != S3Reaction::kRetry)
        return std::move(tried.answer);
      failure = StatusOf(fault, Attempted(request, tried.used.origin, tried.signed_at));
      // A server in trouble may have done what it was asked for.
      lost = lost || fault.status / 100 == 5;
    } else if (IdOf(failure) == "http.interrupted") {
      lost = true;
    }
    const bool passes =
        KindOf(failure) == ErrorKind::kTransient || IdOf(failure) == "http.unknown-host";
    const bool in_time = clock_.Elapsed() - begun < options_.retry_time_max;
    if (!passes) return failure;
    if (!in_time || !backoff.MayTryAgain()) {
      if (!lost || !Changes(request)) return failure;
      return Error(ErrorKind::kCommitUnknown, "s3.reply-lost",
                   fmt::format("{} on {} got no answer: {}", request.action,
                               Place(request.key), failure.message()));
    }
    ARROW_RETURN_NOT_OK(clock_.Sleep(backoff.Next(), arrow::StopToken::Unstoppable()));
  }
}

S3Attempted S3Client::Attempted(const S3Request& request, const std::string& origin,
                                std::string_view signed_at) {
  S3Attempted attempted;
  attempted.action = request.action;
  attempted.place = Place(request.key);
  const bool on_bucket = request.key.empty();
  attempted.resource =
      fmt::format("arn:aws:s3:::{}{}", options_.bucket,
                  on_bucket                 ? ""
                  : options_.prefix.empty() ? "/*"
                                            : "/" + options_.prefix + "/*");
  attempted.region = Region();
  attempted.endpoint =
      options_.endpoint.empty() ? "AWS (" + attempted.region + ")" : options_.endpoint;
  attempted.origin = origin.empty() ? "nobody (no credentials)" : origin;
  attempted.local_time = signed_at;
  return attempted;
}

Status S3Client::Refusal(const S3Request& request, const S3Answer& answer) {
  std::string origin, signed_at;
  {
    const std::lock_guard lock(mutex_);
    origin = origin_;
    signed_at = signed_at_;
  }
  return StatusOf(answer.fault, Attempted(request, origin, signed_at));
}

}  // namespace sluice
