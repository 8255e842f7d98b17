/// \file
/// SIGINT and SIGTERM: the first drains, the second abandons what is in flight, the third
/// ends the process at once. (The state and the store are written for that.)
#pragma once

#include "arrow/util/cancel.h"

namespace sluice::cli {

/// One per process, for as long as a verb works.
class Signals {
 public:
  /// Installs the handlers; a signal that was ignored (nohup) stays ignored.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  arrow::StopToken stop();      ///< after the first
  arrow::StopToken stop_now();  ///< after the second
  int received() const;         ///< the first signal's number; 0: none
  int count() const;
};

}  // namespace sluice::cli
