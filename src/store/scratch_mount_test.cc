#include "store/scratch_mount_test.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace sluice {
namespace {

constexpr uid_t kNobody = 65534;

/// Mounts of this program die with it, however it ends.
bool EnterMountNamespace() {
  const uid_t user = geteuid();
  if (unshare(CLONE_NEWNS) != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
  }
  return mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

}  // namespace

ScratchMount::ScratchMount(const std::string& size) : path_(folder_.Path("mount")) {
  static const bool entered = EnterMountNamespace();
  mkdir(path_.c_str(), 0777);
  const std::string options = "size=" + size;
  mounted_ = entered && mount("tmpfs", path_.c_str(), "tmpfs", 0, options.c_str()) == 0;
  EXPECT_TRUE(mounted_) << "wanted a small filesystem to fill up: "
                        << std::strerror(errno);
}

ScratchMount::~ScratchMount() {
  EXPECT_TRUE(!mounted_ || umount2(path_.c_str(), MNT_DETACH) == 0)
      << std::strerror(errno);
}

void ScratchMount::MakeReadOnly() {
  EXPECT_EQ(mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0)
      << std::strerror(errno);
}

void ScratchMount::Vanish() {
  EXPECT_EQ(umount2(path_.c_str(), MNT_DETACH), 0) << std::strerror(errno);
  mounted_ = false;
}

Unprivileged::Unprivileged() {
  EXPECT_TRUE(geteuid() != 0 || seteuid(kNobody) == 0) << std::strerror(errno);
}

Unprivileged::~Unprivileged() {
  EXPECT_TRUE(getuid() != 0 || seteuid(0) == 0) << std::strerror(errno);
}

}  // namespace sluice
