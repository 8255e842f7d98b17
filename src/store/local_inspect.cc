#include "store/local_inspect.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

namespace sluice {
namespace {

constexpr int64_t kFreeBytesMin = int64_t{1} << 30;
constexpr int64_t kFreeFilesMin = 1000;

enum class Keeps { kDisk, kServer, kMemory };
struct Filesystem {
  int64_t magic;
  const char* name;
  Keeps keeps = Keeps::kDisk;
};
constexpr int64_t kXfs = 0x58465342, kZfs = 0x2fc12fc1, kCifs = 0xff534d42,
                  kSmb2 = 0xfe534d42, kFuse = 0x65735546, kCeph = 0x00c36400;
constexpr auto kFilesystems = std::to_array<Filesystem>({
    {EXT4_SUPER_MAGIC, "ext4"},
    {kXfs, "xfs"},
    {BTRFS_SUPER_MAGIC, "btrfs"},
    {kZfs, "zfs"},
    {OVERLAYFS_SUPER_MAGIC, "overlayfs"},
    {F2FS_SUPER_MAGIC, "f2fs"},
    {TMPFS_MAGIC, "tmpfs", Keeps::kMemory},
    {NFS_SUPER_MAGIC, "nfs", Keeps::kServer},
    {kCifs, "cifs", Keeps::kServer},
    {kSmb2, "smb", Keeps::kServer},
    {kFuse, "fuse", Keeps::kServer},
    {kCeph, "ceph", Keeps::kServer},
});

Finding KindOfDisk(int64_t magic) {
  for (const Filesystem& known : kFilesystems) {
    if (known.magic != (magic & 0xffffffff)) continue;
    if (known.keeps == Keeps::kDisk)
      return {.name = "filesystem", .level = Level::kOk, .detail = known.name};
    const bool in_memory = known.keeps == Keeps::kMemory;
    return {
        .name = "filesystem",
        .level = Level::kWarning,
        .detail = fmt::format("{}: {}", known.name,
                              in_memory ? "in memory, gone with the next boot"
                                        : "what is synced is as durable as its server "
                                          "makes it"),
        .hint = in_memory ? "name a folder on a disk" : ""};
  }
  return {.name = "filesystem",
          .level = Level::kUnknown,
          .detail = fmt::format("a kind not known here ({:#x})", magic & 0xffffffff)};
}

Finding RoomIn(const struct statfs& disk) {
  const auto free = static_cast<int64_t>(disk.f_bavail) * disk.f_bsize;
  const auto all = static_cast<int64_t>(disk.f_blocks) * disk.f_bsize;
  // Some filesystems have no fixed number of files and say 0.
  const auto files = static_cast<int64_t>(disk.f_ffree);
  const bool few_files = disk.f_files > 0 && files < kFreeFilesMin;
  const double gib = static_cast<double>(int64_t{1} << 30);
  const bool is_low = free < kFreeBytesMin || few_files;
  return {.name = "free space",
          .level = is_low ? Level::kWarning : Level::kOk,
          .detail =
              fmt::format("{:.1f} GiB of {:.1f}{}", static_cast<double>(free) / gib,
                          static_cast<double>(all) / gib,
                          few_files ? fmt::format(", and room for {} files", files) : ""),
          .hint = is_low ? "a new version is written beside the old one before that goes"
                         : ""};
}

}  // namespace

std::vector<Finding> InspectLocalTree(const LocalTree& tree) {
  struct statfs disk {};
  struct stat folder {};
  if (statfs(tree.root().c_str(), &disk) != 0 || stat(tree.root().c_str(), &folder) != 0)
    return {FailedFinding("folder", tree.Fail(errno, {"look at the directory", ""}))};
  std::vector<Finding> seen = {KindOfDisk(disk.f_type), RoomIn(disk)};
  const std::string facts = fmt::format("mode {:04o}, of user {}; this is user {}",
                                        folder.st_mode & 07777, folder.st_uid, geteuid());
  if (access(tree.root().c_str(), R_OK | W_OK | X_OK) != 0) {
    seen.push_back(
        FailedFinding("permissions", tree.Fail(errno, {"write to the directory", ""})));
  } else {
    seen.push_back({.name = "permissions", .level = Level::kOk, .detail = facts});
  }
  return seen;
}

}  // namespace sluice
