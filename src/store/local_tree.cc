#include "store/local_tree.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "store/object_path.h"

namespace sluice {
namespace {

constexpr mode_t kFolderMode = 0777, kFileMode = 0666;  // the umask takes its share

std::vector<std::string> Segments(std::string_view folder) {
  std::vector<std::string> segments;
  while (!folder.empty()) {
    const size_t slash = folder.find('/');
    segments.emplace_back(folder.substr(0, slash));
    folder =
        slash == std::string_view::npos ? std::string_view() : folder.substr(slash + 1);
  }
  return segments;
}

Status AtDestination(std::string_view id, std::string message, std::string hint = {}) {
  return Error(ErrorKind::kDestination, id, std::move(message), std::move(hint));
}

int Sync(int fd) {
  while (fsync(fd) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

/// Makes `path` and its parents; each new name is durable in its parent.
int MakeRoot(const std::string& path) {
  if (mkdir(path.c_str(), kFolderMode) == 0 || errno == EEXIST) {
    const std::string parent = std::filesystem::path(path).parent_path();
    UniqueFd fd(open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // A parent we may not read was there before us: its own names are not ours to sync.
    if (!fd.valid()) return errno == EACCES ? 0 : errno;
    const int error = Sync(fd.get());
    return error == EINVAL ? 0 : error;
  }
  if (errno != ENOENT) return errno;
  const int error = MakeRoot(std::filesystem::path(path).parent_path());
  if (error != 0) return error;
  return mkdir(path.c_str(), kFolderMode) == 0 || errno == EEXIST ? MakeRoot(path)
                                                                  : errno;
}

std::string_view NameOfType(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISREG(mode)) return "a file";
  if (S_ISLNK(mode)) return "a symbolic link";
  return "neither a file nor a directory";
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) close(fd_);
}

int UniqueFd::Close() {
  // Linux frees the descriptor also when it says EINTR.
  return close(std::exchange(fd_, -1)) == 0 || errno == EINTR ? 0 : errno;
}

Result<std::unique_ptr<LocalTree>> LocalTree::Open(const std::string& root_dir) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(root_dir, error);
  // "a/.." may be elsewhere when `a` is a symbolic link: only the system may resolve it.
  const bool climbs = absolute.string().find("/..") != std::string::npos;
  std::string root = climbs ? absolute.string() : absolute.lexically_normal().string();
  if (root_dir.empty() || error) {
    return AtDestination(
        "store.bad-path",
        fmt::format("wanted a directory to write to, found: {}", root_dir));
  }
  while (root.size() > 1 && root.back() == '/') root.pop_back();

  LocalTree unopened(root, UniqueFd(), 0, 0);
  struct stat seen {};
  if (stat(root.c_str(), &seen) != 0 && errno == ENOENT) {
    const int made = MakeRoot(root);
    if (made != 0) return unopened.Fail(made, {"create the directory", ""});
  }
  UniqueFd fd(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return unopened.Fail(errno, {"open the directory", ""});
  if (fstat(fd.get(), &seen) != 0)
    return unopened.Fail(errno, {"open the directory", ""});
  return std::unique_ptr<LocalTree>(
      new LocalTree(std::move(root), std::move(fd), seen.st_dev, seen.st_ino));
}

std::string LocalTree::Absolute(std::string_view path) const {
  if (path.empty()) return root_;
  return fmt::format("{}/{}", root_ == "/" ? "" : root_, path);
}

Status LocalTree::CheckRoot() const {
  struct stat named {
  }, held{};
  const bool there = stat(root_.c_str(), &named) == 0;
  const int error = there ? 0 : errno;
  const bool same = there && named.st_dev == device_ && named.st_ino == inode_;
  // A removed directory's inode number may be given to the next one of that name.
  if (same && fstat(fd_.get(), &held) == 0 && held.st_nlink > 0) return Status::OK();
  return AtDestination(
      "store.vanished",
      fmt::format(
          "the destination is no longer the directory it was when the run began ({}): {}",
          there ? "another directory has its name" : std::strerror(error), root_),
      "mount it again, or put the directory back, then run again; what is staged stays");
}

std::string LocalTree::WhatIsInTheWay(std::string_view path) const {
  std::string at;
  struct stat seen {};
  for (const std::string& segment : Segments(path)) {
    at += at.empty() ? segment : '/' + segment;
    if (fstatat(fd_.get(), at.c_str(), &seen, AT_SYMLINK_NOFOLLOW) != 0) break;
    if (!S_ISDIR(seen.st_mode) || at == path) {
      return fmt::format("{} there: {}", NameOfType(seen.st_mode), Absolute(at));
    }
  }
  if (path.empty() && stat(root_.c_str(), &seen) == 0) {
    return fmt::format("{} there: {}", NameOfType(seen.st_mode), root_);
  }
  return Absolute(path);
}

Status LocalTree::Fail(int error, const Attempted& attempted) const {
  if (fd_.valid()) ARROW_RETURN_NOT_OK(CheckRoot());
  const std::string where = Absolute(attempted.path);
  const std::string act = fmt::format("cannot {}", attempted.act);
  switch (error) {
    case ENOSPC:
    case EDQUOT: {
      struct statvfs disk {};
      const bool known = fd_.valid() && fstatvfs(fd_.get(), &disk) == 0;
      const std::string free =
          known ? fmt::format(", {} bytes free", disk.f_bavail * disk.f_frsize) : "";
      return AtDestination(
          "store.disk-full",
          fmt::format("{}: {}{}, {} bytes wanted: {}", act,
                      error == ENOSPC ? "the disk is full" : "the quota is used up", free,
                      attempted.bytes, where),
          "free some space, or take another destination, then run again");
    }
    case EFBIG:
      return AtDestination(
          "store.file-too-large",
          fmt::format("{}: the file would be larger than is allowed here, {} "
                      "bytes wanted: {}",
                      act, attempted.bytes, where),
          "set a smaller --file-size, or raise the limit (ulimit -f)");
    case EROFS:
      return AtDestination("store.read-only",
                           fmt::format("{}: the filesystem is read-only: {}", act, where),
                           "mount it for writing, or take another destination");
    case EACCES:
    case EPERM:
      return AtDestination(
          "store.permission",
          fmt::format("{}: permission denied to user {}: {}", act, geteuid(), where),
          "give this user read, write and search permission on that directory");
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
      return AtDestination(
          "store.not-a-directory",
          fmt::format("{}: wanted {}, {}", act,
                      error == EISDIR ? "a file" : "a directory",
                      WhatIsInTheWay(attempted.path)),
          "move it away, or take another destination; symbolic links below the "
          "destination are not followed");
    case ENAMETOOLONG:
      return AtDestination(
          "store.name-too-long",
          fmt::format("{}: the name is longer than the filesystem allows: {}", act,
                      where));
    case EMFILE:
    case ENFILE:
      return Error(ErrorKind::kResource, "store.open-files",
                   fmt::format("{}: too many files are open: {}", act, where),
                   "raise the limit (ulimit -n), or run with fewer --connections");
    case EIO:
    case ENOENT:
    case ESTALE:
    case ENODEV:
    case ENXIO:
      return AtDestination(
          "store.vanished", fmt::format("{}: {}: {}", act, std::strerror(error), where),
          "look at the disk or the mount (dmesg says more), then run again");
    default:
      return AtDestination("store.refused",
                           fmt::format("{}: {}: {}", act, std::strerror(error), where));
  }
}

/// Nothing where the filesystem does not keep it.
std::optional<FolderBirth> BirthOf(int fd) {
  struct statx seen {};
  constexpr unsigned kWanted = STATX_INO | STATX_BTIME;
  if (statx(fd, "", AT_EMPTY_PATH, kWanted, &seen) != 0) return std::nullopt;
  if ((seen.stx_mask & kWanted) != kWanted) return std::nullopt;
  return FolderBirth{seen.stx_ino, seen.stx_btime.tv_sec, seen.stx_btime.tv_nsec};
}

bool DurableFolders::Contains(const std::string& path, const FolderBirth& birth) const {
  const std::lock_guard lock(mutex_);
  const auto found = births_.find(path);
  return found != births_.end() && found->second == birth;
}

void DurableFolders::Add(const std::string& path, const FolderBirth& birth) {
  const std::lock_guard lock(mutex_);
  if (births_.size() >= kFoldersRememberedMax) births_.clear();
  births_[path] = birth;
}

/// No descriptor: a folder on the way is not there, or was removed while we looked.
Result<UniqueFd> LocalTree::Walk(std::string_view folder, Missing missing) const {
  // Opened anew: a duplicate would share its position with every other listing of the
  // root.
  UniqueFd at(openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!at.valid()) return Fail(errno, {"open the folder", folder});
  std::string path;
  for (const std::string& segment : Segments(folder)) {
    path += "/" + segment;
    if (missing == Missing::kCreate &&
        mkdirat(at.get(), segment.c_str(), kFolderMode) != 0 && errno != EEXIST) {
      if (errno == ENOENT) return UniqueFd();
      return Fail(errno, {"create the folder", folder});
    }
    UniqueFd next(openat(at.get(), segment.c_str(),
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next.valid()) {
      if (errno == ENOENT) return UniqueFd();
      return Fail(errno, {"open the folder", folder});
    }
    if (missing == Missing::kCreate) {
      const std::optional<FolderBirth> birth = BirthOf(next.get());
      if (!birth || !durable_.Contains(path, *birth)) {
        ARROW_RETURN_NOT_OK(SyncFolder(at.get(), folder));
        if (birth) durable_.Add(path, *birth);
      }
    }
    at = std::move(next);
  }
  return at;
}

Result<UniqueFd> LocalTree::OpenFolder(std::string_view folder) const {
  return Walk(folder, Missing::kStop);
}

Result<UniqueFd> LocalTree::MakeFolder(std::string_view folder) const {
  for (int race = 0; race < kFolderRacesMax; ++race) {
    ARROW_ASSIGN_OR_RAISE(UniqueFd fd, Walk(folder, Missing::kCreate));
    if (fd.valid()) return fd;
    ARROW_RETURN_NOT_OK(CheckRoot());
  }
  return Fail(ENOENT, {"create the folder", folder});
}

Result<NewFile> LocalTree::CreateFile(const std::string& path) const {
  const auto [folder, name] = SplitPath(path);
  for (int race = 0; race < kFolderRacesMax; ++race) {
    ARROW_ASSIGN_OR_RAISE(UniqueFd fd, MakeFolder(folder));
    UniqueFd file(openat(fd.get(), name.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                         kFileMode));
    if (file.valid()) return NewFile{std::move(fd), std::move(file)};
    if (errno == EEXIST) {
      return AtDestination(
          "store.staging-taken",
          fmt::format("wanted to create a file that is there already: {}",
                      Absolute(path)));
    }
    if (errno != ENOENT) return Fail(errno, {"create the file", path});
  }
  return Fail(ENOENT, {"create the file", path});
}

Result<UniqueFd> LocalTree::OpenFile(const std::string& path) const {
  const auto [folder, name] = SplitPath(path);
  ARROW_ASSIGN_OR_RAISE(const UniqueFd fd, OpenFolder(folder));
  if (!fd.valid()) return UniqueFd();
  // O_NONBLOCK: a pipe in the way must not hold us up before we see what it is.
  UniqueFd file(
      openat(fd.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) {
    if (errno == ENOENT) return UniqueFd();
    return Fail(errno == ELOOP ? EISDIR : errno, {"open the file", path});
  }
  struct stat seen {};
  if (fstat(file.get(), &seen) != 0) return Fail(errno, {"open the file", path});
  if (!S_ISREG(seen.st_mode)) return Fail(EISDIR, {"open the file", path});
  return file;
}

Status LocalTree::Remove(const std::string& path) const {
  const auto [folder, name] = SplitPath(path);
  ARROW_ASSIGN_OR_RAISE(const UniqueFd fd, OpenFolder(folder));
  if (fd.valid() && unlinkat(fd.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    return Fail(errno, {"remove the file", path});
  }
  return Prune(folder);
}

Status LocalTree::Prune(std::string folder) const {
  while (!folder.empty()) {
    const auto [parent, name] = SplitPath(folder);
    ARROW_ASSIGN_OR_RAISE(const UniqueFd fd, OpenFolder(parent));
    if (fd.valid() && unlinkat(fd.get(), name.c_str(), AT_REMOVEDIR) != 0 &&
        errno != ENOENT) {
      // Not empty, a mount point, or in a folder that is not ours to change: it stays.
      if (errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY || errno == EACCES ||
          errno == EPERM) {
        break;
      }
      return Fail(errno, {"remove the empty folder", folder});
    }
    folder = parent;
  }
  // What others removed meanwhile is durable in the first folder that is still there.
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const UniqueFd fd, OpenFolder(folder));
    if (fd.valid()) return SyncFolder(fd.get(), folder);
    if (folder.empty()) return Fail(ENOENT, {"open the folder", folder});
    folder = SplitPath(folder).folder;
  }
}

Status LocalTree::SyncFolder(int fd, std::string_view folder) const {
  const int error = Sync(fd);
  if (error == 0 || error == EINVAL) return Status::OK();
  return Fail(error, {"make the names durable in", folder});
}

Status LocalTree::SyncFile(int fd, const Attempted& attempted) const {
  const int error = Sync(fd);
  return error == 0 ? Status::OK() : Fail(error, attempted);
}

Status LocalTree::WriteAll(int fd, std::string_view bytes, std::string_view path) const {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int error = written == 0 ? EIO : errno;
      return Fail(error, {"write", path, static_cast<int64_t>(bytes.size())});
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return Status::OK();
}

}  // namespace sluice
