#include "sluice/error.h"

#include <array>
#include <csignal>
#include <memory>
#include <utility>

#include "arrow/util/io_util.h"

namespace sluice {
namespace {

constexpr char kDetailTypeId[] = "sluice::Error";

class ErrorDetail : public arrow::StatusDetail {
 public:
  ErrorDetail(ErrorKind kind, std::string_view id, std::string hint)
      : kind_(kind), id_(id), hint_(std::move(hint)) {}

  const char* type_id() const override { return kDetailTypeId; }
  // Arrow prints it after the message, so it holds only what the message does not.
  std::string ToString() const override {
    return hint_.empty() ? "[" + id_ + "]" : "[" + id_ + "] HINT: " + hint_;
  }

  ErrorKind kind() const { return kind_; }
  const std::string& id() const { return id_; }
  const std::string& hint() const { return hint_; }

 private:
  ErrorKind kind_;
  std::string id_;
  std::string hint_;
};

const ErrorDetail* DetailOf(const Status& status) {
  if (status.ok() || status.detail() == nullptr) return nullptr;
  // Type ids are compared as text: two copies of this file may be linked into one process.
  if (std::string_view(status.detail()->type_id()) != kDetailTypeId) return nullptr;
  return static_cast<const ErrorDetail*>(status.detail().get());
}

arrow::StatusCode CodeFor(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kTransient:
    case ErrorKind::kSource:
    case ErrorKind::kDestination: return arrow::StatusCode::IOError;
    case ErrorKind::kResource: return arrow::StatusCode::CapacityError;
    case ErrorKind::kCancelled: return arrow::StatusCode::Cancelled;
    case ErrorKind::kCommitUnknown: return arrow::StatusCode::UnknownError;
    case ErrorKind::kFailed:
    case ErrorKind::kUsage:
    case ErrorKind::kMismatch:
    case ErrorKind::kHeld: break;
  }
  return arrow::StatusCode::Invalid;
}

constexpr int kInterrupted = 128 + SIGINT;
constexpr int kTerminated = 128 + SIGTERM;

}  // namespace

Status Error(ErrorKind kind, std::string_view id, std::string message, std::string hint) {
  return Status(CodeFor(kind), std::move(message),
                std::make_shared<ErrorDetail>(kind, id, std::move(hint)));
}

Status InContext(const Status& status, std::string_view context) {
  if (status.ok()) return status;
  return status.WithMessage(context, ": ", status.message());
}

ErrorKind KindOf(const Status& status) {
  if (const ErrorDetail* detail = DetailOf(status)) return detail->kind();
  if (status.IsOutOfMemory() || status.IsCapacityError()) return ErrorKind::kResource;
  if (status.IsCancelled()) return ErrorKind::kCancelled;
  return ErrorKind::kFailed;
}

std::string_view IdOf(const Status& status) {
  const ErrorDetail* detail = DetailOf(status);
  return detail == nullptr ? std::string_view() : detail->id();
}

std::string_view HintOf(const Status& status) {
  const ErrorDetail* detail = DetailOf(status);
  return detail == nullptr ? std::string_view() : detail->hint();
}

int ExitCodeOf(const Status& status) {
  if (status.ok()) return 0;
  switch (KindOf(status)) {
    case ErrorKind::kFailed: return 1;
    case ErrorKind::kUsage: return 2;
    case ErrorKind::kMismatch: return 3;
    case ErrorKind::kHeld: return 4;
    case ErrorKind::kTransient:
    case ErrorKind::kCommitUnknown: return 5;
    case ErrorKind::kSource: return 6;
    case ErrorKind::kDestination: return 7;
    case ErrorKind::kResource: return 8;
    case ErrorKind::kCancelled: break;
  }
  // Arrow's stop tokens carry the signal that asked.
  return arrow::internal::SignalFromStatus(status) == SIGTERM ? kTerminated
                                                              : kInterrupted;
}

int WorstExitCode(int a, int b) {
  if (a == 0) return b;
  for (int code : std::array{kTerminated, kInterrupted, 3, 6, 4, 2, 7, 8, 1, 5}) {
    if (a == code || b == code) return code;
  }
  return a;
}

}  // namespace sluice
