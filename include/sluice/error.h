/// \file
/// What went wrong, as the caller must act on it: a kind, a stable id, a hint. Carried in the
/// detail of an arrow::Status, so that it survives every `ARROW_RETURN_NOT_OK`.
#pragma once

#include <string>
#include <string_view>

#include "arrow/result.h"
#include "arrow/status.h"

namespace sluice {

using arrow::Status;
template <typename T>
using Result = arrow::Result<T>;

/// What the caller may do about an error. Each kind has one exit code (docs/exit-codes.md).
enum class ErrorKind {
  kFailed,    ///< 1: a value that does not fit, anything else; permanent
  kUsage,     ///< 2: the request is wrong: no such file, table, column, key; permanent
  kMismatch,  ///< 3: what is stored is not what the source or the slot says
  kHeld,      ///< 4: another run holds the job, or has taken it over (fenced)
  kTransient,  ///< 5: may go away by itself: locked, refused, timeout; the run can be resumed
  kSource,  ///< 6: the source or the state needs an operator: corrupt, altered, dropped
  kDestination,  ///< 7: the destination refuses: full, read-only, forbidden, gone
  kResource,     ///< 8: a bound of ours: memory, spool, state disk
  kCommitUnknown,  ///< 5: the reply to a decision was lost; only a read of the slot settles it
  kCancelled,  ///< 130 or 143: asked to stop
};

/// A status of `kind`. `id` is stable and looks like "source.not-a-database" (docs/errors.md).
/// `message`: lower case, what was wanted and what was found, values last.
/// `hint`: the act to advise, a sentence; empty when there is none.
Status Error(ErrorKind kind, std::string_view id, std::string message,
             std::string hint = {});

/// `status` with "context: " before its message; kind, id and hint are kept. OK stays OK.
Status InContext(const Status& status, std::string_view context);

/// The kind of an error. Statuses made elsewhere: OutOfMemory and CapacityError are kResource,
/// Cancelled is kCancelled, everything else is kFailed (fail closed, never transient).
ErrorKind KindOf(const Status& status);
/// "" for a status made elsewhere.
std::string_view IdOf(const Status& status);
std::string_view HintOf(const Status& status);

/// The process exit code of one failed stream or run; 0 for OK.
int ExitCodeOf(const Status& status);
/// The code of a run of many streams: 130 or 143, else the first present of 3 6 4 2 7 8 1 5; 0 if none.
int WorstExitCode(int a, int b);

}  // namespace sluice
