#include "transfer/prefetch.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "arrow/record_batch.h"
#include "base/crash_point.h"

namespace sluice {
namespace {

class AheadReader : public arrow::RecordBatchReader {
 public:
  AheadReader(std::shared_ptr<arrow::RecordBatchReader> rows, size_t depth)
      : rows_(std::move(rows)), schema_(rows_->schema()), depth_(depth) {
    thread_ = std::thread([this, hook = CurrentCrashHook()] {
      SetCrashHook(hook);
      Run();
    });
  }

  ~AheadReader() override {
    {
      std::lock_guard lock(mutex_);
      abandoned_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_ || !batches_.empty(); });
    if (batches_.empty()) {
      *batch = nullptr;
      return status_;
    }
    *batch = std::move(batches_.front());
    batches_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return Status::OK();
  }

 private:
  void Run() {
    Status status;
    for (;;) {
      std::shared_ptr<arrow::RecordBatch> batch;
      status = rows_->ReadNext(&batch);
      if (!status.ok() || batch == nullptr) break;
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return abandoned_ || batches_.size() < depth_; });
      if (abandoned_) break;
      batches_.push_back(std::move(batch));
      lock.unlock();
      changed_.notify_all();
    }
    // The source's reader ends with its thread: a session has one thread at a time.
    rows_.reset();
    {
      std::lock_guard lock(mutex_);
      status_ = std::move(status);
      ended_ = true;
    }
    changed_.notify_all();
  }

  std::shared_ptr<arrow::RecordBatchReader> rows_;
  const std::shared_ptr<arrow::Schema> schema_;
  const size_t depth_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<arrow::RecordBatch>> batches_;  // guarded by mutex_
  Status status_;                                            // guarded by mutex_
  bool ended_ = false, abandoned_ = false;                   // guarded by mutex_
  std::thread thread_;
};

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> ReadAhead(
    std::shared_ptr<arrow::RecordBatchReader> rows, int depth) {
  if (depth <= 0) return rows;
  return std::make_shared<AheadReader>(std::move(rows), static_cast<size_t>(depth));
}

}  // namespace sluice
