#include "store/local.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <utility>

#include "base/uuid.h"
#include "store/local_inspect.h"
#include "store/local_link.h"
#include "store/local_object.h"
#include "store/local_tree.h"
#include "store/object_path.h"

namespace sluice {
namespace {

constexpr std::string_view kStagingFolder = "_sluice/staging";
/// How often others may take what a Put has written for a leftover.
constexpr int kCollectedMax = 100;

std::string Join(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

/// The staging folder for an object put beside others in `folder`.
std::string StagingFolderFor(const std::string& folder) {
  const auto [parent, last] = SplitPath(folder);
  return Join(last == "_sluice" ? parent : folder, kStagingFolder);
}

/// "000001-000.a1b2.tmp" -> "a1b2".
std::string AttemptIn(std::string_view name) {
  if (!name.ends_with(".tmp")) return "";
  name.remove_suffix(4);
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? "" : std::string(name.substr(dot + 1));
}

std::string FileUri(std::string_view path) {
  std::string uri = "file://";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7F || c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02X}", byte);
    } else {
      uri += c;
    }
  }
  return uri;
}

ObjectInfo InfoOf(std::string path, const struct stat& seen) {
  return {std::move(path), std::to_string(seen.st_ino), seen.st_size,
          seen.st_mtim.tv_sec * 1'000'000 + seen.st_mtim.tv_nsec / 1000, std::nullopt};
}

class LocalStore final : public Store {
 public:
  explicit LocalStore(std::shared_ptr<const LocalTree> tree) : tree_(std::move(tree)) {}

  std::string Describe() const override { return FileUri(tree_->root()); }
  Result<ProbeVerdict> Probe() override { return ProbeLocalTree(*tree_); }
  std::vector<Finding> Inspect() override { return InspectLocalTree(*tree_); }
  Result<std::unique_ptr<PendingObject>> Begin(const StageTarget& target) override {
    return BeginLocalObject(tree_, target);
  }
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
  using Visitor = std::function<void(const std::string& path, const struct stat& seen)>;
  enum class Look { kPublished, kStaged };

  /// Of a published object, in a tree that is there.
  Status CheckPlace(const std::string& path) const;
  Result<std::optional<uint64_t>> FindStaged(const StagedObject& staged,
                                             const LocalToken& token) const;
  Result<std::optional<ObjectRef>> Adopt(const StagedObject& staged,
                                         const LocalToken& token) const;
  Result<std::optional<PutOutcome>> Install(const std::string& from,
                                            const std::string& path, PutMode mode) const;
  Result<UniqueFd> OpenObject(const std::string& path, struct stat* seen) const;
  Status Visit(const std::string& folder, Look look, const Visitor& visitor) const;

  const std::shared_ptr<const LocalTree> tree_;
};

Status LocalStore::CheckPlace(const std::string& path) const {
  ARROW_RETURN_NOT_OK(CheckPublishedPath(path));
  return tree_->CheckRoot();
}

/// Descriptor and facts of a file; no descriptor when absent.
Result<UniqueFd> LocalStore::OpenObject(const std::string& path,
                                        struct stat* seen) const {
  ARROW_ASSIGN_OR_RAISE(UniqueFd file, tree_->OpenFile(path));
  if (file.valid() && fstat(file.get(), seen) != 0) {
    return tree_->Fail(errno, {"look at the file", path});
  }
  return file;
}

/// Its inode; nothing: gone. Refuses a file that is not the one that was staged.
Result<std::optional<uint64_t>> LocalStore::FindStaged(const StagedObject& staged,
                                                       const LocalToken& token) const {
  struct stat seen {};
  ARROW_ASSIGN_OR_RAISE(const UniqueFd file, OpenObject(token.staging_path, &seen));
  if (!file.valid()) return std::nullopt;
  bool ours = seen.st_size == staged.size;
  // Device numbers change with a reboot, and some filesystems invent inodes: then the
  // bytes decide.
  if (ours && !token.Names(seen)) {
    ARROW_ASSIGN_OR_RAISE(const uint32_t crc,
                          Crc32cOfFile(*tree_, file, token.staging_path));
    ours = crc == staged.crc32c;
  }
  if (ours) return seen.st_ino;
  return Error(
      ErrorKind::kDestination, "store.staged-gone",
      fmt::format(
          "the staged file is no longer the one that was written, {} bytes wanted, "
          "{} found: {}",
          staged.size, seen.st_size, tree_->Absolute(token.staging_path)),
      "look for whatever writes below _sluice/staging");
}

/// The published object if it is ours; nothing when there is none; an error when it is
/// another's.
Result<std::optional<ObjectRef>> LocalStore::Adopt(const StagedObject& staged,
                                                   const LocalToken& token) const {
  struct stat published {
  }, held{};
  ARROW_ASSIGN_OR_RAISE(const UniqueFd file, OpenObject(staged.path, &published));
  if (!file.valid()) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const UniqueFd source, OpenObject(token.staging_path, &held));
  const bool linked = source.valid() && held.st_ino == published.st_ino &&
                      held.st_dev == published.st_dev;
  bool ours = published.st_size == staged.size;
  if (ours && !(linked && token.Names(published))) {
    ARROW_ASSIGN_OR_RAISE(const uint32_t crc, Crc32cOfFile(*tree_, file, staged.path));
    ours = crc == staged.crc32c;
  }
  if (!ours) {
    return Error(
        ErrorKind::kDestination, "store.name-taken",
        fmt::format(
            "wanted to publish {} bytes with crc32c {:08x}, found another file of "
            "{} bytes under the name: {}",
            staged.size, staged.crc32c, published.st_size, tree_->Absolute(staged.path)),
        "nothing was overwritten; find out who wrote that file, and move it away");
  }
  // Whoever gave it its name may have died before that was durable.
  ARROW_RETURN_NOT_OK(
      tree_->SyncFile(file.get(), {"make the file durable", staged.path}));
  const std::string folder = SplitPath(staged.path).folder;
  ARROW_ASSIGN_OR_RAISE(const UniqueFd parent, tree_->MakeFolder(folder));
  ARROW_RETURN_NOT_OK(tree_->SyncFolder(parent.get(), folder));
  return ObjectRef{staged.path, std::to_string(published.st_ino), staged.size,
                   staged.crc32c};
}

Result<ObjectRef> LocalStore::Publish(const StagedObject& staged) {
  ARROW_RETURN_NOT_OK(CheckPlace(staged.path));
  ARROW_ASSIGN_OR_RAISE(const LocalToken token, ParseToken(staged.token));
  const PathParts from = SplitPath(token.staging_path), to = SplitPath(staged.path);
  for (int race = 0; race < kFolderRacesMax; ++race) {
    ARROW_ASSIGN_OR_RAISE(const auto adopted, Adopt(staged, token));
    if (adopted.has_value()) return *adopted;
    ARROW_ASSIGN_OR_RAISE(const auto inode, FindStaged(staged, token));
    if (!inode.has_value()) {
      // Where there are no links, another handle published it by a rename just now.
      ARROW_ASSIGN_OR_RAISE(const auto renamed, Adopt(staged, token));
      if (renamed.has_value()) return *renamed;
      ARROW_RETURN_NOT_OK(tree_->CheckRoot());
      return Error(ErrorKind::kDestination, "store.staged-gone",
                   fmt::format("the staged file is gone, and nothing was published: {}",
                               tree_->Absolute(token.staging_path)),
                   "look for whatever removes files below _sluice/staging");
    }
    ARROW_ASSIGN_OR_RAISE(const UniqueFd source, tree_->OpenFolder(from.folder));
    ARROW_ASSIGN_OR_RAISE(const UniqueFd target, tree_->MakeFolder(to.folder));
    LinkMeans means = LinkMeans::kLink;
    const int error = source.valid() ? LinkNew({source.get(), from.name},
                                               {target.get(), to.name}, &means)
                                     : ENOENT;
    // Published or pruned by another meanwhile: look again.
    if (error == EEXIST || error == ENOENT) continue;
    if (error != 0) return tree_->Fail(error, {"publish", staged.path, staged.size});
    ARROW_RETURN_NOT_OK(tree_->SyncFolder(target.get(), to.folder));
    if (means == LinkMeans::kRename) {
      ARROW_RETURN_NOT_OK(tree_->SyncFolder(source.get(), from.folder));
    }
    return ObjectRef{staged.path, std::to_string(*inode), staged.size, staged.crc32c};
  }
  return tree_->Fail(ENOENT, {"publish", staged.path, staged.size});
}

Status LocalStore::Abort(const StagedObject& staged) {
  ARROW_ASSIGN_OR_RAISE(const LocalToken token, ParseToken(staged.token));
  ARROW_RETURN_NOT_OK(tree_->CheckRoot());
  return tree_->Remove(token.staging_path);
}

/// Gives the synced file `from` the name `path`; nothing where somebody removed `from` before.
Result<std::optional<PutOutcome>> LocalStore::Install(const std::string& from,
                                                      const std::string& path,
                                                      PutMode mode) const {
  const PathParts source = SplitPath(from), target = SplitPath(path);
  ARROW_ASSIGN_OR_RAISE(const UniqueFd source_folder, tree_->OpenFolder(source.folder));
  if (!source_folder.valid()) return std::nullopt;
  for (int race = 0; race < kFolderRacesMax; ++race) {
    ARROW_ASSIGN_OR_RAISE(const UniqueFd folder, tree_->MakeFolder(target.folder));
    const NameAt old_name{source_folder.get(), source.name},
        new_name{folder.get(), target.name};
    int error = 0;
    if (mode == PutMode::kCreateOnly) {
      error = LinkNew(old_name, new_name);
    } else if (renameat(old_name.folder, source.name.c_str(), folder.get(),
                        target.name.c_str()) != 0) {
      error = errno;
    }
    if (error == ENOENT) {
      if (faccessat(old_name.folder, source.name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        return std::nullopt;
      continue;
    }
    if (error != 0 && error != EEXIST) return tree_->Fail(error, {"put", path});
    if (error == EEXIST) {
      struct stat seen {};
      ARROW_ASSIGN_OR_RAISE(const UniqueFd file, OpenObject(path, &seen));
      if (!file.valid()) continue;
    }
    // Also of a name that was there: its creator may have died before it was durable, and
    // the caller acts on it now.
    ARROW_RETURN_NOT_OK(tree_->SyncFolder(folder.get(), target.folder));
    return error == EEXIST ? PutOutcome::kExists : PutOutcome::kCreated;
  }
  return tree_->Fail(ENOENT, {"put", path});
}

Result<PutOutcome> LocalStore::Put(const std::string& path, std::string_view bytes,
                                   PutMode mode) {
  ARROW_RETURN_NOT_OK(CheckPlace(path));
  // With what else is staged under the object's name: what is left of a Put that died is found, and
  // collected, with the load whose slot it would have been.
  const PathParts parts = SplitPath(path);
  // A name of any length is refused where it is linked, with nothing left; a load's id is short.
  const std::string stem =
      parts.name.substr(0, std::min<size_t>(parts.name.find('.', 1), 100));
  const std::string staging_path = Join(Join(StagingFolderFor(parts.folder), stem),
                                        fmt::format("put-{}.tmp", NewNonce()));
  auto write = [&]() -> Result<std::optional<PutOutcome>> {
    ARROW_ASSIGN_OR_RAISE(const NewFile made, tree_->CreateFile(staging_path));
    ARROW_RETURN_NOT_OK(tree_->WriteAll(made.file.get(), bytes, staging_path));
    ARROW_RETURN_NOT_OK(tree_->SyncFile(
        made.file.get(), {"put", path, static_cast<int64_t>(bytes.size())}));
    return Install(staging_path, path, mode);
  };
  // Whoever discards the load takes for a leftover what another is about to name.
  for (int race = 0; race < kCollectedMax; ++race) {
    const auto outcome = write();
    const Status removed = tree_->Remove(staging_path);
    ARROW_RETURN_NOT_OK(outcome.status());
    ARROW_RETURN_NOT_OK(removed);
    if (*outcome) return **outcome;
    ARROW_RETURN_NOT_OK(tree_->CheckRoot());
  }
  return tree_->Fail(ENOENT, {"put", path});
}

Result<std::optional<std::string>> LocalStore::Get(const std::string& path,
                                                   int64_t size_max) {
  ARROW_RETURN_NOT_OK(CheckPlace(path));
  struct stat seen {};
  ARROW_ASSIGN_OR_RAISE(const UniqueFd file, OpenObject(path, &seen));
  if (!file.valid()) return std::nullopt;
  if (seen.st_size > size_max) {
    return Error(ErrorKind::kDestination, "store.object-too-large",
                 fmt::format("wanted an object of at most {} bytes, found {} bytes: {}",
                             size_max, seen.st_size, tree_->Absolute(path)));
  }
  std::string bytes(static_cast<size_t>(seen.st_size), 0);
  ARROW_ASSIGN_OR_RAISE(const int64_t got,
                        ReadFully(*tree_, file, path, 0, seen.st_size, bytes.data()));
  bytes.resize(static_cast<size_t>(got));
  return bytes;
}

Result<std::optional<ObjectInfo>> LocalStore::Head(const std::string& path) {
  ARROW_RETURN_NOT_OK(CheckPlace(path));
  struct stat seen {};
  ARROW_ASSIGN_OR_RAISE(const UniqueFd file, OpenObject(path, &seen));
  if (!file.valid()) return std::nullopt;
  return InfoOf(path, seen);
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> LocalStore::Read(
    const ObjectRef& object) {
  ARROW_RETURN_NOT_OK(CheckPlace(object.path));
  struct stat seen {};
  ARROW_ASSIGN_OR_RAISE(UniqueFd file, OpenObject(object.path, &seen));
  if (!file.valid()) {
    return Error(ErrorKind::kDestination, "store.object-gone",
                 fmt::format("the file that was published is gone: {}",
                             tree_->Absolute(object.path)));
  }
  bool ours = seen.st_size == object.size;
  // A copy or a restored backup has other inodes and the same bytes.
  if (ours && !object.version_id.empty() &&
      std::to_string(seen.st_ino) != object.version_id) {
    ARROW_ASSIGN_OR_RAISE(const uint32_t crc, Crc32cOfFile(*tree_, file, object.path));
    ours = crc == object.crc32c;
  }
  if (!ours) {
    return Error(
        ErrorKind::kDestination, "store.object-changed",
        fmt::format(
            "the file is not the one that was published, and its bytes are others: "
            "{} bytes wanted, {} found: {}",
            object.size, seen.st_size, tree_->Absolute(object.path)));
  }
  return NewLocalReader(tree_, std::move(file), object.path, seen.st_size);
}

/// Every regular file of one kind below `folder`. What vanishes meanwhile is left out.
Status LocalStore::Visit(const std::string& folder, Look look,
                         const Visitor& visitor) const {
  if (look == Look::kPublished && IsStagingPath(folder)) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const UniqueFd fd, tree_->OpenFolder(folder));
  if (!fd.valid()) return Status::OK();
  const int copy = fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(copy < 0 ? nullptr : fdopendir(copy),
                                                   closedir);
  if (stream == nullptr) return tree_->Fail(errno, {"list", folder});
  std::vector<std::string> folders;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr && errno != 0) return tree_->Fail(errno, {"list", folder});
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat seen {};
    if (fstatat(fd.get(), entry->d_name, &seen, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      return tree_->Fail(errno, {"look at the file", Join(folder, name)});
    }
    if (S_ISDIR(seen.st_mode)) folders.push_back(Join(folder, name));
    const bool wanted = look == Look::kPublished || IsStagingPath(folder);
    if (S_ISREG(seen.st_mode) && wanted) visitor(Join(folder, name), seen);
  }
  for (const std::string& child : folders)
    ARROW_RETURN_NOT_OK(Visit(child, look, visitor));
  return Status::OK();
}

Result<std::vector<ObjectInfo>> LocalStore::List(const std::string& folder) {
  if (!folder.empty()) ARROW_RETURN_NOT_OK(CheckPath(folder));
  ARROW_RETURN_NOT_OK(tree_->CheckRoot());
  std::vector<ObjectInfo> objects;
  ARROW_RETURN_NOT_OK(Visit(folder, Look::kPublished,
                            [&](const std::string& path, const struct stat& seen) {
                              objects.push_back(InfoOf(path, seen));
                            }));
  // readdir may give a name twice while others are added.
  const auto by_path = [](const ObjectInfo& a, const ObjectInfo& b) {
    return a.path < b.path;
  };
  const auto same = [](const ObjectInfo& a, const ObjectInfo& b) {
    return a.path == b.path;
  };
  std::sort(objects.begin(), objects.end(), by_path);
  objects.erase(std::unique(objects.begin(), objects.end(), same), objects.end());
  return objects;
}

Result<std::vector<StagedObject>> LocalStore::ListStaged(const std::string& folder) {
  if (!folder.empty()) ARROW_RETURN_NOT_OK(CheckPath(folder));
  ARROW_RETURN_NOT_OK(tree_->CheckRoot());
  std::vector<StagedObject> leftovers;
  const Visitor add = [&](const std::string& path, const struct stat& seen) {
    StagedObject leftover;
    leftover.path = path;
    leftover.attempt = AttemptIn(SplitPath(path).name);
    leftover.token = ToToken(path, seen);
    leftover.size = seen.st_size;
    leftover.modified_micros =
        seen.st_mtim.tv_sec * 1'000'000 + seen.st_mtim.tv_nsec / 1000;
    leftovers.push_back(std::move(leftover));
  };
  ARROW_RETURN_NOT_OK(Visit(folder, Look::kStaged, add));
  const auto [parent, last] = SplitPath(folder);
  if (!last.empty() && last != "_sluice" && !IsStagingPath(folder)) {
    ARROW_RETURN_NOT_OK(
        Visit(Join(Join(parent, kStagingFolder), last), Look::kStaged, add));
  }
  const auto by_path = [](const StagedObject& a, const StagedObject& b) {
    return a.path < b.path;
  };
  const auto same = [](const StagedObject& a, const StagedObject& b) {
    return a.path == b.path;
  };
  std::sort(leftovers.begin(), leftovers.end(), by_path);
  leftovers.erase(std::unique(leftovers.begin(), leftovers.end(), same), leftovers.end());
  return leftovers;
}

Status LocalStore::Delete(const std::string& path) {
  ARROW_RETURN_NOT_OK(CheckPlace(path));
  return tree_->Remove(path);
}

}  // namespace

Result<std::unique_ptr<Store>> OpenLocalStore(const std::string& root_dir) {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<LocalTree> tree, LocalTree::Open(root_dir));
  return std::make_unique<LocalStore>(std::move(tree));
}

}  // namespace sluice
