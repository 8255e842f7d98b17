#include "store/s3_object.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <pugixml.hpp>
#include <utility>

#include "base/crash_point.h"
#include "base/crc32c.h"
#include "base/uuid.h"
#include "store/s3_token.h"

namespace sluice {
namespace {

constexpr size_t kPartsMax = 10'000;

/// The parts of one upload on their way. Shared by the writer and the pool's threads.
struct Upload {
  std::string key, id;
  std::mutex mutex;
  std::condition_variable landed;
  std::vector<S3Part> parts;
  int on_their_way = 0;
  Status failure;
  std::atomic<bool> cancelled = false;

  Status Failure() {
    const std::lock_guard lock(mutex);
    return failure;
  }
  void WaitForAll() {
    std::unique_lock lock(mutex);
    landed.wait(lock, [&] { return on_their_way == 0; });
  }
};

Result<S3Part> PutPart(S3Client& client, const Upload& upload, size_t number,
                       std::string_view bytes) {
  S3Part part;
  part.crc32c = ExtendCrc32c(0, bytes);
  S3Request request;
  request.action = "s3:PutObject";
  request.method = "PUT";
  request.key = upload.key;
  request.query = {{"partNumber", std::to_string(number)}, {"uploadId", upload.id}};
  request.headers = {{"x-amz-checksum-crc32c", Base64Crc(part.crc32c)}};
  request.body = bytes;
  request.cancelled = &upload.cancelled;
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client.Send(request));
  if (!answer.ok()) {
    if (answer.fault.code != "NoSuchUpload") return client.Refusal(request, answer);
    return Error(ErrorKind::kTransient, "store.upload-gone",
                 fmt::format("the upload of {} was aborted by somebody else",
                             client.Place(upload.key)));
  }
  part.etag = answer.response.Find("etag");
  if (!part.etag.empty()) return part;
  return Error(ErrorKind::kDestination, "s3.not-s3",
               fmt::format("no ETag for part {} of {}", number, client.Place(upload.key)),
               "look at the endpoint: it names the S3 API, not a console or web page");
}

class S3Object final : public PendingObject {
 public:
  S3Object(std::shared_ptr<S3World> world, StageTarget target, S3Token token)
      : world_(std::move(world)),
        target_(std::move(target)),
        token_(std::move(token)),
        upload_(std::make_shared<Upload>()) {
    upload_->key = world_->Key(target_.path);
    upload_->id = token_.upload;
  }

  ~S3Object() override {
    if (buffer_.data != nullptr) world_->parts.GiveBack(std::move(buffer_));
    if (staged_) return;
    upload_->cancelled = true;
    upload_->WaitForAll();
    // Where the store does not answer the upload stays, invisible, for ListStaged to find.
    const Status aborted = AbortUpload(world_->client, upload_->key, upload_->id);
    if (!aborted.ok()) failure_ = aborted;
  }

  Status Write(std::string_view bytes) override {
    ARROW_RETURN_NOT_OK(failure_);
    failure_ = staged_ ? Status::Invalid("write to a staged object") : Append(bytes);
    return failure_;
  }

  int64_t size() const override { return size_; }

  Result<StagedObject> Stage() override {
    ARROW_RETURN_NOT_OK(failure_);
    Result<StagedObject> staged = StageOnce();
    failure_ =
        staged.ok() ? Status::Invalid("an object is staged once") : staged.status();
    return staged;
  }

 private:
  Status Append(std::string_view bytes) {
    if (bytes.empty()) return Status::OK();
    const bool first = size_ == 0;
    size_ += static_cast<int64_t>(bytes.size());
    crc32c_ = ExtendCrc32c(crc32c_, bytes);
    while (!bytes.empty()) {
      if (buffer_.data == nullptr) buffer_ = world_->parts.Take();
      const size_t room = world_->parts.part_size() - buffer_.size;
      const size_t count = std::min(room, bytes.size());
      std::memcpy(buffer_.data.get() + buffer_.size, bytes.data(), count);
      buffer_.size += count;
      bytes.remove_prefix(count);
      if (buffer_.size == world_->parts.part_size()) ARROW_RETURN_NOT_OK(SendPart());
    }
    return first ? Pass(CrashPoint::kUploadHalf) : Status::OK();
  }

  /// What belongs to no attempt is the probe's: it passes no crash point.
  Status Pass(CrashPoint point) const {
    return target_.attempt.empty() ? Status::OK() : Reach(point);
  }

  /// Hands the buffer over; a failure shows at the next call.
  Status SendPart() {
    size_t number = 0;
    {
      const std::lock_guard lock(upload_->mutex);
      ARROW_RETURN_NOT_OK(upload_->failure);
      if (upload_->parts.size() == kPartsMax) {
        return Error(ErrorKind::kDestination, "s3.too-many-parts",
                     fmt::format("an object has at most {} parts: {}", kPartsMax,
                                 world_->client.Place(upload_->key)),
                     "give larger parts, part_size=64MiB, or a smaller --file-size");
      }
      upload_->parts.emplace_back();
      number = upload_->parts.size();
      ++upload_->on_their_way;
    }
    auto buffer = std::make_shared<PartBuffer>(std::move(buffer_));
    buffer_ = PartBuffer();
    world_->parts.Submit([world = world_.get(), upload = upload_, buffer, number] {
      // Of an upload that has failed nothing more is sent.
      const Status failed = upload->Failure();
      const std::string_view bytes(buffer->data.get(), buffer->size);
      const Result<S3Part> part =
          failed.ok() ? PutPart(world->client, *upload, number, bytes) : failed;
      world->parts.GiveBack(std::move(*buffer));
      const std::lock_guard lock(upload->mutex);
      if (part.ok()) {
        upload->parts[number - 1] = *part;
      } else if (upload->failure.ok()) {
        upload->failure = part.status();
      }
      --upload->on_their_way;
      upload->landed.notify_all();
    });
    return Status::OK();
  }

  Result<StagedObject> StageOnce() {
    const bool rest = buffer_.data != nullptr && buffer_.size > 0;
    // An upload of no part cannot be completed: of nothing, one empty part.
    if (rest || size_ == 0) {
      if (buffer_.data == nullptr) buffer_ = world_->parts.Take();
      ARROW_RETURN_NOT_OK(SendPart());
    }
    upload_->WaitForAll();
    ARROW_RETURN_NOT_OK(upload_->Failure());
    token_.parts = upload_->parts;
    staged_ = true;
    ARROW_RETURN_NOT_OK(Pass(CrashPoint::kUploadStaged));
    StagedObject staged;
    staged.path = target_.path;
    staged.attempt = target_.attempt;
    staged.token = ToText(token_);
    staged.size = size_;
    staged.crc32c = crc32c_;
    return staged;
  }

  const std::shared_ptr<S3World> world_;
  const StageTarget target_;
  S3Token token_;
  const std::shared_ptr<Upload> upload_;
  PartBuffer buffer_;
  int64_t size_ = 0;
  uint32_t crc32c_ = 0;
  bool staged_ = false;
  Status failure_;
};

}  // namespace

std::string S3World::Key(std::string_view path) const {
  const std::string& prefix = client.options().prefix;
  return prefix.empty() ? std::string(path) : fmt::format("{}/{}", prefix, path);
}

std::vector<http::Header> HeadersOfNew(const S3Options& options, const S3Writer& writer) {
  std::vector<http::Header> headers = {{"x-amz-meta-sluice-nonce", writer.nonce}};
  if (!writer.attempt.empty())
    headers.push_back({"x-amz-meta-sluice-attempt", writer.attempt});
  if (!options.sse.empty())
    headers.push_back({"x-amz-server-side-encryption", options.sse});
  if (!options.kms_key.empty()) {
    headers.push_back({"x-amz-server-side-encryption-aws-kms-key-id", options.kms_key});
  }
  if (!options.storage_class.empty())
    headers.push_back({"x-amz-storage-class", options.storage_class});
  std::string tags;
  for (const auto& [name, value] : options.tags) {
    tags += fmt::format("{}{}={}", tags.empty() ? "" : "&",
                        aws::UriEncode(name, aws::Slash::kEncode),
                        aws::UriEncode(value, aws::Slash::kEncode));
  }
  if (!tags.empty()) headers.push_back({"x-amz-tagging", tags});
  return headers;
}

Result<std::string> XmlValue(S3Client& client, const http::Response& response,
                             const char* root, const char* name) {
  pugi::xml_document document;
  const auto parsed = document.load_buffer(response.body.data(), response.body.size());
  const pugi::xml_node node = document.document_element();
  const bool meant = std::string_view(node.name()).starts_with(root);
  if (parsed.status == pugi::status_ok && meant) return node.child_value(name);
  return Error(ErrorKind::kDestination, "s3.not-s3",
               fmt::format("wanted a document {} from {}, found another answer (HTTP {})",
                           root, client.Place(""), response.status),
               "look at the endpoint: it names the S3 API, not a console or web page");
}

Result<std::unique_ptr<PendingObject>> BeginS3Object(std::shared_ptr<S3World> world,
                                                     const StageTarget& target) {
  S3Token token;
  token.nonce = NewNonce();
  S3Client& client = world->client;
  S3Request request;
  request.action = "s3:PutObject";
  request.method = "POST";
  request.key = world->Key(target.path);
  request.query = {{"uploads", ""}};
  request.headers = HeadersOfNew(client.options(), {target.attempt, token.nonce});
  request.headers.push_back({"x-amz-checksum-algorithm", "CRC32C"});
  request.headers.push_back({"x-amz-checksum-type", "FULL_OBJECT"});
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client.Send(request));
  if (!answer.ok()) return client.Refusal(request, answer);
  ARROW_ASSIGN_OR_RAISE(token.upload, XmlValue(client, answer.response,
                                               "InitiateMultipartUpload", "UploadId"));
  if (token.upload.empty()) {
    return Error(ErrorKind::kDestination, "s3.not-s3",
                 fmt::format("no id for the upload of {}", client.Place(request.key)));
  }
  return std::make_unique<S3Object>(std::move(world), target, std::move(token));
}

Status AbortUpload(S3Client& client, const std::string& key, const std::string& upload) {
  S3Request request;
  request.action = "s3:AbortMultipartUpload";
  request.method = "DELETE";
  request.key = key;
  request.query = {{"uploadId", upload}};
  const auto answer = client.Send(request);
  // Aborting twice is no harm: what is not known may be tried again.
  if (KindOf(answer.status()) == ErrorKind::kCommitUnknown) {
    return Error(ErrorKind::kTransient, "s3.unavailable",
                 std::string(answer.status().message()));
  }
  ARROW_RETURN_NOT_OK(answer.status());
  if (answer->ok() || answer->fault.code == "NoSuchUpload") return Status::OK();
  if (answer->fault.status == 404 && answer->fault.code != "NoSuchBucket")
    return Status::OK();
  return client.Refusal(request, *answer);
}

}  // namespace sluice
