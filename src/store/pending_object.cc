#include "store/pending_object.h"

#include <string_view>

namespace sluice {

Status PendingStream::Write(const void* data, int64_t size) {
  ARROW_RETURN_NOT_OK(failure_);
  if (closed_) return Status::Invalid("write to a closed stream");
  failure_ = object_.Write({static_cast<const char*>(data), static_cast<size_t>(size)});
  return failure_;
}

Status PendingStream::Close() {
  closed_ = true;
  return failure_;
}

Status PendingStream::Abort() {
  closed_ = true;
  if (failure_.ok()) failure_ = Status::Cancelled("the stream was aborted");
  return Status::OK();
}

Result<int64_t> PendingStream::Tell() const {
  ARROW_RETURN_NOT_OK(failure_);
  if (closed_) return Status::Invalid("position of a closed stream");
  return object_.size();
}

}  // namespace sluice
