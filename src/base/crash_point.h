/// \file
/// Every named point at which the program can be made to die: one list, shared by the binary
/// (SLUICE_CRASH_AT=name[:n] kills, SLUICE_STOP_AT=name[:n] stops the process at the n-th passage,
/// SLUICE_HOLD_AT=name[:n] holds the threads that pass from then on while SLUICE_HOLD_FILE exists)
/// and by the tests, which count passages and simulate the death of one runner.
#pragma once

#include <functional>
#include <string_view>

#include "sluice/error.h"

namespace sluice {

/// X(identifier, name, what is durable when the program dies there)
#define SLUICE_CRASH_POINTS(X)                                                           \
  X(kPlanBeforeCommit, "plan.before-commit", "nothing")                                  \
  X(kPlanAfterCommit, "plan.after-commit", "the load, without chunks")                   \
  X(kChunkPlanned, "chunk.planned", "a chunk's bounds, no attempt")                      \
  X(kAttemptBegun, "attempt.begun", "an attempt's name, no byte")                        \
  X(kUploadHalf, "upload.half", "an invisible orphan, half written")                     \
  X(kUploadStaged, "upload.staged", "a whole staged object the state does not know")     \
  X(kStagedRecorded, "staged.recorded", "a staged chunk")                                \
  X(kPublishFrozen, "publish.frozen", "the winners, nothing visible")                    \
  X(kPublishObject, "publish.object", "some objects visible, not recorded")              \
  X(kPublishAll, "publish.all", "all objects visible, not recorded")                     \
  X(kPublishRecorded, "publish.recorded", "published")                                   \
  X(kVerifyBegun, "verify.begun", "published")                                           \
  X(kVerifyRecorded, "verify.recorded", "verified, no slot")                             \
  X(kSlotBegun, "slot.begun", "verified; the slot was looked for and not found")         \
  X(kSlotWritten, "slot.written", "the slot; the state does not know")                   \
  X(kSlotRecorded, "slot.recorded", "committed; old versions and leftovers still there") \
  X(kCleanUpHalf, "clean-up.half", "committed, some old objects removed")                \
  X(kDiscardSlot, "discard.slot", "the slot says discarded; objects still there")        \
  X(kDiscardHalf, "discard.half", "discarded, some objects removed")

enum class CrashPoint {
#define SLUICE_CRASH_POINT_ID(id, name, durable) id,
  SLUICE_CRASH_POINTS(SLUICE_CRASH_POINT_ID)
#undef SLUICE_CRASH_POINT_ID
};
inline constexpr int kCrashPointCount = static_cast<int>(CrashPoint::kDiscardHalf) + 1;

std::string_view NameOf(CrashPoint point);
std::string_view DurableAt(CrashPoint point);

/// Called where the program passes `point`. OK in life. Any thread.
Status Reach(CrashPoint point);

/// Reads SLUICE_CRASH_AT, SLUICE_STOP_AT and SLUICE_HOLD_AT once, at start. kUsage for an unknown name.
Status ArmCrashPointsFromEnvironment();

/// Tests: `hook` runs in the calling thread at each passage of that thread and of threads that were
/// started with InheritCrashHook; an error makes that runner "dead". Null: none.
using CrashHook = std::function<Status(CrashPoint)>;
void SetCrashHook(CrashHook hook);
/// The calling thread's hook, to hand to a thread it starts.
CrashHook CurrentCrashHook();

}  // namespace sluice
