/// \file
/// A small filesystem of its own for one test, seen by this test program alone.
#pragma once

#include <string>

#include "testing/scratch_folder.h"

namespace sluice {

/// A tmpfs of `size` ("1m"). Without the right to mount, in a user namespace of its own;
/// where that is refused too, the test fails.
class ScratchMount {
 public:
  explicit ScratchMount(const std::string& size);
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

/// While it lives, root is nobody.
class Unprivileged {
 public:
  Unprivileged();
  ~Unprivileged();
};

}  // namespace sluice
