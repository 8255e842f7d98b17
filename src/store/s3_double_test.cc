#include "store/s3_double_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/crc32c.h"
#include "driver/aws_signature.h"
#include "store/s3_token.h"

namespace sluice {
namespace {

constexpr size_t kPage = 7;  // Small, so that every listing has pages.

std::string OperationOf(const DoubleRequest& request, const std::string& key) {
  const std::string& method = request.method;
  if (key.empty())
    return request.Asks("uploads") ? "ListMultipartUploads" : "ListObjectsV2";
  if (method == "POST")
    return request.Asks("uploads") ? "CreateMultipartUpload" : "CompleteMultipartUpload";
  if (method == "PUT") return request.Asks("partNumber") ? "UploadPart" : "PutObject";
  if (method == "DELETE")
    return request.Asks("uploadId") ? "AbortMultipartUpload" : "DeleteObject";
  return method == "HEAD" ? "HeadObject" : "GetObject";
}

std::string Quoted(const std::string& text) { return "\"" + text + "\""; }

/// The document's texts between `<name>` and `</name>`.
std::vector<std::string> Texts(const std::string& document, const std::string& name) {
  std::vector<std::string> texts;
  const std::string open = "<" + name + ">", close = "</" + name + ">";
  for (size_t at = document.find(open); at != std::string::npos;
       at = document.find(open, at)) {
    at += open.size();
    texts.push_back(document.substr(at, document.find(close, at) - at));
  }
  return texts;
}

std::string EtagOf(const std::string& bytes) {
  return fmt::format("{:08x}{:08x}", ExtendCrc32c(0, bytes), bytes.size());
}

/// S3 refuses bytes that are not those of their checksum.
bool Damaged(const DoubleRequest& request) {
  const std::string sum = request.Header("x-amz-checksum-crc32c");
  return sum != Base64Crc(ExtendCrc32c(0, request.body));
}

DoubleReply Document(const std::string& body) {
  return {200, {{"Content-Type", "application/xml"}}, body, Wire::kWhole};
}

}  // namespace

DoubleReply S3Error(int status, const std::string& code, const std::string& more) {
  return {status,
          {{"Content-Type", "application/xml"}},
          fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code>"
                      "<Message>said {}</Message>{}</Error>",
                      code, code, more),
          Wire::kWhole};
}

S3Double::S3Double()
    : http_(std::make_unique<HttpDouble>(
          [this](const DoubleRequest& request) { return Answer(request); })) {}

S3Options S3Double::Options() const {
  S3Options options;
  options.bucket = "bucket";
  options.prefix = "lake";
  options.endpoint = url();
  options.region = "us-east-1";
  options.part_size = 5 << 20;
  options.uploads = 2;
  options.retry.attempts_max = 4;
  options.silence_max = std::chrono::seconds(1);
  return options;
}

void S3Double::Add(S3Mishap mishap) {
  const std::lock_guard lock(mutex_);
  mishaps_.push_back(std::move(mishap));
}
void S3Double::AnswerAll(HttpDouble::Handler handler) {
  const std::lock_guard lock(mutex_);
  instead_ = std::move(handler);
}
int64_t S3Double::calls(const std::string& operation) const {
  return static_cast<int64_t>(requests(operation).size());
}
std::vector<DoubleRequest> S3Double::requests(const std::string& operation) const {
  const std::lock_guard lock(mutex_);
  const auto found = requests_.find(operation);
  return found == requests_.end() ? std::vector<DoubleRequest>() : found->second;
}
std::map<std::string, std::string> S3Double::Objects() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> objects;
  for (const auto& [key, object] : objects_) objects[key] = object.bytes;
  return objects;
}
int64_t S3Double::uploads() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int64_t>(uploads_.size());
}
void S3Double::DropUploads() {
  const std::lock_guard lock(mutex_);
  uploads_.clear();
}
void S3Double::Replace(const std::string& key, std::string bytes) {
  const std::lock_guard lock(mutex_);
  objects_[key] = {bytes, EtagOf(bytes), {}};
}
void S3Double::TellChecksums(bool tells) {
  const std::lock_guard lock(mutex_);
  tells_checksums_ = tells;
}

DoubleReply S3Double::Answer(const DoubleRequest& request) {
  const std::lock_guard lock(mutex_);
  std::string key = request.path.substr(1);
  key.erase(0, std::min(key.size(), std::string("bucket/").size()));
  const std::string operation = OperationOf(request, key);
  DoubleRequest kept = request;
  kept.body.resize(std::min<size_t>(kept.body.size(), 1 << 10));
  requests_[operation].push_back(std::move(kept));
  if (instead_) return instead_(request);
  const auto nth = static_cast<int64_t>(requests_[operation].size());
  for (const S3Mishap& mishap : mishaps_) {
    const bool now = mishap.operation == operation && nth >= mishap.nth &&
                     nth < mishap.nth + mishap.times;
    if (!now) continue;
    DoubleReply truth;
    if (mishap.when == S3Mishap::When::kAfter) truth = Act(operation, request);
    const bool cut = mishap.reply.wire == Wire::kCutBody;
    if (cut) truth.wire = Wire::kCutBody;
    return cut ? truth : mishap.reply;
  }
  return Act(operation, request);
}

DoubleReply S3Double::Act(const std::string& operation, const DoubleRequest& request) {
  if (!request.path.starts_with("/bucket")) return S3Error(404, "NoSuchBucket");
  const std::string key = request.path.size() > 8 ? request.path.substr(8) : "";
  if (operation == "PutObject") return Put(request, key);
  if (operation == "GetObject" || operation == "HeadObject") return Get(request, key);
  if (operation == "CreateMultipartUpload") return Create(request, key);
  if (operation == "UploadPart") return Part(request);
  if (operation == "CompleteMultipartUpload") return Complete(request, key);
  if (operation == "ListObjectsV2") return List(request);
  if (operation == "ListMultipartUploads") return ListUploads(request);
  if (operation == "DeleteObject") {
    objects_.erase(key);
    return {204, {}, "", Wire::kWhole};
  }
  const bool known = uploads_.erase(request.query.at("uploadId")) > 0;
  return known ? DoubleReply{204, {}, "", Wire::kWhole} : S3Error(404, "NoSuchUpload");
}

DoubleReply S3Double::Put(const DoubleRequest& request, const std::string& key) {
  if (!takes_wrong_ && Damaged(request)) return S3Error(400, "BadDigest");
  if (request.Header("if-none-match") == "*" && objects_.contains(key))
    return S3Error(412, "PreconditionFailed");
  objects_[key] = {request.body, EtagOf(request.body), request.headers};
  return {200, {{"ETag", Quoted(objects_[key].etag)}}, "", Wire::kWhole};
}

DoubleReply S3Double::Get(const DoubleRequest& request, const std::string& key) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return S3Error(404, "NoSuchKey");
  const Object& object = found->second;
  const std::string match = request.Header("if-match");
  if (!match.empty() && match != Quoted(object.etag))
    return S3Error(412, "PreconditionFailed");
  DoubleReply reply;
  reply.headers = {{"ETag", Quoted(object.etag)},
                   {"Last-Modified", "Wed, 12 Oct 2025 17:50:00 GMT"}};
  for (const char* name : {"x-amz-meta-sluice-nonce", "x-amz-meta-sluice-attempt"}) {
    const auto header = object.headers.find(name);
    if (header != object.headers.end()) reply.headers[name] = header->second;
  }
  reply.body = object.bytes;
  const std::string range = request.Header("range");
  if (!range.empty()) {
    const size_t first = std::strtoull(range.c_str() + 6, nullptr, 10);
    const size_t last = std::strtoull(range.c_str() + range.find('-') + 1, nullptr, 10);
    if (first >= object.bytes.size()) return S3Error(416, "InvalidRange");
    reply.status = 206;
    reply.body = object.bytes.substr(first, last - first + 1);
  } else if (tells_checksums_ && !request.Header("x-amz-checksum-mode").empty()) {
    reply.headers["x-amz-checksum-crc32c"] = Base64Crc(ExtendCrc32c(0, object.bytes));
  }
  if (request.method == "HEAD")
    reply.headers["Content-Length"] = std::to_string(object.bytes.size());
  return reply;
}

DoubleReply S3Double::Create(const DoubleRequest& request, const std::string& key) {
  const std::string id = fmt::format("upload+/{}=", ++made_);
  uploads_[id] = {key, request.headers, {}};
  return Document(
      fmt::format("<InitiateMultipartUploadResult><UploadId>{}</UploadId>"
                  "</InitiateMultipartUploadResult>",
                  id));
}

DoubleReply S3Double::Part(const DoubleRequest& request) {
  const auto found = uploads_.find(request.query.at("uploadId"));
  if (found == uploads_.end()) return S3Error(404, "NoSuchUpload");
  if (!takes_wrong_ && Damaged(request)) return S3Error(400, "BadDigest");
  found->second.parts[std::atoi(request.query.at("partNumber").c_str())] = request.body;
  return {200, {{"ETag", Quoted(EtagOf(request.body))}}, "", Wire::kWhole};
}

DoubleReply S3Double::Complete(const DoubleRequest& request, const std::string& key) {
  if (objects_.contains(key) && request.Header("if-none-match") == "*")
    return S3Error(412, "PreconditionFailed");
  const auto found = uploads_.find(request.query.at("uploadId"));
  if (found == uploads_.end()) return S3Error(404, "NoSuchUpload");
  std::string bytes;
  const auto etags = Texts(request.body, "ETag");
  const auto sums = Texts(request.body, "ChecksumCRC32C");
  const auto& parts = found->second.parts;
  if (etags.size() != parts.size() || etags.empty()) return S3Error(400, "InvalidPart");
  for (const auto& [number, part] : parts) {
    const auto i = static_cast<size_t>(number - 1);
    if (i >= etags.size() || etags[i] != "&quot;" + EtagOf(part) + "&quot;" ||
        sums[i] != Base64Crc(ExtendCrc32c(0, part)))
      return S3Error(400, "InvalidPart");
    if (i + 1 < etags.size() && part.size() < 5u << 20)
      return S3Error(400, "EntityTooSmall");
    bytes += part;
  }
  if (request.Header("x-amz-checksum-crc32c") != Base64Crc(ExtendCrc32c(0, bytes)))
    return S3Error(400, "BadDigest");
  objects_[key] = {bytes, EtagOf(bytes) + "-1", found->second.headers};
  uploads_.erase(found);
  return Document(
      fmt::format("<CompleteMultipartUploadResult><ETag>&quot;{}&quot;</ETag>"
                  "</CompleteMultipartUploadResult>",
                  objects_[key].etag));
}

DoubleReply S3Double::List(const DoubleRequest& request) const {
  const auto asked = [&](const char* name) {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::string() : found->second;
  };
  std::string body = "<ListBucketResult><EncodingType>url</EncodingType>";
  size_t count = 0;
  std::string next;
  for (const auto& [key, object] : objects_) {
    if (!key.starts_with(asked("prefix")) || key <= asked("continuation-token")) continue;
    if (count++ == kPage) break;
    next = key;
    body += fmt::format(
        "<Contents><Key>{}</Key><LastModified>2025-10-12T17:50:30.000Z</LastModified>"
        "<ETag>&quot;{}&quot;</ETag><Size>{}</Size></Contents>",
        aws::UriEncode(key, aws::Slash::kKeep), object.etag, object.bytes.size());
  }
  const bool more = count > kPage;
  body += fmt::format("<IsTruncated>{}</IsTruncated>", more ? "true" : "false");
  if (more) body += "<NextContinuationToken>" + next + "</NextContinuationToken>";
  return Document(body + "</ListBucketResult>");
}

DoubleReply S3Double::ListUploads(const DoubleRequest& request) const {
  std::string body =
      "<ListMultipartUploadsResult><EncodingType>url</EncodingType>"
      "<IsTruncated>false</IsTruncated>";
  const auto prefix = request.query.find("prefix");
  for (const auto& [id, upload] : uploads_) {
    if (prefix != request.query.end() && !upload.key.starts_with(prefix->second))
      continue;
    body += fmt::format(
        "<Upload><Key>{}</Key><UploadId>{}</UploadId>"
        "<Initiated>2025-10-12T17:50:30.000Z</Initiated></Upload>",
        aws::UriEncode(upload.key, aws::Slash::kKeep), id);
  }
  return Document(body + "</ListMultipartUploadsResult>");
}

}  // namespace sluice
