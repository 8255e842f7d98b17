/// \file
/// Shows a run while it works: live on a terminal, a line every ten seconds elsewhere, or
/// nothing.
#pragma once

#include <memory>

#include "sluice/clock.h"
#include "sluice/notifier.h"

namespace sluice::cli {

enum class DisplayKind { kNone, kPlain, kLive };

/// What stderr and the flags allow. `quiet` and `json` show nothing unless `wanted`.
struct DisplayWish {
  bool quiet = false, json = false, wanted = false, unwanted = false;
};
DisplayKind ChooseDisplay(const DisplayWish& wish);

/// A notifier that also logs: warnings as such, retries and phases at debug. Draws and
/// writes on a thread of its own, so that a slow terminal never holds up the transfer.
class Display : public Notifier {
 public:
  /// Takes what is on the terminal away; later lines go straight to stderr. Once, before
  /// results.
  virtual void Finish() = 0;
};
std::unique_ptr<Display> MakeDisplay(DisplayKind kind, int64_t streams, Clock& clock);

}  // namespace sluice::cli
