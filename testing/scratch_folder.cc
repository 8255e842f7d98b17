#include "testing/scratch_folder.h"

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace sluice {

namespace fs = std::filesystem;

ScratchFolder::ScratchFolder(ScratchPlace place) {
  const fs::path memory = "/dev/shm";
  const bool in_memory = place == ScratchPlace::kMemory && fs::is_directory(memory);
  path_ =
      ((in_memory ? memory : fs::temp_directory_path()) / "sluice-test-XXXXXX").string();
  if (mkdtemp(path_.data()) == nullptr) std::abort();
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::map<std::string, int64_t> ScratchFolder::Tree() const {
  std::map<std::string, int64_t> tree;
  for (const auto& entry : fs::recursive_directory_iterator(path_)) {
    const std::string name = fs::relative(entry.path(), path_).string();
    if (!entry.is_directory()) tree[name] = static_cast<int64_t>(entry.file_size());
    if (entry.is_directory() && fs::is_empty(entry.path())) tree[name + "/"] = -1;
  }
  return tree;
}

}  // namespace sluice
