/// \file
/// A stored object as Arrow reads one.
#pragma once

#include <cstdint>
#include <memory>

#include "arrow/io/interfaces.h"
#include "sluice/error.h"

namespace sluice {

/// Of a known size. ReadAt is thread-safe, unlike the calls that move the position.
class RangedFile : public arrow::io::RandomAccessFile {
 public:
  explicit RangedFile(int64_t size) : size_(size) {}

  Result<int64_t> GetSize() override;
  Result<int64_t> Tell() const override;
  Status Seek(int64_t position) override;
  Result<int64_t> Read(int64_t size, void* out) override;
  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override;
  Result<int64_t> ReadAt(int64_t position, int64_t size, void* out) override;
  Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t size) override;

 protected:
  /// All of a range within the file that is not empty. Thread-safe.
  virtual Status ReadRange(int64_t position, int64_t size, char* out) = 0;
  int64_t size() const { return size_; }

 private:
  Status CheckOpen() const;
  /// What of a range is within the file.
  Result<int64_t> Within(int64_t position, int64_t size) const;

  const int64_t size_;
  int64_t position_ = 0;
};

}  // namespace sluice
