/// \file
/// The system calls of this test program, recorded and made to fail. The test program
/// defines fsync, linkat and the others itself, in front of the C library's.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace sluice {

/// One call: "fsync", "link", "rename", "mkdir", "unlink", "write", "read". Of two paths,
/// the new one.
struct SystemCall {
  std::string name, path;
  bool operator==(const SystemCall&) const = default;
};

/// How a rename that must not replace treats a name that is there.
enum class RenameWay { kRefuses, kReplaces, kLooksFirst };

/// While it lives, calls on paths below `root` are recorded, by their paths below it. One
/// at a time; its calls from any thread.
class SystemCallScript {
 public:
  explicit SystemCallScript(std::string root);
  ~SystemCallScript();
  SystemCallScript(const SystemCallScript&) = delete;
  SystemCallScript& operator=(const SystemCallScript&) = delete;

  /// Asked before each call; not 0: the call is not made and fails with that errno.
  void FailBy(std::function<int(const SystemCall&)> failure);
  /// write moves at most that many bytes, and every other one is interrupted.
  void WriteInPieces(size_t size_max);
  void RenameBy(RenameWay way);
  /// Calls that succeeded, writes and reads not among them.
  std::vector<SystemCall> Calls() const;

 private:
  friend class SystemCallGate;
  const std::string root_;
  mutable std::mutex mutex_;
  std::function<int(const SystemCall&)> failure_;
  std::vector<SystemCall> calls_;
  size_t write_size_max_ = 0;
  RenameWay rename_way_ = RenameWay::kRefuses;
  bool interrupt_next_ = false;
};

}  // namespace sluice
