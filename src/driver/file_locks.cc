#include "driver/file_locks.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

namespace sluice {
namespace {

/// Device and inode in the spelling of /proc/locks.
std::string LockName(const struct stat& file) {
  return fmt::format("{:02x}:{:02x}:{}", major(file.st_dev), minor(file.st_dev),
                     file.st_ino);
}

std::string ProcessName(int64_t pid) {
  std::ifstream comm(fmt::format("/proc/{}/comm", pid));
  std::string name;
  std::getline(comm, name);
  return name.empty() ? fmt::format("pid {}", pid)
                      : fmt::format("{} (pid {})", name, pid);
}

}  // namespace

std::vector<std::string> LockHolders(const std::vector<std::string>& paths) {
  std::set<std::string> wanted;
  for (const auto& path : paths) {
    struct stat file;
    if (stat(path.c_str(), &file) == 0) wanted.insert(LockName(file));
  }
  std::set<int64_t> writers, readers;
  std::ifstream locks("/proc/locks");
  // 7: POSIX  ADVISORY  WRITE 4711 fd:01:1053 1073741826 1073742335; waiters have "->" second.
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, access, file;
    int64_t pid = 0;
    if (!(words >> number >> kind >> advisory >> access >> pid >> file)) continue;
    if (kind != "POSIX" || pid <= 0 || pid == getpid() || !wanted.contains(file))
      continue;
    (access == "WRITE" ? writers : readers).insert(pid);
  }
  std::vector<std::string> names;
  for (int64_t pid : writers.empty() ? readers : writers)
    names.push_back(ProcessName(pid));
  return names;
}

}  // namespace sluice
