#include "testing/faulty_store.h"

#include <string>
#include <utility>

#include "arrow/buffer.h"
#include "arrow/io/interfaces.h"
#include "arrow/util/cancel.h"

namespace sluice {
namespace {

constexpr auto kHangMax = std::chrono::seconds(10);

Status Dead() {
  return Error(ErrorKind::kFailed, "fault.dead", "this process was killed");
}

}  // namespace

/// Every call passes here: counted, delayed, refused, or let through and then lied about.
class FaultGate {
 public:
  explicit FaultGate(std::shared_ptr<FaultScript> script) : script_(std::move(script)) {}

  template <typename Act>
  auto Pass(StoreCall call, Act act) const -> decltype(act(false)) {
    const Verdict verdict = Enter(call);
    ARROW_RETURN_NOT_OK(verdict.before);
    auto result = act(verdict.is_short);
    if (script_->dead()) return Dead();
    if (result.ok()) ARROW_RETURN_NOT_OK(verdict.after);
    return result;
  }

  bool dead() const { return script_->dead(); }
  void Abandon(std::unique_ptr<PendingObject> object) const {
    const std::lock_guard lock(script_->mutex_);
    script_->abandoned_.push_back(std::move(object));
  }

 private:
  struct Verdict {
    Status before, after;
    bool is_short = false;
  };

  Verdict Enter(StoreCall call) const {
    std::unique_lock lock(script_->mutex_);
    if (script_->dead_) return {Dead(), {}};
    const int64_t nth = ++script_->calls_[call];
    Verdict verdict;
    std::chrono::nanoseconds delay{0};
    for (const Fault& fault : script_->faults_) {
      if (fault.call != call || nth < fault.nth || nth >= fault.nth + fault.times)
        continue;
      const std::string what = std::string(ToString(fault.kind)) + " at call " +
                               std::to_string(nth) + " of " + ToString(call);
      const Status scripted = Error(fault.error, "fault.scripted", what);
      const Status lost = Error(ErrorKind::kCommitUnknown, "fault.lost", what);
      switch (fault.kind) {
        case FaultKind::kErrorBefore: verdict.before = scripted; break;
        case FaultKind::kErrorAfter: verdict.after = scripted; break;
        case FaultKind::kLostRequest: verdict.before = lost; break;
        case FaultKind::kLostReply: verdict.after = lost; break;
        case FaultKind::kShortRead: verdict.is_short = true; break;
        case FaultKind::kSlow: delay += fault.duration; break;
        case FaultKind::kHang:
          script_->released_.wait_for(
              lock, kHangMax, [&] { return script_->hangs_released_ || script_->dead_; });
          verdict.before =
              script_->dead_ ? Dead() : Error(ErrorKind::kTransient, "fault.hang", what);
          break;
      }
    }
    lock.unlock();
    if (delay.count() > 0 && script_->clock_ != nullptr && verdict.before.ok()) {
      verdict.before = script_->clock_->Sleep(delay, arrow::StopToken::Unstoppable());
    }
    return verdict;
  }

  const std::shared_ptr<FaultScript> script_;
};

namespace {

class FaultyObject final : public PendingObject {
 public:
  FaultyObject(std::unique_ptr<PendingObject> object, FaultGate gate)
      : object_(std::move(object)), gate_(std::move(gate)) {}
  ~FaultyObject() override {
    if (gate_.dead()) gate_.Abandon(std::move(object_));
  }

  Status Write(std::string_view bytes) override {
    ARROW_RETURN_NOT_OK(failure_);
    failure_ = gate_.Pass(StoreCall::kWrite, [&](bool) { return object_->Write(bytes); });
    return failure_;
  }
  int64_t size() const override { return object_->size(); }
  Result<StagedObject> Stage() override {
    ARROW_RETURN_NOT_OK(failure_);
    return gate_.Pass(StoreCall::kStage, [&](bool) { return object_->Stage(); });
  }

 private:
  std::unique_ptr<PendingObject> object_;
  const FaultGate gate_;
  Status failure_;
};

class FaultyFile final : public arrow::io::RandomAccessFile {
 public:
  FaultyFile(std::shared_ptr<arrow::io::RandomAccessFile> file, FaultGate gate)
      : file_(std::move(file)), gate_(std::move(gate)) {}

  Status Close() override { return file_->Close(); }
  bool closed() const override { return file_->closed(); }
  Result<int64_t> Tell() const override { return file_->Tell(); }
  Status Seek(int64_t position) override { return file_->Seek(position); }
  Result<int64_t> GetSize() override { return file_->GetSize(); }
  Result<int64_t> Read(int64_t size, void* out) override {
    return gate_.Pass(StoreCall::kReadBytes, [&](bool half) {
      return file_->Read(half ? size / 2 : size, out);
    });
  }
  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override {
    return gate_.Pass(StoreCall::kReadBytes,
                      [&](bool half) { return file_->Read(half ? size / 2 : size); });
  }
  Result<int64_t> ReadAt(int64_t position, int64_t size, void* out) override {
    return gate_.Pass(StoreCall::kReadBytes, [&](bool half) {
      return file_->ReadAt(position, half ? size / 2 : size, out);
    });
  }
  Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t size) override {
    return gate_.Pass(StoreCall::kReadBytes, [&](bool half) {
      return file_->ReadAt(position, half ? size / 2 : size);
    });
  }

 private:
  const std::shared_ptr<arrow::io::RandomAccessFile> file_;
  const FaultGate gate_;
};

class FaultyStore final : public Store {
 public:
  FaultyStore(std::unique_ptr<Store> store, std::shared_ptr<FaultScript> script)
      : store_(std::move(store)), gate_(std::move(script)) {}

  std::string Describe() const override { return store_->Describe(); }
  Result<ProbeVerdict> Probe() override {
    return gate_.Pass(StoreCall::kProbe, [&](bool) { return store_->Probe(); });
  }
  Result<std::unique_ptr<PendingObject>> Begin(const StageTarget& target) override {
    // The object is kept aside: a call that is said to have failed must not hand it out.
    std::unique_ptr<PendingObject> object;
    ARROW_RETURN_NOT_OK(gate_.Pass(StoreCall::kBegin, [&](bool) -> Status {
      ARROW_ASSIGN_OR_RAISE(object, store_->Begin(target));
      return Status::OK();
    }));
    return std::make_unique<FaultyObject>(std::move(object), gate_);
  }
  Result<ObjectRef> Publish(const StagedObject& staged) override {
    return gate_.Pass(StoreCall::kPublish, [&](bool) { return store_->Publish(staged); });
  }
  Status Abort(const StagedObject& staged) override {
    return gate_.Pass(StoreCall::kAbort, [&](bool) { return store_->Abort(staged); });
  }
  Result<PutOutcome> Put(const std::string& path, std::string_view bytes,
                         PutMode mode) override {
    return gate_.Pass(StoreCall::kPut,
                      [&](bool) { return store_->Put(path, bytes, mode); });
  }
  Result<std::optional<std::string>> Get(const std::string& path,
                                         int64_t size_max) override {
    return gate_.Pass(StoreCall::kGet, [&](bool half) {
      auto bytes = store_->Get(path, size_max);
      if (half && bytes.ok() && bytes->has_value())
        (*bytes)->resize((*bytes)->size() / 2);
      return bytes;
    });
  }
  Result<std::optional<ObjectInfo>> Head(const std::string& path) override {
    return gate_.Pass(StoreCall::kHead, [&](bool) { return store_->Head(path); });
  }
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> Read(
      const ObjectRef& object) override {
    ARROW_ASSIGN_OR_RAISE(auto file, gate_.Pass(StoreCall::kRead, [&](bool) {
      return store_->Read(object);
    }));
    return std::make_shared<FaultyFile>(std::move(file), gate_);
  }
  Result<std::vector<ObjectInfo>> List(const std::string& folder) override {
    return gate_.Pass(StoreCall::kList, [&](bool) { return store_->List(folder); });
  }
  Result<std::vector<StagedObject>> ListStaged(const std::string& folder) override {
    return gate_.Pass(StoreCall::kListStaged,
                      [&](bool) { return store_->ListStaged(folder); });
  }
  Status Delete(const std::string& path) override {
    return gate_.Pass(StoreCall::kDelete, [&](bool) { return store_->Delete(path); });
  }

 private:
  const std::unique_ptr<Store> store_;
  const FaultGate gate_;
};

}  // namespace

void FaultScript::Add(const Fault& fault) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(fault);
}

void FaultScript::Kill() {
  const std::lock_guard lock(mutex_);
  dead_ = true;
  released_.notify_all();
}

bool FaultScript::dead() const {
  const std::lock_guard lock(mutex_);
  return dead_;
}

void FaultScript::ReleaseHangs() {
  const std::lock_guard lock(mutex_);
  hangs_released_ = true;
  released_.notify_all();
}

int64_t FaultScript::calls(StoreCall call) const {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(call);
  return found == calls_.end() ? 0 : found->second;
}

int64_t FaultScript::calls() const {
  const std::lock_guard lock(mutex_);
  int64_t all = 0;
  for (const auto& [call, count] : calls_) all += count;
  return all;
}

std::unique_ptr<Store> NewFaultyStore(std::unique_ptr<Store> store,
                                      std::shared_ptr<FaultScript> script) {
  return std::make_unique<FaultyStore>(std::move(store), std::move(script));
}

const char* ToString(StoreCall call) {
  static constexpr const char* kNames[kStoreCallCount] = {
      "probe", "begin", "write", "stage",      "publish", "abort",       "put",
      "get",   "head",  "read",  "read-bytes", "list",    "list-staged", "delete"};
  return kNames[static_cast<int>(call)];
}

const char* ToString(FaultKind kind) {
  switch (kind) {
    case FaultKind::kErrorBefore: return "error before effect";
    case FaultKind::kErrorAfter: return "error after effect";
    case FaultKind::kLostRequest: return "lost request";
    case FaultKind::kLostReply: return "lost reply";
    case FaultKind::kShortRead: return "short read";
    case FaultKind::kSlow: return "slow";
    case FaultKind::kHang: return "hang";
  }
  return "unknown";
}

}  // namespace sluice
