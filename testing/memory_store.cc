#include "testing/memory_store.h"

#include <array>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "arrow/buffer.h"
#include "arrow/io/memory.h"

namespace sluice {
namespace {

/// Bit by bit: shares nothing with the program's own.
uint32_t Crc32c(std::string_view bytes) {
  static const auto kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78u : 0);
      table[i] = crc;
    }
    return table;
  }();
  uint32_t crc = ~0u;
  for (const char c : bytes)
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<uint8_t>(c)) & 0xFF];
  return ~crc;
}

bool IsStagingPath(const std::string& path) {
  return ("/" + path + "/").find("/_sluice/staging/") != std::string::npos;
}

bool IsBelow(const std::string& path, const std::string& folder) {
  return folder.empty() || path.starts_with(folder + '/');
}

Status Refuse(std::string_view id, const std::string& message) {
  return Error(ErrorKind::kDestination, id, message);
}

Status CheckPath(const std::string& path) {
  const std::string padded = '/' + path + '/';
  const bool good = !path.empty() && padded.find("//") == std::string::npos &&
                    padded.find("/./") == std::string::npos &&
                    padded.find("/../") == std::string::npos &&
                    path.find('\0') == std::string::npos;
  return good ? Status::OK()
              : Refuse("store.bad-path", "wanted a path below the root: " + path);
}

Status CheckPublishedPath(const std::string& path) {
  ARROW_RETURN_NOT_OK(CheckPath(path));
  if (!IsStagingPath(path)) return Status::OK();
  return Refuse("store.bad-path", "wanted the path of a published object: " + path);
}

}  // namespace

struct MemoryState {
  struct Object {
    std::string bytes, version, attempt;
    int64_t modified_micros = 0;
    uint32_t crc32c = 0;
  };
  struct Upload {
    StageTarget target;
    std::string bytes;
    bool complete = false;
    int64_t modified_micros = 0;
  };

  std::mutex mutex;
  MemoryStoreOptions options;
  std::map<std::string, Object> objects;
  std::map<std::string, Upload> uploads;  ///< by token
  std::vector<Sighting> sightings;
  std::function<Status()> on_half, on_staged;
  int64_t changes = 0;

  /// The caller holds the mutex.
  int64_t NowMicros() const {
    return options.clock != nullptr ? options.clock->NowMicros()
                                    : 1'767'225'600'000'000 + changes * 1'000'000;
  }

  /// The caller holds the mutex.
  Object& Show(const std::string& path, std::string bytes, const std::string& attempt) {
    ++changes;
    const bool replaced = objects.contains(path);
    Object& object = objects[path];
    object = {std::move(bytes), "v" + std::to_string(changes), attempt, 0, 0};
    object.crc32c = Crc32c(object.bytes);
    object.modified_micros = NowMicros();
    sightings.push_back(
        {replaced ? Sighting::Change::kReplaced : Sighting::Change::kAppeared, path,
         attempt, static_cast<int64_t>(object.bytes.size()), true});
    return object;
  }
};

namespace {

class MemoryObject final : public PendingObject {
 public:
  MemoryObject(std::shared_ptr<MemoryState> state, std::string token)
      : state_(std::move(state)), token_(std::move(token)) {}

  ~MemoryObject() override {
    const std::lock_guard lock(state_->mutex);
    if (!staged_) state_->uploads.erase(token_);
  }

  Status Write(std::string_view bytes) override {
    ARROW_RETURN_NOT_OK(failure_);
    if (staged_) return Status::Invalid("write to a staged object");
    failure_ = Append(bytes);
    return failure_;
  }

  int64_t size() const override { return size_; }

  Result<StagedObject> Stage() override {
    ARROW_RETURN_NOT_OK(failure_);
    if (staged_) return Status::Invalid("an object is staged once");
    StagedObject staged;
    std::function<Status()> hook;
    {
      const std::lock_guard lock(state_->mutex);
      const auto found = state_->uploads.find(token_);
      if (found == state_->uploads.end()) return Gone();
      found->second.complete = staged_ = true;
      const MemoryState::Upload& upload = found->second;
      staged = {upload.target.path,
                upload.target.attempt,
                token_,
                size_,
                Crc32c(upload.bytes),
                0};
      hook = state_->on_staged;
    }
    if (hook) ARROW_RETURN_NOT_OK(hook());
    return staged;
  }

 private:
  Status Gone() const {
    return Refuse("store.staged-gone", "the upload was aborted: " + token_);
  }

  Status Append(std::string_view bytes) {
    if (bytes.empty()) return Status::OK();
    std::function<Status()> hook;
    {
      const std::lock_guard lock(state_->mutex);
      const auto found = state_->uploads.find(token_);
      if (found == state_->uploads.end()) return Gone();
      if (size_ == 0) hook = state_->on_half;
      found->second.bytes.append(bytes);
      size_ += static_cast<int64_t>(bytes.size());
    }
    return hook ? hook() : Status::OK();
  }

  const std::shared_ptr<MemoryState> state_;
  const std::string token_;
  int64_t size_ = 0;
  bool staged_ = false;
  Status failure_;
};

class MemoryHandle final : public Store {
 public:
  explicit MemoryHandle(std::shared_ptr<MemoryState> state) : state_(std::move(state)) {}

  std::string Describe() const override { return "memory:"; }

  Result<ProbeVerdict> Probe() override {
    const std::lock_guard lock(state_->mutex);
    const MemoryStoreOptions& options = state_->options;
    return ProbeVerdict{options.create_only, options.create_only && options.atomic, true,
                        "the objects are in this process's memory"};
  }

  Result<std::unique_ptr<PendingObject>> Begin(const StageTarget& target) override {
    ARROW_RETURN_NOT_OK(CheckPublishedPath(target.path));
    ARROW_RETURN_NOT_OK(CheckPath(target.staging_path));
    if (!IsStagingPath(target.staging_path)) {
      return Refuse("store.bad-path",
                    "wanted a path below _sluice/staging: " + target.staging_path);
    }
    const std::lock_guard lock(state_->mutex);
    for (const auto& [token, upload] : state_->uploads) {
      if (upload.target.staging_path == target.staging_path) {
        return Refuse("store.staging-taken",
                      "an attempt is written once: " + target.staging_path);
      }
    }
    const std::string token = "upload-" + std::to_string(++state_->changes);
    state_->uploads[token].target = target;
    state_->uploads[token].modified_micros = state_->NowMicros();
    return std::make_unique<MemoryObject>(state_, token);
  }

  Result<ObjectRef> Publish(const StagedObject& staged) override {
    ARROW_RETURN_NOT_OK(CheckPublishedPath(staged.path));
    std::unique_lock lock(state_->mutex);
    auto published = state_->objects.find(staged.path);
    if (published != state_->objects.end()) {
      const MemoryState::Object& object = published->second;
      const ObjectRef ref{staged.path, object.version,
                          static_cast<int64_t>(object.bytes.size()), object.crc32c};
      if (ref.size == staged.size && ref.crc32c == staged.crc32c) return ref;
      if (state_->options.create_only) {
        return Refuse("store.name-taken", "another object has the name: " + staged.path);
      }
    }
    LookAway(lock);
    const auto upload = state_->uploads.find(staged.token);
    if (upload == state_->uploads.end() || !upload->second.complete) {
      return Refuse("store.staged-gone", "what was staged is gone: " + staged.path);
    }
    const MemoryState::Object& object =
        state_->Show(staged.path, std::move(upload->second.bytes), staged.attempt);
    state_->uploads.erase(upload);
    return ObjectRef{staged.path, object.version, staged.size, staged.crc32c};
  }

  Status Abort(const StagedObject& staged) override {
    const std::lock_guard lock(state_->mutex);
    state_->uploads.erase(staged.token);
    return Status::OK();
  }

  Result<PutOutcome> Put(const std::string& path, std::string_view bytes,
                         PutMode mode) override {
    ARROW_RETURN_NOT_OK(CheckPublishedPath(path));
    std::unique_lock lock(state_->mutex);
    const bool refuse = mode == PutMode::kCreateOnly && state_->options.create_only;
    if (refuse && state_->objects.contains(path)) return PutOutcome::kExists;
    LookAway(lock);
    state_->Show(path, std::string(bytes), "");
    return PutOutcome::kCreated;
  }

  Result<std::optional<std::string>> Get(const std::string& path,
                                         int64_t size_max) override {
    ARROW_RETURN_NOT_OK(CheckPublishedPath(path));
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->objects.find(path);
    if (found == state_->objects.end()) return std::nullopt;
    if (static_cast<int64_t>(found->second.bytes.size()) > size_max) {
      return Refuse("store.object-too-large", "the object is too large: " + path);
    }
    return found->second.bytes;
  }

  Result<std::optional<ObjectInfo>> Head(const std::string& path) override {
    ARROW_RETURN_NOT_OK(CheckPublishedPath(path));
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->objects.find(path);
    if (found == state_->objects.end()) return std::nullopt;
    return InfoOf(*found);
  }

  Result<std::shared_ptr<arrow::io::RandomAccessFile>> Read(
      const ObjectRef& wanted) override {
    ARROW_RETURN_NOT_OK(CheckPublishedPath(wanted.path));
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->objects.find(wanted.path);
    if (found == state_->objects.end()) {
      return Refuse("store.object-gone", "the object is gone: " + wanted.path);
    }
    const MemoryState::Object& object = found->second;
    const bool same = wanted.version_id.empty() || wanted.version_id == object.version ||
                      wanted.crc32c == object.crc32c;
    if (!same || static_cast<int64_t>(object.bytes.size()) != wanted.size) {
      return Refuse("store.object-changed", "the object is another one: " + wanted.path);
    }
    return std::make_shared<arrow::io::BufferReader>(
        arrow::Buffer::FromString(object.bytes));
  }

  Result<std::vector<ObjectInfo>> List(const std::string& folder) override {
    if (!folder.empty()) ARROW_RETURN_NOT_OK(CheckPath(folder));
    const std::lock_guard lock(state_->mutex);
    std::vector<ObjectInfo> objects;
    for (const auto& entry : state_->objects) {
      if (IsBelow(entry.first, folder)) objects.push_back(InfoOf(entry));
    }
    return objects;
  }

  Result<std::vector<StagedObject>> ListStaged(const std::string& folder) override {
    if (!folder.empty()) ARROW_RETURN_NOT_OK(CheckPath(folder));
    const std::lock_guard lock(state_->mutex);
    std::vector<StagedObject> staged;
    for (const auto& [token, upload] : state_->uploads) {
      const StageTarget& target = upload.target;
      if (!IsBelow(target.path, folder) && !IsBelow(target.staging_path, folder))
        continue;
      staged.push_back({target.path, target.attempt, token,
                        static_cast<int64_t>(upload.bytes.size()), 0, 0,
                        upload.modified_micros});
    }
    return staged;
  }

  Status Delete(const std::string& path) override {
    ARROW_RETURN_NOT_OK(CheckPublishedPath(path));
    const std::lock_guard lock(state_->mutex);
    if (state_->objects.erase(path) == 0) return Status::OK();
    state_->sightings.push_back({Sighting::Change::kRemoved, path, "", 0, true});
    return Status::OK();
  }

 private:
  static ObjectInfo InfoOf(
      const std::pair<const std::string, MemoryState::Object>& entry) {
    return {entry.first, entry.second.version,
            static_cast<int64_t>(entry.second.bytes.size()), entry.second.modified_micros,
            std::nullopt};
  }

  /// Between looking and writing, in a store that is not atomic.
  void LookAway(std::unique_lock<std::mutex>& lock) const {
    if (state_->options.atomic) return;
    lock.unlock();
    std::this_thread::yield();
    lock.lock();
  }

  const std::shared_ptr<MemoryState> state_;
};

}  // namespace

MemoryStore::MemoryStore(MemoryStoreOptions options)
    : state_(std::make_shared<MemoryState>()) {
  state_->options = options;
}

std::unique_ptr<Store> MemoryStore::Open() const {
  return std::make_unique<MemoryHandle>(state_);
}

std::map<std::string, std::string> MemoryStore::Objects() const {
  const std::lock_guard lock(state_->mutex);
  std::map<std::string, std::string> objects;
  for (const auto& [path, object] : state_->objects) objects[path] = object.bytes;
  return objects;
}

int64_t MemoryStore::staged() const {
  const std::lock_guard lock(state_->mutex);
  return static_cast<int64_t>(state_->uploads.size());
}

std::vector<Sighting> MemoryStore::Sightings() const {
  const std::lock_guard lock(state_->mutex);
  return state_->sightings;
}

void MemoryStore::Corrupt(const std::string& path, std::string bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->objects[path].bytes = std::move(bytes);
  state_->sightings.push_back({Sighting::Change::kReplaced, path, "", 0, false});
}

void MemoryStore::OnUpload(std::function<Status()> half, std::function<Status()> staged) {
  const std::lock_guard lock(state_->mutex);
  state_->on_half = std::move(half);
  state_->on_staged = std::move(staged);
}

}  // namespace sluice
