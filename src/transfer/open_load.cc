#include "transfer/open_load.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/crash_point.h"
#include "base/uuid.h"
#include "base/vocabulary_json.h"

namespace sluice {
namespace {

bool AllStaged(const LoadState& state) {
  const bool planned = !state.chunks.empty() && state.chunks.back().chunk.last;
  return planned &&
         std::all_of(state.chunks.begin(), state.chunks.end(),
                     [](const ChunkState& chunk) { return chunk.staged.has_value(); });
}

Result<OpenedLoad> NewLoad(RunContext& run, const StreamSpec& stream, Session& session) {
  OpenedLoad opened;
  LoadState& state = opened.state;
  auto described = session.Describe(stream.relation);
  if (IdOf(described.status()) == "source.no-such-table") {
    return Error(
        ErrorKind::kSource, "source.changed",
        "the table was there when the run began: " + described.status().message(),
        "find out who drops or renames it; run the same command again");
  }
  ARROW_ASSIGN_OR_RAISE(state.table, std::move(described));
  if (!state.table.key.empty()) {
    ARROW_ASSIGN_OR_RAISE(state.last_key, session.LastKey(state.table));
  }
  state.clock_micros = run.parts.clock.NowMicros();
  LoadSpec& spec = state.spec;
  spec.load = NewUuidV7(state.clock_micros);
  spec.job = run.spec.job;
  spec.run = run.spec.run;
  spec.stream = stream.name;
  spec.epoch = run.lease.epoch;
  spec.relation = state.table.relation;
  spec.key = state.table.key;
  spec.schema = state.table.schema;
  spec.source = run.parts.source.Describe();
  spec.compression = stream.compression;
  spec.compression_level = stream.compression_level;
  spec.file_size = stream.file_size;
  spec.path = stream.path;
  Destination& destination = run.DestinationOf(stream);
  spec.attempt_names = run.destinations.at(&destination).attempt_names;
  state.definition = stream.definition;
  state.consistency = run.sessions.kind;
  state.positions = {run.sessions.position};

  // Before the load is durable: one that cannot be opened would stand in the way of the next.
  ARROW_ASSIGN_OR_RAISE(opened.load, destination.Open(spec));
  ARROW_RETURN_NOT_OK(Reach(CrashPoint::kPlanBeforeCommit));
  ARROW_RETURN_NOT_OK(run.parts.state.OpenLoad(run.lease, state));
  ARROW_RETURN_NOT_OK(Reach(CrashPoint::kPlanAfterCommit));
  return opened;
}

/// What differs between two definitions, member by member, for the message.
std::string Differences(const std::string& was_text, const std::string& is_text) {
  const auto was = nlohmann::json::parse(was_text, nullptr, /*allow_exceptions=*/false);
  const auto is = nlohmann::json::parse(is_text, nullptr, /*allow_exceptions=*/false);
  std::string text;
  if (was.is_object() && is.is_object()) {
    auto all = was;
    all.update(is);
    for (const auto& [name, value] : all.items()) {
      const auto before = was.value(name, nlohmann::json());
      const auto now = is.value(name, nlohmann::json());
      if (before == now) continue;
      if (!text.empty()) text += ", ";
      text += name + " was " + DumpJson(before) + " and is " + DumpJson(now);
    }
  }
  return text.empty() ? "was " + was_text + " and is " + is_text : text;
}

Status DefinitionChanged(const LoadState& state, const StreamSpec& stream,
                         std::string hint) {
  return Error(ErrorKind::kUsage, "run.definition-changed",
               "the unfinished load " + state.spec.load + " of stream " + stream.name +
                   " was started with another definition: " +
                   Differences(state.definition, stream.definition),
               std::move(hint));
}

Status CheckDefinition(const LoadState& state, const StreamSpec& stream) {
  if (state.definition == stream.definition) return Status::OK();
  return DefinitionChanged(
      state, stream,
      "finish it with the old definition, or --restart to discard it and begin anew");
}

/// "" where the definition is not of this form.
std::string DestinationIn(const std::string& definition) {
  const auto json =
      nlohmann::json::parse(definition, nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json.value("destination", "") : "";
}

/// A load's slot and files are where the load was begun, and only there may it be decided.
Result<OpenedLoad> LeaveElsewhere(RunContext& run, const LoadState& state,
                                  const StreamSpec& stream, Session& session) {
  const std::string place = DestinationIn(state.definition);
  // Where create-only is not enforced, the slot may still have to be written.
  if (state.phase < Phase::kCommitted || state.spec.attempt_names) {
    return DefinitionChanged(
        state, stream,
        "put the old destination back and run once more to finish it; or give it up: "
        "sluice gc " +
            place + " --abandon " + state.spec.load);
  }
  run.Warn(
      stream.name,
      "stream " + stream.name + ": load " + state.spec.load + " is committed at " +
          place +
          ", its clean-up there is left undone: the stream has another destination now",
      state.spec.load);
  ARROW_RETURN_NOT_OK(run.parts.state.Advance(run.lease, state.spec.load, state.phase,
                                              Phase::kCleaned, {}, {}));
  return NewLoad(run, stream, session);
}

/// For a load some of whose chunks are still to be read: under which snapshot. False: strict
/// consistency forbids to go on.
Result<bool> JoinSnapshot(RunContext& run, LoadState& state, const StreamSpec& stream,
                          Session& session) {
  ARROW_RETURN_NOT_OK(session.CheckUnchanged(state.table));
  const std::string& position = run.sessions.position;
  const auto& known = state.positions;
  if (std::find(known.begin(), known.end(), position) != known.end()) return true;
  if (run.spec.consistency == Consistency::kSnapshotStrict) return false;
  ARROW_RETURN_NOT_OK(run.parts.state.AddPosition(run.lease, state.spec.load, position));
  state.positions.push_back(position);
  if (state.consistency == Consistency::kPerChunk) return true;
  run.Warn(stream.name,
           "stream " + stream.name + ": the database changed since load " +
               state.spec.load +
               " began; its chunks come from more than one snapshot (mixed)",
           state.spec.load);
  return true;
}

}  // namespace

Status DiscardLoad(RunContext& run, const LoadState& state, Load& load) {
  const auto record = [&] {
    return run.parts.state.Advance(run.lease, state.spec.load, state.phase,
                                   Phase::kDiscarded, {}, {});
  };
  // Where create-only is not enforced the state decides; see CommitStep.
  const bool state_decides = state.spec.attempt_names;
  if (state_decides) ARROW_RETURN_NOT_OK(record());
  ARROW_RETURN_NOT_OK(load.Discard());
  return state_decides ? Status::OK() : record();
}

Result<OpenedLoad> OpenLoad(RunContext& run, const StreamSpec& stream, Session& session) {
  ARROW_RETURN_NOT_OK(run.destinations.at(&run.DestinationOf(stream)).status);
  ARROW_ASSIGN_OR_RAISE(auto found,
                        run.parts.state.OpenLoadOf(run.spec.job, stream.name));
  if (!found) {
    if (run.spec.resume == ResumeMode::kInsist) {
      return Error(ErrorKind::kUsage, "run.nothing-to-resume",
                   "stream " + stream.name + " has no unfinished load to resume",
                   "run without --resume to begin a new one");
    }
    return NewLoad(run, stream, session);
  }
  OpenedLoad opened;
  opened.resumed = true;
  opened.state = *std::move(found);
  LoadState& state = opened.state;
  if (DestinationIn(state.definition) != DestinationIn(stream.definition))
    return LeaveElsewhere(run, state, stream, session);
  const bool other = state.definition != stream.definition;
  opened.superseded = run.spec.resume == ResumeMode::kRestart ||
                      (other && run.spec.resume == ResumeMode::kAuto);
  ARROW_ASSIGN_OR_RAISE(opened.load, run.DestinationOf(stream).Open(state.spec));
  if (state.phase >= Phase::kCommitted) return opened;

  ARROW_ASSIGN_OR_RAISE(const Slot slot, opened.load->FindSlot());
  bool discard = slot.outcome == Outcome::kDiscarded;
  if (slot.outcome == Outcome::kUndecided) {
    if (run.spec.resume == ResumeMode::kRestart) {
      discard = true;
    } else {
      ARROW_RETURN_NOT_OK(CheckDefinition(state, stream));
      if (state.phase == Phase::kCopying && !AllStaged(state)) {
        ARROW_ASSIGN_OR_RAISE(const bool joined,
                              JoinSnapshot(run, state, stream, session));
        discard = !joined;
      }
    }
  }
  opened.superseded = opened.superseded && slot.outcome == Outcome::kCommitted;
  if (!discard) return opened;
  run.Warn(stream.name,
           "stream " + stream.name + ": unfinished load " + state.spec.load +
               " is discarded, a new one begins",
           state.spec.load);
  ARROW_RETURN_NOT_OK(DiscardLoad(run, state, *opened.load));
  return NewLoad(run, stream, session);
}

}  // namespace sluice
