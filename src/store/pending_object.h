/// \file
/// An object being written, as the stream that encoders want.
#pragma once

#include <cstdint>
#include <memory>

#include "arrow/io/interfaces.h"
#include "sluice/store.h"

namespace sluice {

/// Neither Close nor the destructor stages or publishes anything: only the owner of
/// `object` does. After an error every call returns that error, Close too. One thread;
/// `object` outlives it.
class PendingStream final : public arrow::io::OutputStream {
 public:
  explicit PendingStream(PendingObject& object) : object_(object) {}
  ~PendingStream() override = default;

  using arrow::io::OutputStream::Write;
  Status Write(const void* data, int64_t size) override;
  Status Flush() override { return failure_; }
  Status Close() override;
  Status Abort() override;
  bool closed() const override { return closed_; }
  Result<int64_t> Tell() const override;

 private:
  PendingObject& object_;
  Status failure_;
  bool closed_ = false;
};

}  // namespace sluice
