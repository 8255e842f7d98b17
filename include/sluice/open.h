/// \file
/// From words to parts: what a URI, a job file or a copy's arguments stand for, ready for RunTransfer.
/// The connectors are this library's own; a Source or Destination of yours needs none of this.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/transfer.h"

namespace sluice {

/// By the URIs of docs/commands.md. kUsage: no such scheme, option or place.
Result<std::unique_ptr<Source>> OpenSource(std::string_view uri);
Result<std::unique_ptr<Destination>> OpenDestination(std::string_view uri);
/// A state file, made where there is none. "": the program's own default.
Result<std::unique_ptr<StateStore>> OpenState(const std::string& path);

/// A run whose parts are open. `spec` may be changed before it runs; what changes bytes is told by
/// each stream's `definition` and belongs into the request.
class OpenedTransfer {
 public:
  virtual ~OpenedTransfer() = default;
  TransferSpec spec;
  /// Blocks as RunTransfer does, and on its terms. Once.
  virtual TransferReport Run(Notifier& notifier, const arrow::StopToken& stop,
                             const arrow::StopToken& stop_now) = 0;
};

struct CopyRequest {
  std::string source, destination;  ///< URIs or paths
  std::vector<std::string> tables;  ///< names or globs; empty: every base table
  std::string state;                ///< the state file; "": the program's own default
};

/// What `sluice copy` does with the same words: it resumes what an earlier run left, the program's too.
Result<std::unique_ptr<OpenedTransfer>> OpenCopy(const CopyRequest& request);
/// What `sluice run` does with a job file.
Result<std::unique_ptr<OpenedTransfer>> OpenJob(const std::string& file,
                                                const std::string& state = {});

}  // namespace sluice
