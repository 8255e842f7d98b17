// A step is safe to run again at any time: it begins where the durable phase says the load stands, so a
// resumed run is the same code as a first run. Between two steps there is one write to the state:
//
//   open      the load is durable; nothing of it exists at the destination
//   copy      every chunk is staged: durable there, invisible
//   publish   the winning attempts are frozen, then visible in the load's own folder
//   verify    the stored bytes are what was staged
//   commit    the slot exists; beyond this point the load cannot be taken back
//   clean up  what it replaces and what it left in staging is gone

#include "transfer/extract.h"

#include <algorithm>
#include <set>
#include <utility>

#include "arrow/record_batch.h"
#include "base/crash_point.h"
#include "plan/planner.h"
#include "transfer/copy.h"
#include "transfer/open_load.h"
#include "verify/content.h"
#include "verify/counts.h"

namespace sluice {
namespace {

class Extract {
 public:
  Extract(RunContext& run, const StreamSpec& stream, Session& session,
          StreamReport& report)
      : run_(run),
        stream_(stream),
        given_(&session),
        session_(&session),
        report_(report) {}

  ~Extract() {
    if (session_ != given_) run_.idle.GiveBack(*session_);
  }
  Extract(const Extract&) = delete;
  Extract& operator=(const Extract&) = delete;

  Status Run() {
    struct Step {
      const char* name;
      Phase done;  // a load at or beyond this phase is past the step
      Status (Extract::*act)();
    };
    static constexpr Step kSteps[] = {
        {"copy", Phase::kPublishing, &Extract::CopyStep},
        {"publish", Phase::kPublished, &Extract::PublishStep},
        {"verify", Phase::kVerified, &Extract::VerifyStep},
        {"commit", Phase::kCommitted, &Extract::CommitStep},
        {"clean-up", Phase::kCleaned, &Extract::CleanUpStep},
    };
    ARROW_RETURN_NOT_OK(OpenWithALivingSession());
    for (const Step& step : kSteps) {
      if (load_.phase >= step.done) continue;
      ARROW_RETURN_NOT_OK(run_.watch.abandoned().Poll());
      run_.Notify({.kind = EventKind::kPhase,
                   .stream = stream_.name,
                   .load = load_.spec.load,
                   .message = step.name});
      const auto started = run_.parts.clock.Elapsed();
      const Status status = (this->*step.act)();
      const std::chrono::duration<double> took = run_.parts.clock.Elapsed() - started;
      report_.timings[step.name] += took.count();
      report_.phase = load_.phase;
      ARROW_RETURN_NOT_OK(status);
    }
    return Status::OK();
  }

  /// Of a run that ended well: what is asked for now is still to be begun.
  bool superseded() const { return superseded_; }

  void Report() {
    report_.load = load_.spec.load;
    report_.phase = load_.phase;
    for (const ChunkState& chunk : load_.chunks) {
      if (!chunk.staged) continue;
      ++report_.chunks;
      report_.rows += chunk.staged->rows;
      for (const auto& [column, count] : chunk.staged->coerced)
        report_.coerced[column] += count;
      for (const StagedObject& object : chunk.staged->staged) {
        ++report_.files;
        report_.bytes += object.size;
      }
    }
  }

 private:
  Status OpenWithALivingSession() {
    for (;;) {
      const Status opened = OpenStep();
      if (!LostItsSession(opened)) return opened;
      Session* other = run_.idle.InsteadOf(*session_);
      if (other == nullptr) return opened;
      session_ = other;
    }
  }

  Status OpenStep() {
    ARROW_ASSIGN_OR_RAISE(OpenedLoad opened, OpenLoad(run_, stream_, *session_));
    load_ = std::move(opened.state);
    handle_ = std::move(opened.load);
    report_.resumed = opened.resumed;
    superseded_ = opened.superseded;
    if (load_.phase >= Phase::kCommitted) {
      ARROW_ASSIGN_OR_RAISE(Slot slot, handle_->FindSlot());
      // Decided by the state, and dead before it was written down.
      if (slot.outcome == Outcome::kUndecided && load_.spec.attempt_names) {
        ARROW_ASSIGN_OR_RAISE(slot, WriteSlot());
      }
      TakePlaces(slot);
    }
    report_.mixed = Mixed();
    int64_t staged_chunks = 0, staged_rows = 0;
    for (const ChunkState& chunk : load_.chunks) {
      if (!chunk.staged) continue;
      ++staged_chunks;
      staged_rows += chunk.staged->rows;
    }
    run_.Notify({.kind = EventKind::kStreamStarted,
                 .stream = stream_.name,
                 .load = load_.spec.load,
                 .chunk = staged_chunks,
                 .rows = staged_rows,
                 .estimated_rows = load_.table.estimated_rows,
                 .message = opened.resumed ? "resumed" : ""});
    return Status::OK();
  }

  Status CopyStep() {
    std::vector<Chunk> planned;
    for (const ChunkState& chunk : load_.chunks) planned.push_back(chunk.chunk);
    PlanOptions options;
    options.target_encoded_bytes = stream_.file_size;
    options.memory = run_.spec.limits.memory;
    options.workers = static_cast<int>(run_.sessions.sessions.size());
    options.chunk_rows = run_.spec.limits.chunk_rows;
    auto planner = MakePlanner(load_.table, load_.last_key, planned, options);
    const Status copied = CopyChunks(
        run_, {stream_, load_, *handle_, *planner, *session_}, &report_.rows_read);
    // Errors too leave staged chunks behind: the report counts them.
    auto reloaded = Reload();
    ARROW_RETURN_NOT_OK(copied);
    ARROW_RETURN_NOT_OK(reloaded);
    ARROW_ASSIGN_OR_RAISE(auto replaces, Replaced());
    ARROW_RETURN_NOT_OK(Advance(Phase::kCopying, Phase::kPublishing, {}, replaces));
    // Beyond this point the winners are frozen: no other attempt can ever be published.
    return Reach(CrashPoint::kPublishFrozen);
  }

  Status PublishStep() {
    auto published = handle_->Publish(Receipts(), run_.watch.abandoned());
    if (!published.ok() && IdOf(published.status()) == "store.staged-gone") {
      const Status& gone = published.status();
      ARROW_RETURN_NOT_OK(Discard());
      return Error(
          ErrorKind::kTransient, "transfer.staging-lost",
          "staged objects of load " + load_.spec.load + " are gone: " + gone.message(),
          "the load was discarded: run the same command again; before that, look for what "
          "took them away" +
              (HintOf(gone).empty() ? "" : ": " + std::string(HintOf(gone))));
    }
    ARROW_RETURN_NOT_OK(published);
    ARROW_RETURN_NOT_OK(Reach(CrashPoint::kPublishAll));
    ARROW_RETURN_NOT_OK(Advance(Phase::kPublishing, Phase::kPublished, *published, {}));
    return Reach(CrashPoint::kPublishRecorded);
  }

  Status VerifyStep() {
    ARROW_RETURN_NOT_OK(Reach(CrashPoint::kVerifyBegun));
    int64_t without_digest = 0;
    for (const ChunkReceipt& receipt : Receipts()) {
      Status status = VerifyCounts(*handle_, receipt, run_.watch.abandoned());
      // Staged by a run that was not asked for it.
      const bool has_digest = receipt.digest.kind == DigestKind::kClient;
      if (status.ok() && stream_.verify == VerifyDepth::kContent) {
        if (has_digest)
          status = VerifyContent(*handle_, receipt, run_.watch.abandoned());
        else
          ++without_digest;
      }
      if (KindOf(status) == ErrorKind::kMismatch) {
        ARROW_RETURN_NOT_OK(Discard());
        return InContext(
            status, "load " + load_.spec.load + " failed verification and was discarded");
      }
      ARROW_RETURN_NOT_OK(status);
    }
    if (without_digest > 0) {
      run_.Warn(
          stream_.name,
          "stream " + stream_.name + ": " + std::to_string(without_digest) +
              " chunks were staged before content was to be verified: of them counts "
              "and checksums agree",
          load_.spec.load);
    }
    ARROW_RETURN_NOT_OK(Advance(Phase::kPublished, Phase::kVerified, {}, {}));
    return Reach(CrashPoint::kVerifyRecorded);
  }

  /// Where the store enforces create-only, the slot decides, and the state takes note. Elsewhere two
  /// writers could both believe they wrote it: the state's fenced row decides, and the slot is its copy
  /// (docs/safety.md, A1).
  Status CommitStep() {
    const bool state_decides = load_.spec.attempt_names;
    if (state_decides) ARROW_RETURN_NOT_OK(RecordCommit());
    ARROW_ASSIGN_OR_RAISE(const Slot slot, WriteSlot());
    TakePlaces(slot);
    if (slot.outcome == Outcome::kCommitted)
      return state_decides ? Status::OK() : RecordCommit();
    if (slot.outcome == Outcome::kUndecided) {
      return Error(ErrorKind::kTransient, "transfer.commit-undecided",
                   "the slot of load " + load_.spec.load + " was not written",
                   "run the same command again: it resumes at the commit");
    }
    if (state_decides) {
      return Error(ErrorKind::kSource, "transfer.slot-contradicts",
                   "the state says that load " + load_.spec.load +
                       " is committed, its slot says discarded: " + slot.path,
                   "somebody else wrote the slot; find out who, before the next run");
    }
    ARROW_RETURN_NOT_OK(Discard());
    return Error(
        ErrorKind::kHeld, "transfer.discarded-by-other",
        "load " + load_.spec.load + " was discarded by another process before its commit",
        "run the same command again for a new load");
  }

  Status RecordCommit() {
    ARROW_RETURN_NOT_OK(Advance(Phase::kVerified, Phase::kCommitted, {}, {}));
    return Reach(CrashPoint::kSlotRecorded);
  }

  /// The slot as it is afterwards, whoever wrote it.
  Result<Slot> WriteSlot() {
    ManifestFacts facts;
    facts.consistency = load_.consistency;
    facts.positions = load_.positions;
    facts.mixed = Mixed();
    for (const ChunkState& chunk : load_.chunks) facts.chunks.push_back(chunk.chunk);
    facts.replaces = load_.replaces;
    facts.predicate = load_.spec.relation.where;
    facts.clock_micros = load_.clock_micros;
    facts.timings = report_.timings;
    auto slot = handle_->Commit(Receipts(), facts);
    if (!slot.ok() && KindOf(slot.status()) == ErrorKind::kCommitUnknown)
      slot = handle_->FindSlot();
    return slot;
  }

  Status CleanUpStep() {
    for (const std::string& replaced : load_.replaces) {
      ARROW_RETURN_NOT_OK(
          run_.DestinationOf(stream_).Drop(load_.spec.relation.name, replaced));
      ARROW_RETURN_NOT_OK(Reach(CrashPoint::kCleanUpHalf));
    }
    ARROW_RETURN_NOT_OK(handle_->CleanUp());
    return Advance(Phase::kCommitted, Phase::kCleaned, {}, {});
  }

  void TakePlaces(const Slot& slot) {
    report_.manifest = slot.path;
    report_.location = slot.location;
  }

  bool Mixed() const {
    return load_.consistency != Consistency::kPerChunk && load_.positions.size() > 1;
  }

  Status Discard() {
    ARROW_RETURN_NOT_OK(DiscardLoad(run_, load_, *handle_));
    load_.phase = Phase::kDiscarded;
    return Status::OK();
  }

  /// Committed full loads of this job and stream that the new one makes superfluous.
  Result<std::vector<std::string>> Replaced() {
    ARROW_ASSIGN_OR_RAISE(auto entries,
                          run_.DestinationOf(stream_).Loads(load_.spec.relation.name));
    std::set<std::string> gone;
    for (const LoadEntry& entry : entries) {
      if (entry.outcome == Outcome::kCommitted) {
        gone.insert(entry.replaces.begin(), entry.replaces.end());
      }
    }
    std::vector<std::string> current;
    for (const LoadEntry& entry : entries) {
      if (entry.outcome != Outcome::kCommitted || entry.dropped ||
          entry.load == load_.spec.load || gone.contains(entry.load)) {
        continue;
      }
      if (entry.job != run_.spec.job || entry.stream != stream_.name) {
        WarnOfForeign(entry);
        continue;
      }
      if (entry.source != load_.spec.source) {
        // A job of the same name in another state is another job.
        ARROW_ASSIGN_OR_RAISE(const auto ours, run_.parts.state.FindLoad(entry.load));
        if (!ours) {
          WarnOfForeign(entry);
          continue;
        }
        run_.Warn(stream_.name,
                  "stream " + stream_.name + ": replaces load " + entry.load +
                      ", which came from another source: " + entry.source,
                  load_.spec.load);
      }
      current.push_back(entry.load);
    }
    // A load's id sorts by time: the oldest go first.
    std::sort(current.begin(), current.end());
    const int versions = stream_.keep_versions.value_or(run_.spec.keep_versions);
    const size_t keep =
        static_cast<size_t>(versions) - 1;  // The new one is a version, too.
    current.resize(current.size() > keep ? current.size() - keep : 0);
    return current;
  }

  /// Only the job that made a load may replace it: readers of the slots will see both.
  void WarnOfForeign(const LoadEntry& entry) {
    std::string whose = "job " + entry.job, cure = "name: " + entry.job;
    cure +=
        " in the job file continues that job, else give this one a destination of its own";
    if (entry.job == run_.spec.job && entry.stream != stream_.name) {
      whose = "stream " + entry.stream;
      cure = "keep the stream's name, or give it a destination of its own";
    } else if (entry.job == run_.spec.job) {
      whose += " of another state, from " + entry.source;
      cure = "give one of the two jobs another name and a destination of its own";
    }
    run_.Warn(stream_.name,
              "stream " + stream_.name + ": the destination has load " + entry.load +
                  " of this table by " + whose +
                  "; it stays, and a reader finds two current loads: " + cure,
              load_.spec.load);
  }

  Status Advance(Phase from, Phase to, const std::vector<ChunkReceipt>& published,
                 const std::vector<std::string>& replaces) {
    ARROW_RETURN_NOT_OK(run_.parts.state.Advance(run_.lease, load_.spec.load, from, to,
                                                 published, replaces));
    return Reload();
  }

  Status Reload() {
    ARROW_ASSIGN_OR_RAISE(auto state, run_.parts.state.FindLoad(load_.spec.load));
    if (!state) {
      return Error(ErrorKind::kSource, "state.load-gone",
                   "the state no longer knows load " + load_.spec.load,
                   "the state file was replaced or edited during the run");
    }
    load_ = *std::move(state);
    return Status::OK();
  }

  std::vector<ChunkReceipt> Receipts() const {
    std::vector<ChunkReceipt> receipts;
    for (const ChunkState& chunk : load_.chunks) {
      if (chunk.staged) receipts.push_back(*chunk.staged);
    }
    return receipts;
  }

  RunContext& run_;
  const StreamSpec& stream_;
  Session* const given_;
  Session* session_;  // another one where that was lost
  StreamReport& report_;
  LoadState load_;
  std::unique_ptr<Load> handle_;
  bool superseded_ = false;
};

/// One load from where it stands to its end. True: it had been committed before, and is not what is
/// asked for now.
bool WorkOnALoad(RunContext& run, const StreamSpec& stream, Session& session,
                 StreamReport& report) {
  Extract extract(run, stream, session, report);
  report.status = extract.Run();
  extract.Report();
  return report.status.ok() && extract.superseded();
}

}  // namespace

void ExtractStream(RunContext& run, const StreamSpec& stream, Session& session,
                   StreamReport& report) {
  report.stream = stream.name;
  while (WorkOnALoad(run, stream, session, report)) {
    run.Warn(stream.name,
             "stream " + stream.name + ": load " + report.load +
                 " had been committed and is finished; a new one begins",
             report.load);
    report = StreamReport();
    report.stream = stream.name;
  }
  // What ended the run is the reason, whatever it broke on its way.
  const Status reason = run.watch.reason();
  if (!report.status.ok() && !reason.ok()) report.status = reason;
  run.Notify({.kind = EventKind::kStreamFinished,
              .stream = stream.name,
              .load = report.load,
              .rows = report.rows,
              .encoded_bytes = report.bytes,
              .message = report.status.ok() ? "" : report.status.message(),
              .exit_code = ExitCodeOf(report.status)});
}

}  // namespace sluice
