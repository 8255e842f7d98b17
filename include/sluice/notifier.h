/// \file
/// What happens, as it happens: for progress, logs, notifications.
#pragma once

#include <cstdint>
#include <string>

namespace sluice {

enum class EventKind {
  kRunStarted,
  kStreamStarted,
  kPhase,
  kChunkPlanned,
  kBatch,
  kChunkStaged,
  kRetry,
  kWaiting,
  kWarning,
  kStreamFinished,
  kRunFinished,
};

/// Fields that do not apply are empty or zero. No row values.
struct Event {
  EventKind kind = EventKind::kPhase;
  std::string run = {}, stream = {}, load = {};
  int64_t chunk = 0;         ///< its ordinal; kStreamStarted: how many are staged already
  int64_t rows = 0;          ///< kStreamStarted: staged already; kBatch: of the batch;
                             ///< kChunkStaged, kStreamFinished: of all
  int64_t source_bytes = 0;  ///< kBatch
  int64_t encoded_bytes = 0;   ///< kChunkStaged, kStreamFinished
  int64_t estimated_rows = 0;  ///< kStreamStarted
  double seconds = 0;
  std::string message = {};  ///< a sentence; kPhase: the phase's name
  int exit_code = 0;         ///< kStreamFinished, kRunFinished
};

/// Called from any thread of the transfer, a few hundred times a second at most; must not block.
class Notifier {
 public:
  virtual ~Notifier() = default;
  virtual void On(const Event& event) = 0;
};

}  // namespace sluice
