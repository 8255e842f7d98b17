#include "store/local_object.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <vector>

#include "arrow/buffer.h"
#include "arrow/io/interfaces.h"
#include "base/crash_point.h"
#include "base/crc32c.h"
#include "store/object_path.h"
#include "store/ranged_file.h"

namespace sluice {
namespace {

constexpr size_t kPieceBytes = 1 << 20;

int64_t ModifiedNanos(const struct stat& seen) {
  return seen.st_mtim.tv_sec * 1'000'000'000 + seen.st_mtim.tv_nsec;
}

/// Takes "123:" off the front.
template <typename Number>
bool TakeNumber(std::string_view* text, Number* number) {
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, *number);
  if (error != std::errc() || stop == end || *stop != ':') return false;
  text->remove_prefix(static_cast<size_t>(stop + 1 - text->data()));
  return true;
}

class LocalObject final : public PendingObject {
 public:
  LocalObject(std::shared_ptr<const LocalTree> tree, StageTarget target, NewFile file)
      : tree_(std::move(tree)), target_(std::move(target)), file_(std::move(file)) {
    buffer_.reserve(kPieceBytes);
  }

  ~LocalObject() override {
    if (staged_) return;
    // Where the store does not answer the file stays, invisible, for ListStaged to find.
    const Status removed = tree_->Remove(target_.staging_path);
    if (!removed.ok()) failure_ = removed;
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
    crc32c_ = ExtendCrc32c(crc32c_, bytes);
    size_ += static_cast<int64_t>(bytes.size());
    if (buffer_.size() + bytes.size() < kPieceBytes) {
      buffer_.append(bytes);
    } else {
      ARROW_RETURN_NOT_OK(Flush());
      ARROW_RETURN_NOT_OK(tree_->WriteAll(file_.file.get(), bytes, target_.staging_path));
    }
    if (!first) return Status::OK();
    ARROW_RETURN_NOT_OK(Flush());
    return Reach(CrashPoint::kUploadHalf);
  }

  Status Flush() {
    ARROW_RETURN_NOT_OK(tree_->WriteAll(file_.file.get(), buffer_, target_.staging_path));
    buffer_.clear();
    return Status::OK();
  }

  Result<StagedObject> StageOnce() {
    const Attempted sync{"make the file durable", target_.staging_path, size_};
    ARROW_RETURN_NOT_OK(Flush());
    ARROW_RETURN_NOT_OK(tree_->SyncFile(file_.file.get(), sync));
    struct stat seen {};
    if (fstat(file_.file.get(), &seen) != 0) return tree_->Fail(errno, sync);
    if (seen.st_size != size_) {
      return Error(
          ErrorKind::kDestination, "store.staged-changed",
          fmt::format("somebody else wrote to the file being staged: {} bytes wanted, {} "
                      "found: {}",
                      size_, seen.st_size, tree_->Absolute(target_.staging_path)));
    }
    const int closed = file_.file.Close();
    if (closed != 0) return tree_->Fail(closed, sync);
    const std::string folder = SplitPath(target_.staging_path).folder;
    ARROW_RETURN_NOT_OK(tree_->SyncFolder(file_.folder.get(), folder));
    ARROW_RETURN_NOT_OK(tree_->CheckRoot());
    staged_ = true;
    ARROW_RETURN_NOT_OK(Reach(CrashPoint::kUploadStaged));
    StagedObject staged;
    staged.path = target_.path;
    staged.attempt = target_.attempt;
    staged.token = ToToken(target_.staging_path, seen);
    staged.size = size_;
    staged.crc32c = crc32c_;
    return staged;
  }

  const std::shared_ptr<const LocalTree> tree_;
  const StageTarget target_;
  NewFile file_;
  std::string buffer_;
  int64_t size_ = 0;
  uint32_t crc32c_ = 0;
  bool staged_ = false;
  Status failure_;
};

class LocalReader final : public RangedFile {
 public:
  LocalReader(std::shared_ptr<const LocalTree> tree, UniqueFd file, std::string path,
              int64_t size)
      : RangedFile(size),
        tree_(std::move(tree)),
        file_(std::move(file)),
        path_(std::move(path)) {}

  Status Close() override {
    if (file_.valid()) file_ = UniqueFd();
    return Status::OK();
  }
  bool closed() const override { return !file_.valid(); }

 protected:
  Status ReadRange(int64_t position, int64_t wanted, char* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t done,
                          ReadFully(*tree_, file_, path_, position, wanted, out));
    if (done == wanted) return Status::OK();
    return Error(
        ErrorKind::kDestination, "store.object-changed",
        fmt::format("the file became shorter while it was read: {} bytes wanted, {} "
                    "found: {}",
                    size(), position + done, tree_->Absolute(path_)));
  }

 private:
  const std::shared_ptr<const LocalTree> tree_;
  UniqueFd file_;
  const std::string path_;
};

}  // namespace

bool LocalToken::Names(const struct stat& seen) const {
  return seen.st_dev == device && seen.st_ino == inode &&
         ModifiedNanos(seen) == modified_nanos;
}

std::string ToToken(std::string staging_path, const struct stat& seen) {
  return fmt::format("{}:{}:{}:{}", seen.st_dev, seen.st_ino, ModifiedNanos(seen),
                     staging_path);
}

Result<LocalToken> ParseToken(const std::string& text) {
  LocalToken token;
  std::string_view left = text;
  if (TakeNumber(&left, &token.device) && TakeNumber(&left, &token.inode) &&
      TakeNumber(&left, &token.modified_nanos) && CheckPath(left).ok() &&
      IsStagingPath(left)) {
    token.staging_path = left;
    return token;
  }
  return Error(ErrorKind::kDestination, "store.bad-token",
               fmt::format("wanted a token of a staged file, found: {}", text));
}

Result<std::unique_ptr<PendingObject>> BeginLocalObject(
    std::shared_ptr<const LocalTree> tree, const StageTarget& target) {
  ARROW_RETURN_NOT_OK(CheckTarget(target));
  ARROW_RETURN_NOT_OK(tree->CheckRoot());
  ARROW_ASSIGN_OR_RAISE(NewFile file, tree->CreateFile(target.staging_path));
  return std::make_unique<LocalObject>(std::move(tree), target, std::move(file));
}

std::shared_ptr<arrow::io::RandomAccessFile> NewLocalReader(
    std::shared_ptr<const LocalTree> tree, UniqueFd file, std::string path,
    int64_t size) {
  return std::make_shared<LocalReader>(std::move(tree), std::move(file), std::move(path),
                                       size);
}

Result<int64_t> ReadFully(const LocalTree& tree, const UniqueFd& file,
                          const std::string& path, int64_t offset, int64_t size,
                          char* out) {
  int64_t done = 0;
  while (done < size) {
    const ssize_t got =
        pread(file.get(), out + done, static_cast<size_t>(size - done), offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tree.Fail(errno, {"read", path, size});
    if (got == 0) break;
    done += got;
  }
  return done;
}

Result<uint32_t> Crc32cOfFile(const LocalTree& tree, const UniqueFd& file,
                              const std::string& path) {
  std::vector<char> piece(kPieceBytes);
  uint32_t crc = 0;
  for (int64_t offset = 0;;) {
    ARROW_ASSIGN_OR_RAISE(const int64_t got,
                          ReadFully(tree, file, path, offset, kPieceBytes, piece.data()));
    if (got == 0) return crc;
    crc = ExtendCrc32c(crc, {piece.data(), static_cast<size_t>(got)});
    offset += got;
  }
}

}  // namespace sluice
