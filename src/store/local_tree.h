/// \file
/// A folder tree below one root, reached by descriptors: no path leaves the root, no
/// symbolic link is followed, and a root that was unmounted or replaced is noticed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/error.h"

namespace sluice {

/// Owns a file descriptor; -1 is none.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  /// errno, or 0. What was buffered far away may be refused only here (NFS).
  int Close();

 private:
  int fd_ = -1;
};

/// What was being done when the system refused.
struct Attempted {
  std::string_view act;   ///< "write", "create", …: after "cannot"
  std::string_view path;  ///< below the root
  int64_t bytes = 0;      ///< wanted, if that matters
};

struct NewFile {
  UniqueFd folder, file;
};

/// Tells a folder from another that was made under its name later: an inode alone is used again.
struct FolderBirth {
  uint64_t inode = 0;
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  bool operator==(const FolderBirth&) const = default;
};

/// Folders whose names this process has synced in their parents; syncing them once more would be half of
/// all syncs of a small table. Thread-safe; bounded, forgets.
class DurableFolders {
 public:
  bool Contains(const std::string& path, const FolderBirth& birth) const;
  void Add(const std::string& path, const FolderBirth& birth);

 private:
  static constexpr size_t kFoldersRememberedMax = 4096;
  mutable std::mutex mutex_;
  std::map<std::string, FolderBirth> births_;  // guarded by mutex_
};

/// Thread-safe. A folder is a path as in store.h; "" is the root.
class LocalTree {
 public:
  /// Creates the root if it is absent, durably.
  static Result<std::unique_ptr<LocalTree>> Open(const std::string& root_dir);

  /// Absolute.
  const std::string& root() const { return root_; }
  /// "/root/path", for messages.
  std::string Absolute(std::string_view path) const;

  /// kDestination "store.vanished" once the root's name stands for another directory or
  /// none.
  Status CheckRoot() const;
  /// The status of `error` (an errno). A vanished root comes before every other reason.
  Status Fail(int error, const Attempted& attempted) const;

  /// No descriptor when the folder is absent.
  Result<UniqueFd> OpenFolder(std::string_view folder) const;
  /// Creates what is missing. Every folder on the way is durable in its parent when this
  /// returns, also those another process has just made.
  Result<UniqueFd> MakeFolder(std::string_view folder) const;
  /// Creates a file that must not exist, and its folder.
  Result<NewFile> CreateFile(const std::string& path) const;
  /// No descriptor when absent; refuses what is not a regular file.
  Result<UniqueFd> OpenFile(const std::string& path) const;

  /// Removes the file, and then its folder and the folders above while they are empty.
  /// Durable. Absent already: only the folders.
  Status Remove(const std::string& path) const;
  /// Durable names of a folder. Filesystems that cannot sync a folder are left alone.
  Status SyncFolder(int fd, std::string_view folder) const;
  Status SyncFile(int fd, const Attempted& attempted) const;
  Status WriteAll(int fd, std::string_view bytes, std::string_view path) const;

 private:
  enum class Missing { kStop, kCreate };
  LocalTree(std::string root, UniqueFd fd, dev_t device, ino_t inode)
      : root_(std::move(root)), fd_(std::move(fd)), device_(device), inode_(inode) {}
  Result<UniqueFd> Walk(std::string_view folder, Missing missing) const;
  Status Prune(std::string folder) const;
  std::string WhatIsInTheWay(std::string_view path) const;

  const std::string root_;
  const UniqueFd fd_;
  const dev_t device_;
  const ino_t inode_;
  mutable DurableFolders durable_;
};

/// Another process may remove a folder it sees empty between our making and our using it.
inline constexpr int kFolderRacesMax = 1000;

}  // namespace sluice
