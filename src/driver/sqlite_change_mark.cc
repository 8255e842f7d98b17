// Everything is read through SQLite's own file handles: to open and close the database file a
// second time in this process would drop the POSIX locks that SQLite holds on it.
//
// A file is named by its device and inode, its size and when it was last written: one database put in
// the place of another may well have the same change counter. A handle whose file is no longer the
// one at its path has no mark.
//
// In rollback mode the header's change counter (bytes 24-27) moves with every commit. In WAL mode
// it does not; there a state is named by the log's salts and its last valid frame, both in the
// header of the shared index, and by what checkpoints have written to the main file, which shows
// in its modification time. A checkpoint that changes no data therefore reads as a change.
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cstring>

#include "driver/sqlite_api.h"

namespace sluice::sqlite {
namespace {

constexpr int kHeaderSize = 100;
constexpr int kWriteVersionOffset = 18;
constexpr int kChangeCounterOffset = 24;
constexpr unsigned char kWalVersion = 2;

// https://sqlite.org/walformat.html, "The WAL-Index Header": two copies of 48 bytes.
constexpr size_t kIndexCopySize = 48;
constexpr size_t kIndexFramesOffset = 16;
constexpr size_t kIndexSaltsOffset = 32;
constexpr int kIndexPageSize = 32768;
constexpr int kTornReadsMax = 1000;

using IndexCopy = std::array<unsigned char, kIndexCopySize>;

std::optional<IndexCopy> ReadWalIndex(sqlite3_file* file) {
  if (file->pMethods->iVersion < 2) return std::nullopt;
  void volatile* page = nullptr;
  const int code = file->pMethods->xShmMap(file, 0, kIndexPageSize, 0, &page);
  // "Read-only" is said of an index that is mapped, but not for writing.
  if ((code != SQLITE_OK && (code & 0xff) != SQLITE_READONLY) || page == nullptr)
    return std::nullopt;
  const auto* bytes = static_cast<const volatile unsigned char*>(page);
  // Writers fill the second copy first; equal copies were not being written.
  for (int attempt = 0; attempt < kTornReadsMax; ++attempt) {
    IndexCopy first, second;
    for (size_t i = 0; i < kIndexCopySize; ++i) first[i] = bytes[i];
    file->pMethods->xShmBarrier(file);
    for (size_t i = 0; i < kIndexCopySize; ++i) second[i] = bytes[kIndexCopySize + i];
    if (first == second) return first;
  }
  return std::nullopt;
}

uint32_t NativeWord(const IndexCopy& index, size_t offset) {
  uint32_t word;
  std::memcpy(&word, index.data() + offset, sizeof(word));
  return word;
}

uint32_t BigEndianWord(const unsigned char* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 |
         bytes[3];
}

}  // namespace

std::optional<std::string> Database::ChangeMark() {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(db_, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
      file == nullptr || file->pMethods == nullptr)
    return std::nullopt;
  std::array<unsigned char, kHeaderSize> header{};
  const int code = file->pMethods->xRead(file, header.data(), kHeaderSize, 0);
  // An empty file is an empty database: what is not there reads as zeros.
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return std::nullopt;
  struct stat main_file;
  if (stat(path_.c_str(), &main_file) != 0) return std::nullopt;
  int moved = 0;
  if (sqlite3_file_control(db_, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
      moved != 0)
    return std::nullopt;
  std::string mark = fmt::format("change={},file={:x}:{}/{},written={}.{:09}",
                                 BigEndianWord(header.data() + kChangeCounterOffset),
                                 main_file.st_dev, main_file.st_ino, main_file.st_size,
                                 main_file.st_mtim.tv_sec, main_file.st_mtim.tv_nsec);
  if (header[kWriteVersionOffset] != kWalVersion || immutable_) return mark;
  const std::optional<IndexCopy> index = ReadWalIndex(file);
  if (!index) return std::nullopt;
  const uint32_t frames = NativeWord(*index, kIndexFramesOffset);
  // Without frames the salts say nothing, and they differ whenever the index was rebuilt.
  if (frames == 0) return mark + ",wal=0";
  return mark + fmt::format(",wal={:08x}-{:08x}/{}",
                            NativeWord(*index, kIndexSaltsOffset),
                            NativeWord(*index, kIndexSaltsOffset + 4), frames);
}

}  // namespace sluice::sqlite
