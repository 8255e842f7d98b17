/// \file
/// The lock files of lease holders: `{job}.{epoch}.lock`, under flock for as long as the
/// holder's process lives. They tell a dead holder of this machine from a slow one.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "sluice/error.h"

namespace sluice::state {

/// A lock this process holds. Dropping it unlocks, as the death of the process does.
class HolderLock {
 public:
  HolderLock(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  HolderLock(HolderLock&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  HolderLock& operator=(HolderLock&& other) noexcept;
  ~HolderLock();
  /// Unlocks for good: the file goes too.
  void Remove();

 private:
  int fd_;
  std::string path_;
};

class LockFolder {
 public:
  /// "": nowhere; leases live by time alone.
  explicit LockFolder(std::string path) : path_(std::move(path)) {}

  /// Nothing where this file system has no such locks; kHeld if another process has this one.
  Result<std::optional<HolderLock>> Take(const std::string& job, int64_t epoch,
                                         const std::string& nonce) const;
  /// The lock file of this very holder is there, and nobody holds it. False where that cannot be
  /// known.
  bool IsAbandoned(const std::string& job, int64_t epoch, const std::string& nonce) const;
  /// Removes the abandoned lock files of epochs before this one.
  void Sweep(const std::string& job, int64_t before_epoch) const;

 private:
  bool IsUnlocked(const std::string& path, std::string* content) const;
  std::string FileOf(const std::string& job, int64_t epoch) const;
  std::string path_;
};

}  // namespace sluice::state
