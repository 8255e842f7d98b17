#include "store/s3.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "arrow/buffer.h"
#include "arrow/io/interfaces.h"
#include "arrow/util/cancel.h"
#include "base/crc32c.h"
#include "base/uuid.h"
#include "store/object_path.h"
#include "store/s3_inspect.h"
#include "store/s3_listing.h"
#include "store/s3_object.h"
#include "store/s3_probe.h"
#include "store/s3_token.h"

namespace sluice {
namespace {

constexpr int kConflictsMax = 8;
constexpr int64_t kReadSize = 4 << 20;

/// What a HEAD says.
struct Seen {
  ObjectInfo info;
  std::string nonce;
  std::string crc32c;  ///< as the store gives it; "" where it does not
};

class S3Store final : public Store {
 public:
  explicit S3Store(std::shared_ptr<S3World> world)
      : world_(std::move(world)), client_(world_->client) {}

  std::string Describe() const override { return CanonicalS3Uri(client_.options()); }
  Result<ProbeVerdict> Probe() override { return ProbeS3(*world_, *this); }
  std::vector<Finding> Inspect() override { return InspectS3(*world_, *this); }
  int width() const override { return client_.options().uploads; }
  Result<std::unique_ptr<PendingObject>> Begin(const StageTarget& target) override;
  Result<ObjectRef> Publish(const StagedObject& staged) override;
  Status Abort(const StagedObject& staged) override;
  Result<PutOutcome> Put(const std::string& path, std::string_view bytes,
                         PutMode mode) override;
  Result<std::optional<std::string>> Get(const std::string& path,
                                         int64_t size_max) override;
  Result<std::optional<ObjectInfo>> Head(const std::string& path) override;
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> Read(
      const ObjectRef& object) override;
  Result<std::vector<ObjectInfo>> List(const std::string& folder) override;
  Result<std::vector<StagedObject>> ListStaged(const std::string& folder) override;
  Status Delete(const std::string& path) override;

 private:
  Result<std::optional<Seen>> Look(const std::string& path);
  Result<std::optional<ObjectRef>> Adopt(const StagedObject& staged,
                                         const S3Token& token);
  bool IsGone(const StagedObject& staged, const S3Token& token);
  Result<uint32_t> StoredCrc(const ObjectInfo& info);
  Result<PutOutcome> WhoCreated(const std::string& path, const std::string& nonce);
  Status Wait(int conflicts) const;
  Status Gone(const StagedObject& staged) const;
  Status Taken(const std::string& path) const;

  const std::shared_ptr<S3World> world_;
  S3Client& client_;
};

Result<std::unique_ptr<PendingObject>> S3Store::Begin(const StageTarget& target) {
  ARROW_RETURN_NOT_OK(CheckTarget(target));
  return BeginS3Object(world_, target);
}

Status S3Store::Gone(const StagedObject& staged) const {
  return Error(
      ErrorKind::kDestination, "store.staged-gone",
      "the upload that was staged is gone, and nothing was published: " +
          client_.Place(world_->Key(staged.path)),
      "a lifecycle rule that aborts incomplete uploads must wait at least 7 days; see "
      "docs/s3.md");
}

Status S3Store::Taken(const std::string& path) const {
  return Error(ErrorKind::kDestination, "store.name-taken",
               "another object has the name: " + client_.Place(world_->Key(path)));
}

Status S3Store::Wait(int conflicts) const {
  return client_.clock().Sleep(std::chrono::milliseconds(20 << conflicts),
                               arrow::StopToken::Unstoppable());
}

Result<std::optional<Seen>> S3Store::Look(const std::string& path) {
  S3Request request;
  request.action = "s3:GetObject";
  request.method = "HEAD";
  request.key = world_->Key(path);
  request.headers = {{"x-amz-checksum-mode", "ENABLED"}};
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client_.Send(request));
  const http::Response& response = answer.response;
  if (response.status == 404) return std::nullopt;
  if (!answer.ok()) return client_.Refusal(request, answer);
  Seen seen;
  seen.info.path = path;
  seen.info.version_id = BareEtag(response.Find("etag"));
  seen.info.size =
      std::strtoll(std::string(response.Find("content-length")).c_str(), nullptr, 10);
  seen.info.modified_micros = aws::MicrosOfHttpDate(response.Find("last-modified"));
  seen.nonce = response.Find("x-amz-meta-sluice-nonce");
  seen.crc32c = response.Find("x-amz-checksum-crc32c");
  seen.info.crc32c = CrcFromBase64(seen.crc32c);
  return seen;
}

Result<uint32_t> S3Store::StoredCrc(const ObjectInfo& info) {
  const auto file = NewS3Reader(world_, {info.path, info.version_id, info.size, 0});
  uint32_t crc = 0;
  for (int64_t at = 0; at < info.size; at += kReadSize) {
    ARROW_ASSIGN_OR_RAISE(const auto piece, file->ReadAt(at, kReadSize));
    crc = ExtendCrc32c(crc, std::string_view(*piece));
  }
  return crc;
}

/// Ours already there; nothing where there is no object; "store.name-taken".
Result<std::optional<ObjectRef>> S3Store::Adopt(const StagedObject& staged,
                                                const S3Token& token) {
  ARROW_ASSIGN_OR_RAISE(const auto seen, Look(staged.path));
  if (!seen) return std::nullopt;
  if (seen->info.size != staged.size) return Taken(staged.path);
  const ObjectRef ours{staged.path, seen->info.version_id, staged.size, staged.crc32c};
  const bool composite = seen->crc32c.find('-') != std::string::npos;
  if (!seen->crc32c.empty() && !composite) {
    if (seen->crc32c == Base64Crc(staged.crc32c)) return ours;
    return Taken(staged.path);
  }
  if (composite && seen->crc32c == CompositeCrc(token.parts)) return ours;
  if (!token.nonce.empty() && seen->nonce == token.nonce) return ours;
  // A store that tells no checksum of the whole: its bytes do.
  ARROW_ASSIGN_OR_RAISE(const uint32_t crc32c, StoredCrc(seen->info));
  if (crc32c == staged.crc32c) return ours;
  return Taken(staged.path);
}

Result<ObjectRef> S3Store::Publish(const StagedObject& staged) {
  ARROW_RETURN_NOT_OK(CheckPublishedPath(staged.path));
  ARROW_ASSIGN_OR_RAISE(const S3Token token, ParseS3Token(staged.token));
  const std::string document = CompleteDocument(token.parts);
  S3Request request;
  request.action = "s3:PutObject";
  request.method = "POST";
  request.key = world_->Key(staged.path);
  request.query = {{"uploadId", token.upload}};
  request.headers = {{"content-type", "application/xml"},
                     {"if-none-match", "*"},
                     {"x-amz-checksum-crc32c", Base64Crc(staged.crc32c)},
                     {"x-amz-checksum-type", "FULL_OBJECT"}};
  request.body = document;
  request.body_may_fail = BodyMayFail::kYes;
  for (int conflicts = 0;; ++conflicts) {
    const auto answer = client_.Send(request);
    Status unknown = answer.status();
    if (answer.ok() && answer->ok()) {
      const auto etag =
          XmlValue(client_, answer->response, "CompleteMultipartUpload", "ETag");
      if (etag.ok() && !etag->empty())
        return ObjectRef{staged.path, BareEtag(*etag), staged.size, staged.crc32c};
      unknown = Error(ErrorKind::kCommitUnknown, "s3.reply-lost",
                      "an upload was completed with an answer that says nothing: " +
                          client_.Place(request.key));
    }
    const bool lost = KindOf(unknown) == ErrorKind::kCommitUnknown;
    if (!unknown.ok() && !lost) return unknown;
    const bool no_upload = !lost && answer->fault.code == "NoSuchUpload";
    const int status = lost ? 0 : answer->fault.status;
    if (!lost && !no_upload && status != 412 && status != 409)
      return client_.Refusal(request, *answer);
    // Whatever became of it, the name tells.
    const auto found = Adopt(staged, token);
    if (lost && KindOf(found.status()) == ErrorKind::kTransient) return unknown;
    ARROW_RETURN_NOT_OK(found.status());
    if (*found) return **found;
    if (no_upload || (lost && IsGone(staged, token))) return Gone(staged);
    if (lost) return unknown;
    // 409: another writer of the name was at work; 412 and nothing there: it was deleted since.
    if (conflicts == kConflictsMax) return client_.Refusal(request, *answer);
    ARROW_RETURN_NOT_OK(Wait(conflicts));
  }
}

/// Whether the store knows for sure that there is no such upload, and nothing under its name.
bool S3Store::IsGone(const StagedObject& staged, const S3Token& token) {
  S3Request request;
  request.action = "s3:ListMultipartUploadParts";
  request.key = world_->Key(staged.path);
  request.query = {{"max-parts", "1"}, {"uploadId", token.upload}};
  const auto answer = client_.Send(request);
  if (!answer.ok() || answer->fault.code != "NoSuchUpload") return false;
  // It may have been completed between the two questions.
  const auto seen = Look(staged.path);
  return seen.ok() && !*seen;
}

Status S3Store::Abort(const StagedObject& staged) {
  ARROW_ASSIGN_OR_RAISE(const S3Token token, ParseS3Token(staged.token));
  return AbortUpload(client_, world_->Key(staged.path), token.upload);
}

/// After a create-only Put that was refused: whether it was its own first try that won.
Result<PutOutcome> S3Store::WhoCreated(const std::string& path,
                                       const std::string& nonce) {
  ARROW_ASSIGN_OR_RAISE(const auto seen, Look(path));
  const bool ours = seen && seen->nonce == nonce;
  return ours ? PutOutcome::kCreated : PutOutcome::kExists;
}

Result<PutOutcome> S3Store::Put(const std::string& path, std::string_view bytes,
                                PutMode mode) {
  ARROW_RETURN_NOT_OK(CheckPublishedPath(path));
  const std::string nonce = NewNonce();
  S3Request request;
  request.action = "s3:PutObject";
  request.method = "PUT";
  request.key = world_->Key(path);
  request.headers = HeadersOfNew(client_.options(), {"", nonce});
  request.headers.push_back({"x-amz-checksum-crc32c", Base64Crc(ExtendCrc32c(0, bytes))});
  if (mode == PutMode::kCreateOnly) request.headers.push_back({"if-none-match", "*"});
  request.body = bytes;
  for (int conflicts = 0;; ++conflicts) {
    const auto answer = client_.Send(request);
    if (KindOf(answer.status()) == ErrorKind::kCommitUnknown) {
      const auto seen = Look(path);
      if (seen.ok() && *seen && (*seen)->nonce == nonce) return PutOutcome::kCreated;
      return answer.status();
    }
    ARROW_RETURN_NOT_OK(answer.status());
    if (answer->ok()) return PutOutcome::kCreated;
    // Always looked at: also libcurl sends again where a kept connection turns out dead.
    if (answer->fault.status == 412) return WhoCreated(path, nonce);
    if (answer->fault.status != 409 || conflicts == kConflictsMax)
      return client_.Refusal(request, *answer);
    ARROW_RETURN_NOT_OK(Wait(conflicts));
  }
}

Result<std::optional<std::string>> S3Store::Get(const std::string& path,
                                                int64_t size_max) {
  ARROW_RETURN_NOT_OK(CheckPublishedPath(path));
  S3Request request;
  request.action = "s3:GetObject";
  request.key = world_->Key(path);
  request.headers = {{"x-amz-checksum-mode", "ENABLED"}};
  request.response_max = size_max;
  const auto sent = client_.Send(request);
  if (IdOf(sent.status()) == "http.too-large") {
    return Error(ErrorKind::kDestination, "store.object-too-large",
                 fmt::format("wanted at most {} bytes, found more: {}", size_max,
                             client_.Place(request.key)));
  }
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, sent);
  const bool absent = answer.response.status == 404 && !answer.fault.foreign &&
                      answer.fault.code != "NoSuchBucket";
  if (absent) return std::nullopt;
  if (!answer.ok()) return client_.Refusal(request, answer);
  const std::string& bytes = answer.response.body;
  const std::string_view sum = answer.response.Find("x-amz-checksum-crc32c");
  const bool whole = sum.empty() || sum.find('-') != std::string_view::npos ||
                     sum == Base64Crc(ExtendCrc32c(0, bytes));
  if (whole) return bytes;
  return Error(ErrorKind::kTransient, "s3.damaged",
               "the bytes that came are not those of the object's checksum: " +
                   client_.Place(request.key));
}

Result<std::optional<ObjectInfo>> S3Store::Head(const std::string& path) {
  ARROW_RETURN_NOT_OK(CheckPublishedPath(path));
  ARROW_ASSIGN_OR_RAISE(const auto seen, Look(path));
  if (!seen) return std::nullopt;
  ObjectInfo info = seen->info;
  if (!world_->checks_sums) info.crc32c.reset();
  return info;
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> S3Store::Read(
    const ObjectRef& object) {
  ARROW_RETURN_NOT_OK(CheckPublishedPath(object.path));
  ARROW_ASSIGN_OR_RAISE(const auto seen, Look(object.path));
  const std::string place = client_.Place(world_->Key(object.path));
  if (!seen) {
    return Error(ErrorKind::kDestination, "store.object-gone",
                 "the object is gone: " + place);
  }
  ObjectRef wanted = object;
  bool ours = seen->info.size == wanted.size;
  // A lake that was copied to another bucket, or restored, has other ETags and the same bytes.
  if (ours && !wanted.version_id.empty() && seen->info.version_id != wanted.version_id) {
    ARROW_ASSIGN_OR_RAISE(const uint32_t crc, StoredCrc(seen->info));
    ours = crc == wanted.crc32c;
  }
  if (ours) wanted.version_id = seen->info.version_id;
  if (!ours) {
    return Error(
        ErrorKind::kDestination, "store.object-changed",
        fmt::format("wanted {} bytes of version {}, found {} of {}: {}", wanted.size,
                    wanted.version_id, seen->info.size, seen->info.version_id, place));
  }
  return NewS3Reader(world_, wanted);
}

Result<std::vector<ObjectInfo>> S3Store::List(const std::string& folder) {
  if (!folder.empty()) ARROW_RETURN_NOT_OK(CheckPath(folder));
  return ListObjects(*world_, folder);
}

Result<std::vector<StagedObject>> S3Store::ListStaged(const std::string& folder) {
  if (!folder.empty()) ARROW_RETURN_NOT_OK(CheckPath(folder));
  return ListUploads(*world_, folder);
}

Status S3Store::Delete(const std::string& path) {
  ARROW_RETURN_NOT_OK(CheckPublishedPath(path));
  S3Request request;
  request.action = "s3:DeleteObject";
  request.method = "DELETE";
  request.key = world_->Key(path);
  const auto answer = client_.Send(request);
  // Deleting twice is no harm: what is not known may be tried again.
  if (KindOf(answer.status()) == ErrorKind::kCommitUnknown)
    return Error(ErrorKind::kTransient, "s3.unavailable", answer.status().message());
  ARROW_RETURN_NOT_OK(answer.status());
  const bool absent = answer->response.status == 404 && !answer->fault.foreign &&
                      answer->fault.code != "NoSuchBucket";
  if (answer->ok() || absent) return Status::OK();
  return client_.Refusal(request, *answer);
}

}  // namespace

Result<std::unique_ptr<Store>> OpenS3Store(const S3Options& options, Clock& clock) {
  return std::make_unique<S3Store>(std::make_shared<S3World>(options, clock));
}

}  // namespace sluice
