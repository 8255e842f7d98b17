/// \file
/// A small filesystem of its own for one test, seen by this test program alone.
#pragma once

#include <functional>
#include <string>

#include "testing/scratch_folder.h"

namespace sluice {

/// A tmpfs of 1 MiB.
class ScratchMount {
 public:
  ScratchMount();
  ~ScratchMount();
  const std::string& path() const { return path_; }
  void MakeReadOnly();
  /// As when a disk or a server goes away under its users.
  void Vanish();

 private:
  ScratchFolder folder_;
  const std::string path_;
  bool mounted_ = false;
};

/// Runs `body` with a mount. Without the right to mount, in a process and a user namespace
/// of its own; where that is refused too, the test fails.
void OnASmallDisk(const std::function<void(ScratchMount&)>& body);

/// While it lives, root is nobody.
class Unprivileged {
 public:
  Unprivileged();
  ~Unprivileged();
};

}  // namespace sluice
