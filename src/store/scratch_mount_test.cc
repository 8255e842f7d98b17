#include "store/scratch_mount_test.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace sluice {
namespace {

constexpr uid_t kNobody = 65534;

/// Mounts of this program die with it, however it ends.
bool MakeMountsPrivate() {
  return mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

/// A user who is himself in a namespace of his own may mount there.
bool EnterUserNamespace() {
  const uid_t user = geteuid();
  const gid_t group = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  std::ofstream("/proc/self/uid_map") << user << ' ' << user << " 1";
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/gid_map") << group << ' ' << group << " 1";
  return MakeMountsPrivate();
}

void RunOnASmallDisk(const std::function<void(ScratchMount&)>& body) {
  ScratchMount mount;
  body(mount);
}

}  // namespace

void OnASmallDisk(const std::function<void(ScratchMount&)>& body) {
  static const bool entered = unshare(CLONE_NEWNS) == 0 && MakeMountsPrivate();
  if (entered) return RunOnASmallDisk(body);
  // Only a process of one thread may enter a user namespace.
  const pid_t child = fork();
  if (child == 0) {
    EXPECT_TRUE(EnterUserNamespace())
        << "wanted a user namespace: " << std::strerror(errno);
    RunOnASmallDisk(body);
    std::fflush(stdout);
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child) << std::strerror(errno);
  EXPECT_EQ(status, 0) << "the test failed in a process of its own";
}

ScratchMount::ScratchMount() : path_(folder_.Path("mount")) {
  mkdir(path_.c_str(), 0777);
  mounted_ = mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=1m") == 0;
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
