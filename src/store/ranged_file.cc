#include "store/ranged_file.h"

#include <algorithm>
#include <utility>

#include "arrow/buffer.h"

namespace sluice {

Result<int64_t> RangedFile::GetSize() {
  ARROW_RETURN_NOT_OK(CheckOpen());
  return size_;
}

Result<int64_t> RangedFile::Tell() const {
  ARROW_RETURN_NOT_OK(CheckOpen());
  return position_;
}

Status RangedFile::Seek(int64_t position) {
  ARROW_RETURN_NOT_OK(CheckOpen());
  if (position < 0) return Status::Invalid("seek before the start: ", position);
  position_ = position;
  return Status::OK();
}

Result<int64_t> RangedFile::Read(int64_t size, void* out) {
  ARROW_ASSIGN_OR_RAISE(const int64_t done, ReadAt(position_, size, out));
  position_ += done;
  return done;
}

Result<std::shared_ptr<arrow::Buffer>> RangedFile::Read(int64_t size) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, size));
  position_ += buffer->size();
  return buffer;
}

Result<int64_t> RangedFile::ReadAt(int64_t position, int64_t size, void* out) {
  ARROW_ASSIGN_OR_RAISE(const int64_t within, Within(position, size));
  if (within > 0)
    ARROW_RETURN_NOT_OK(ReadRange(position, within, static_cast<char*>(out)));
  return within;
}

Result<std::shared_ptr<arrow::Buffer>> RangedFile::ReadAt(int64_t position,
                                                          int64_t size) {
  ARROW_ASSIGN_OR_RAISE(const int64_t within, Within(position, size));
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(within));
  if (within > 0)
    ARROW_RETURN_NOT_OK(
        ReadRange(position, within, reinterpret_cast<char*>(buffer->mutable_data())));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

Status RangedFile::CheckOpen() const {
  return closed() ? Status::Invalid("the file is closed") : Status::OK();
}

Result<int64_t> RangedFile::Within(int64_t position, int64_t size) const {
  ARROW_RETURN_NOT_OK(CheckOpen());
  if (position < 0 || size < 0)
    return Status::Invalid("read of ", size, " bytes at ", position);
  return std::clamp<int64_t>(size_ - position, 0, size);
}

}  // namespace sluice
