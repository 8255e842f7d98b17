/// \file
/// Single files of the local store: one being written, one being read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "arrow/io/type_fwd.h"
#include "sluice/store.h"
#include "store/local_tree.h"

struct stat;

namespace sluice {

/// What a token says: where the staged file is, and which file it was. Numbers of inodes
/// are used again at once; together with the time of the last write they tell files
/// apart.
struct LocalToken {
  std::string staging_path;
  uint64_t device = 0, inode = 0;
  int64_t modified_nanos = 0;
  bool Names(const struct stat& seen) const;
};
std::string ToToken(std::string staging_path, const struct stat& seen);
/// kDestination "store.bad-token".
Result<LocalToken> ParseToken(const std::string& text);

/// Creates the staging file; what is dropped unstaged is unlinked.
Result<std::unique_ptr<PendingObject>> BeginLocalObject(
    std::shared_ptr<const LocalTree> tree, const StageTarget& target);

/// `size` is the file's; a file that turns out shorter is kDestination
/// "store.object-changed".
std::shared_ptr<arrow::io::RandomAccessFile> NewLocalReader(
    std::shared_ptr<const LocalTree> tree, UniqueFd file, std::string path, int64_t size);

/// At most `size` bytes from `offset`, fewer only at the end of the file.
Result<int64_t> ReadFully(const LocalTree& tree, const UniqueFd& file,
                          const std::string& path, int64_t offset, int64_t size,
                          char* out);
/// Of the whole file.
Result<uint32_t> Crc32cOfFile(const LocalTree& tree, const UniqueFd& file,
                              const std::string& path);

}  // namespace sluice
