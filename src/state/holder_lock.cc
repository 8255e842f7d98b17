#include "state/holder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/path_name.h"

namespace sluice::state {
namespace {

constexpr std::string_view kSuffix = ".lock";

bool TryLock(int fd, int operation) {
  int result;
  do result = flock(fd, operation | LOCK_NB);
  while (result != 0 && errno == EINTR);
  return result == 0;
}

/// The disk has no room; for every other reason the lease lives by time alone.
std::optional<Status> Refusal(const std::string& path) {
  if (errno != ENOSPC && errno != EDQUOT) return std::nullopt;
  return Error(ErrorKind::kResource, "state.disk-full",
               fmt::format("no room on the disk for the lock file {}", path),
               "free some space, or put the state elsewhere with --state");
}

std::optional<int64_t> EpochIn(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix) || !name.ends_with(kSuffix)) return std::nullopt;
  if (name.size() <= prefix.size() + kSuffix.size()) return std::nullopt;
  name.remove_prefix(prefix.size());
  name.remove_suffix(kSuffix.size());
  int64_t epoch = 0;
  const char* end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data(), end, epoch);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return epoch;
}

}  // namespace

HolderLock& HolderLock::operator=(HolderLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

HolderLock::~HolderLock() {
  if (fd_ >= 0) close(fd_);
}

void HolderLock::Remove() {
  if (fd_ < 0) return;
  // Before it is unlocked: an abandoned file is one whose holder died.
  unlink(path_.c_str());
  close(std::exchange(fd_, -1));
}

std::string LockFolder::FileOf(const std::string& job, int64_t epoch) const {
  return fmt::format("{}/{}.{}{}", path_, EncodePathSegment(job), epoch, kSuffix);
}

Result<std::optional<HolderLock>> LockFolder::Take(const std::string& job, int64_t epoch,
                                                   const std::string& nonce) const {
  if (path_.empty()) return std::nullopt;
  const std::string path = FileOf(job, epoch);
  if (mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST) {
    if (auto refusal = Refusal(path)) return *refusal;
    return std::nullopt;
  }
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    if (auto refusal = Refusal(path)) return *refusal;
    return std::nullopt;
  }
  HolderLock lock(fd, path);
  if (!TryLock(fd, LOCK_EX)) {
    if (errno == EWOULDBLOCK) {
      return Error(
          ErrorKind::kHeld, "state.held",
          fmt::format("another process holds the lock file {} of job {}", path, job),
          "wait for it to end; was the state file put back from a copy while it ran?");
    }
    lock.Remove();
    return std::nullopt;
  }
  // Whoever died between this and the lease left a file of this name with another nonce.
  const auto size = static_cast<ssize_t>(nonce.size());
  if (ftruncate(fd, 0) == 0 && pwrite(fd, nonce.data(), nonce.size(), 0) == size) {
    return std::make_optional(std::move(lock));
  }
  auto refusal = Refusal(path);
  lock.Remove();
  if (refusal) return *refusal;
  return std::nullopt;
}

bool LockFolder::IsUnlocked(const std::string& path, std::string* content) const {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  // Shared: two who ask at once must not take each other for the holder.
  const bool unlocked = TryLock(fd, LOCK_SH);
  char bytes[64];
  const ssize_t size = pread(fd, bytes, sizeof bytes, 0);
  content->assign(bytes, size > 0 ? size : 0);
  close(fd);
  return unlocked;
}

bool LockFolder::IsAbandoned(const std::string& job, int64_t epoch,
                             const std::string& nonce) const {
  std::string content;
  return !path_.empty() && IsUnlocked(FileOf(job, epoch), &content) && content == nonce;
}

void LockFolder::Sweep(const std::string& job, int64_t before_epoch) const {
  if (path_.empty()) return;
  const std::string prefix = EncodePathSegment(job) + ".";
  std::string content;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(path_, error), end;
       !error && entry != end; entry.increment(error)) {
    const std::optional<int64_t> epoch =
        EpochIn(entry->path().filename().native(), prefix);
    if (!epoch || *epoch >= before_epoch || !IsUnlocked(entry->path(), &content))
      continue;
    // Left behind, it would cost a name and nothing else.
    unlink(entry->path().c_str());
  }
}

}  // namespace sluice::state
