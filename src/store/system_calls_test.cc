#include "store/system_calls_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <thread>

namespace sluice {
namespace {

std::atomic<SystemCallScript*> g_script = nullptr;

std::string PathOf(int fd) {
  std::array<char, 4096> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = readlink(link.c_str(), path.data(), path.size());
  return size < 0 ? "" : std::string(path.data(), static_cast<size_t>(size));
}

}  // namespace

class SystemCallGate {
 public:
  /// Makes the call unless the script refuses it.
  template <typename Call>
  static auto Pass(const char* name, int fd, const char* file, Call call)
      -> decltype(call()) {
    SystemCallScript* const script = g_script.load();
    if (script == nullptr || fd < 0) return call();
    SystemCall entry{name, PathOf(fd)};
    if (file != nullptr) entry.path += std::string("/") + file;
    if (!entry.path.starts_with(script->root_)) return call();
    entry.path.erase(0, std::min(entry.path.size(), script->root_.size() + 1));
    std::function<int(const SystemCall&)> failure;
    {
      const std::lock_guard lock(script->mutex_);
      failure = script->failure_;
    }
    const int error = failure ? failure(entry) : 0;
    if (error != 0) {
      errno = error;
      return -1;
    }
    const auto result = call();
    if (result == 0 && entry.name != "write" && entry.name != "read") {
      const std::lock_guard lock(script->mutex_);
      script->calls_.push_back(std::move(entry));
    }
    return result;
  }

  static size_t WriteSize(size_t wanted, bool* interrupted) {
    SystemCallScript* const script = g_script.load();
    if (script == nullptr) return wanted;
    const std::lock_guard lock(script->mutex_);
    if (script->write_size_max_ == 0) return wanted;
    *interrupted = script->interrupt_next_;
    script->interrupt_next_ = !script->interrupt_next_;
    return std::min(wanted, script->write_size_max_);
  }

  static RenameWay Way() {
    SystemCallScript* const script = g_script.load();
    if (script == nullptr) return RenameWay::kRefuses;
    const std::lock_guard lock(script->mutex_);
    return script->rename_way_;
  }
};

SystemCallScript::SystemCallScript(std::string root) : root_(std::move(root)) {
  g_script.store(this);
}
SystemCallScript::~SystemCallScript() { g_script.store(nullptr); }

void SystemCallScript::FailBy(std::function<int(const SystemCall&)> failure) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(failure);
}

void SystemCallScript::WriteInPieces(size_t size_max) {
  const std::lock_guard lock(mutex_);
  write_size_max_ = size_max;
}

void SystemCallScript::RenameBy(RenameWay way) {
  const std::lock_guard lock(mutex_);
  rename_way_ = way;
}

std::vector<SystemCall> SystemCallScript::Calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

namespace {

int RenameWithoutReplacing(int from, const char* old_name, int to, const char* new_name) {
  const auto rename = [&](unsigned flags) {
    return static_cast<int>(syscall(SYS_renameat2, from, old_name, to, new_name, flags));
  };
  const RenameWay way = SystemCallGate::Way();
  if (way == RenameWay::kRefuses) return rename(RENAME_NOREPLACE);
  struct stat seen {};
  if (way == RenameWay::kLooksFirst && fstatat(to, new_name, &seen, 0) == 0) {
    errno = EEXIST;
    return -1;
  }
  for (int i = 0; i < 100 && way == RenameWay::kLooksFirst; ++i)
    std::this_thread::yield();
  return rename(0);
}

}  // namespace
}  // namespace sluice

using sluice::SystemCallGate;

extern "C" {

int fsync(int fd) {
  return SystemCallGate::Pass("fsync", fd, nullptr,
                              [&] { return static_cast<int>(syscall(SYS_fsync, fd)); });
}

int linkat(int from, const char* old_name, int to, const char* new_name,
           int flags) noexcept {
  return SystemCallGate::Pass("link", to, new_name, [&] {
    return static_cast<int>(syscall(SYS_linkat, from, old_name, to, new_name, flags));
  });
}

int renameat(int from, const char* old_name, int to, const char* new_name) noexcept {
  return SystemCallGate::Pass("rename", to, new_name, [&] {
    return static_cast<int>(syscall(SYS_renameat2, from, old_name, to, new_name, 0));
  });
}

int renameat2(int from, const char* old_name, int to, const char* new_name,
              unsigned flags) noexcept {
  return SystemCallGate::Pass("rename", to, new_name, [&] {
    if ((flags & RENAME_NOREPLACE) != 0) {
      return sluice::RenameWithoutReplacing(from, old_name, to, new_name);
    }
    return static_cast<int>(syscall(SYS_renameat2, from, old_name, to, new_name, flags));
  });
}

int mkdirat(int folder, const char* name, mode_t mode) noexcept {
  return SystemCallGate::Pass("mkdir", folder, name, [&] {
    return static_cast<int>(syscall(SYS_mkdirat, folder, name, mode));
  });
}

int unlinkat(int folder, const char* name, int flags) noexcept {
  return SystemCallGate::Pass("unlink", folder, name, [&] {
    return static_cast<int>(syscall(SYS_unlinkat, folder, name, flags));
  });
}

ssize_t write(int fd, const void* data, size_t size) {
  return SystemCallGate::Pass("write", fd, nullptr, [&]() -> ssize_t {
    bool interrupted = false;
    size = SystemCallGate::WriteSize(size, &interrupted);
    if (interrupted) {
      errno = EINTR;
      return -1;
    }
    return syscall(SYS_write, fd, data, size);
  });
}

ssize_t pread(int fd, void* data, size_t size, off_t offset) {
  return SystemCallGate::Pass("read", fd, nullptr, [&]() -> ssize_t {
    return syscall(SYS_pread64, fd, data, size, offset);
  });
}

}  // extern "C"
