/// \file
/// Shows a run while it works: live on a terminal, a line every ten seconds elsewhere, an
/// object a second for programs, or nothing.
#pragma once

#include <functional>
#include <memory>

#include "cli/options.h"
#include "sluice/clock.h"
#include "sluice/notifier.h"

namespace sluice::cli {

enum class DisplayKind { kNone, kPlain, kLive, kJson };

/// What --progress, --no-progress, --quiet and --json ask for and stderr allows; kUsage
/// "cli.progress" for a word that is none of --progress.
Result<DisplayKind> ChooseDisplay(const Arguments& arguments);

/// A notifier that also logs: warnings as such, retries and phases at debug. Draws and
/// writes on a thread of its own, so that a slow terminal never holds up the transfer.
class Display : public Notifier {
 public:
  /// Takes what is on the terminal away; later lines go straight to stderr. Once, before
  /// results.
  virtual void Finish() = 0;
};
/// `stops`: how many signals have asked the run to stop; any thread.
std::unique_ptr<Display> MakeDisplay(DisplayKind kind, int64_t streams, Clock& clock,
                                     std::function<int()> stops);

}  // namespace sluice::cli
