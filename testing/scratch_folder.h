/// \file
/// A folder of one test's own, removed with all that is in it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace sluice {

/// Syncs cost nothing in memory (/dev/shm), and mean something on a disk ($TMPDIR, else
/// /tmp).
enum class ScratchPlace { kDisk, kMemory };

class ScratchFolder {
 public:
  explicit ScratchFolder(ScratchPlace place = ScratchPlace::kDisk);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string Path(const std::string& name) const { return path_ + "/" + name; }
  /// Every file below, with its size; folders without content as "name/" with -1.
  std::map<std::string, int64_t> Tree() const;

 private:
  std::string path_;
};

}  // namespace sluice
