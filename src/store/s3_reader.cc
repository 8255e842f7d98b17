#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

#include "arrow/buffer.h"
#include "arrow/io/interfaces.h"
#include "store/ranged_file.h"
#include "store/s3_object.h"

namespace sluice {
namespace {

// Decoders ask for pages of a few kilobytes, column by column: a block serves many of them, and so
// many blocks are kept that the columns of one row group do not drive each other out.
constexpr int64_t kBlockSize = 256 << 10;
constexpr size_t kBlocksMax = 64;

class S3Reader final : public RangedFile {
 public:
  S3Reader(std::shared_ptr<S3World> world, ObjectRef object)
      : RangedFile(object.size), world_(std::move(world)), object_(std::move(object)) {}

  Status Close() override {
    const std::lock_guard lock(mutex_);
    blocks_.clear();
    closed_ = true;
    return Status::OK();
  }
  bool closed() const override { return closed_; }

 protected:
  Status ReadRange(int64_t position, int64_t size, char* out) override {
    if (size >= kBlockSize) return Fetch(position, size, out);
    const std::lock_guard lock(mutex_);
    for (int64_t done = 0; done < size;) {
      ARROW_ASSIGN_OR_RAISE(const Block* block, BlockAt(position + done));
      const int64_t offset = position + done - block->start;
      const int64_t count =
          std::min(size - done, static_cast<int64_t>(block->bytes.size()) - offset);
      std::memcpy(out + done, block->bytes.data() + offset, static_cast<size_t>(count));
      done += count;
    }
    return Status::OK();
  }

 private:
  struct Block {
    int64_t start = 0;
    std::string bytes;
  };

  /// Under the mutex. The newest is in front.
  Result<const Block*> BlockAt(int64_t position) {
    const int64_t start = position / kBlockSize * kBlockSize;
    for (auto it = blocks_.begin(); it != blocks_.end(); ++it) {
      if (it->start != start) continue;
      blocks_.splice(blocks_.begin(), blocks_, it);
      return &blocks_.front();
    }
    Block block{
        start,
        std::string(static_cast<size_t>(std::min(kBlockSize, object_.size - start)),
                    '\0')};
    ARROW_RETURN_NOT_OK(
        Fetch(start, static_cast<int64_t>(block.bytes.size()), block.bytes.data()));
    if (blocks_.size() == kBlocksMax) blocks_.pop_back();
    blocks_.push_front(std::move(block));
    return &blocks_.front();
  }

  Status Fetch(int64_t position, int64_t size, char* out) const {
    S3Client& client = world_->client;
    S3Request request;
    request.action = "s3:GetObject";
    request.key = world_->Key(object_.path);
    request.headers = {
        {"range", fmt::format("bytes={}-{}", position, position + size - 1)}};
    if (!object_.version_id.empty())
      request.headers.push_back({"if-match", fmt::format("\"{}\"", object_.version_id)});
    request.into = out;
    request.response_max = size;
    ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client.Send(request));
    const int status = answer.response.status;
    if (status == 412 || status == 416) {
      return Error(ErrorKind::kDestination, "store.object-changed",
                   "the object is another one than before: " + client.Place(request.key));
    }
    if (status == 404 && answer.fault.code != "NoSuchBucket") {
      return Error(ErrorKind::kDestination, "store.object-gone",
                   "the object is gone: " + client.Place(request.key));
    }
    if (!answer.ok()) return client.Refusal(request, answer);
    if (answer.response.size == size) return Status::OK();
    return Error(ErrorKind::kTransient, "s3.short-answer",
                 fmt::format("{} bytes wanted of {}, {} came", size,
                             client.Place(request.key), answer.response.size));
  }

  const std::shared_ptr<S3World> world_;
  const ObjectRef object_;
  std::mutex mutex_;
  std::list<Block> blocks_;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<arrow::io::RandomAccessFile> NewS3Reader(std::shared_ptr<S3World> world,
                                                         const ObjectRef& object) {
  return std::make_shared<S3Reader>(std::move(world), object);
}

}  // namespace sluice
