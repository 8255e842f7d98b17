/// \file
/// Bytes under names, in two phases: staged is durable and invisible, published is whole.
///
/// Paths are relative to the store's root, '/'-separated, already encoded segment by segment
/// (base/path_name.h). Nothing becomes visible from a destructor, an error path or a retry.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arrow/io/type_fwd.h"
#include "sluice/error.h"
#include "sluice/finding.h"

namespace sluice {

/// A published object. `version_id` is the store's (S3 version or ETag; local: the inode).
struct ObjectRef {
  std::string path;
  std::string version_id;
  int64_t size = 0;
  uint32_t crc32c = 0;
  bool operator==(const ObjectRef&) const = default;
};

/// Durable, invisible, complete: what any process needs to publish or abort it. Crosses processes.
struct StagedObject {
  std::string path;     ///< the name it will have
  std::string attempt;  ///< who wrote it
  std::string
      token;  ///< the store's own (staging path and inode; upload id and parts), opaque
  int64_t size = 0;
  uint32_t crc32c = 0;
  int64_t rows = 0;             ///< filled by the destination
  int64_t modified_micros = 0;  ///< told by ListStaged, the store's clock; else 0
  bool operator==(const StagedObject&) const = default;
};

struct ObjectInfo {
  std::string path;
  std::string version_id;
  int64_t size = 0;
  int64_t modified_micros = 0;  ///< the store's clock
  /// Of all bytes, where the store keeps one that it proved when it took them; told by Head.
  std::optional<uint32_t> crc32c;
};

struct StageTarget {
  std::string path;  ///< final name
  std::string
      staging_path;  ///< where a store without a native staging area keeps it meanwhile
  std::string attempt;
};

/// One object being written. One thread. Dropping it without Stage leaves nothing visible and,
/// where the store still answers, nothing at all.
class PendingObject {
 public:
  virtual ~PendingObject() = default;
  virtual Status Write(std::string_view bytes) = 0;
  virtual int64_t size() const = 0;
  /// Makes what was written durable; still invisible. Once.
  virtual Result<StagedObject> Stage() = 0;
};

enum class PutOutcome { kCreated, kExists };
enum class PutMode { kCreateOnly, kOverwrite };

/// What the store was seen to do (safety: A1).
struct ProbeVerdict {
  bool create_only = false;  ///< a second create of one name is refused
  bool atomic = false;       ///< of many creators at once exactly one wins
  bool durable = false;      ///< syncs are accepted
  std::string detail;        ///< a sentence for people
  bool Enforced() const { return create_only && atomic; }
};

/// Thread-safe. Errors: kDestination (full, read-only, forbidden, gone, a directory in the way),
/// kTransient (may be retried), kCommitUnknown (the effect is unknown: look before you act).
class Store {
 public:
  virtual ~Store() = default;
  virtual std::string Describe() const = 0;  ///< URI without secrets
  virtual Result<ProbeVerdict> Probe() = 0;
  /// Permissions, settings and clock, tried one by one; what it makes it removes.
  virtual std::vector<Finding> Inspect();
  /// Requests that are worth having under way at once.
  virtual int width() const { return 1; }

  virtual Result<std::unique_ptr<PendingObject>> Begin(const StageTarget& target) = 0;
  /// Create-only. Ours already there (same inode; or size and crc32c of the receipt): adopted.
  /// Somebody else's there: kDestination "store.name-taken". Neither staged nor there:
  /// kDestination "store.staged-gone".
  virtual Result<ObjectRef> Publish(const StagedObject& staged) = 0;
  /// Idempotent; never touches a published object.
  virtual Status Abort(const StagedObject& staged) = 0;

  /// A small object, whole and durable or not at all.
  virtual Result<PutOutcome> Put(const std::string& path, std::string_view bytes,
                                 PutMode mode) = 0;
  /// The bytes of a small object; nothing when absent; kDestination beyond `size_max`.
  virtual Result<std::optional<std::string>> Get(const std::string& path,
                                                 int64_t size_max) = 0;
  virtual Result<std::optional<ObjectInfo>> Head(const std::string& path) = 0;
  /// kDestination "store.object-changed": another size; another version, and not those bytes (crc32c).
  virtual Result<std::shared_ptr<arrow::io::RandomAccessFile>> Read(
      const ObjectRef& object) = 0;
  /// Published objects below a folder, by path; staged ones never appear.
  virtual Result<std::vector<ObjectInfo>> List(const std::string& folder) = 0;
  /// Staged, unpublished leftovers below a folder (any writer's); abortable. The size is a hint.
  virtual Result<std::vector<StagedObject>> ListStaged(const std::string& folder) = 0;
  /// Idempotent. Removes a published object, and folders this empties.
  virtual Status Delete(const std::string& path) = 0;
};

}  // namespace sluice
