#include "transfer/copy.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>
#include <utility>

#include "arrow/record_batch.h"
#include "base/crash_point.h"
#include "base/redact.h"
#include "base/retry.h"
#include "base/uuid.h"
#include "base/vocabulary_json.h"
#include "transfer/prefetch.h"

namespace sluice {
namespace {

// Of the memory limit: what open row groups may take, all workers together. Batches on their way,
// pages and the process itself live in the rest.
constexpr int64_t kEncoderShare = 2;
// A row may take a quarter: it exists at the source, in a batch, in a page and compressed.
constexpr int64_t kRowShare = 4;

// Of the bounds of one load's chunks: a manifest repeats them, and has its receipts besides.
constexpr int64_t kPlanBytesMax = 64 << 20;

int64_t PlanBytes(const Chunk& chunk) {
  return static_cast<int64_t>(DumpJson(ToJson(chunk)).size());
}

/// Passes batches on, after `report` of their rows and bytes has returned; ends the read once the run is
/// abandoned, or the report fails.
class ReportingReader : public arrow::RecordBatchReader {
 public:
  ReportingReader(std::shared_ptr<arrow::RecordBatchReader> rows,
                  const arrow::StopToken& stop, const ReadTally& tally,
                  std::function<Status(int64_t, int64_t)> report)
      : rows_(std::move(rows)), stop_(stop), tally_(tally), report_(std::move(report)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return rows_->schema(); }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    ARROW_RETURN_NOT_OK(stop_.Poll());
    ARROW_RETURN_NOT_OK(rows_->ReadNext(batch));
    if (*batch != nullptr) {
      const int64_t bytes =
          tally_.source_bytes - std::exchange(reported_bytes_, tally_.source_bytes);
      return report_((*batch)->num_rows(), bytes);
    }
    return Status::OK();
  }

 private:
  std::shared_ptr<arrow::RecordBatchReader> rows_;
  const arrow::StopToken& stop_;
  const ReadTally& tally_;
  std::function<Status(int64_t, int64_t)> report_;
  int64_t reported_bytes_ = 0;
};

class Copy {
 public:
  Copy(RunContext& run, const CopyTask& task) : run_(run), task_(task) {
    for (const ChunkState& chunk : task.load_state.chunks) {
      if (!chunk.staged) waiting_.push_back(chunk.chunk);
      if (chunk.chunk.last) planned_ = true;
      plan_bytes_ += PlanBytes(chunk.chunk);
    }
  }

  Status Run(int64_t* rows_read) {
    Session* session = &task_.session;
    do {
      session = Work(session);
    } while (session != nullptr && ComesBack());
    // Whoever works may have called another: until the last has ended.
    for (auto workers = TakeWorkers(); !workers.empty(); workers = TakeWorkers()) {
      for (std::thread& worker : workers) worker.join();
    }
    if (session != nullptr && session != &task_.session) run_.idle.GiveBack(*session);
    *rows_read += rows_read_;
    if (!failure_.ok()) return failure_;
    // A chunk that was left behind when the stop was asked for counts, too.
    if (drained_ || !waiting_.empty() || !planned_) {
      return Error(ErrorKind::kCancelled, "run.drained",
                   "stopped on request; chunks that were finished are staged",
                   "run the same command again: it resumes");
    }
    return Status::OK();
  }

 private:
  /// Of the stream's own thread: until nothing is left to take. Returns the session it has then; null:
  /// none.
  Session* Work(Session* session) {
    while (Session* lost = WorkUntilLost(*session)) {
      run_.idle.Lose(*lost);
      if (!LeftByWorkers()) return nullptr;
      session = run_.idle.InsteadOf(*lost);
      if (session == nullptr) {
        Fail(LostWhy());
        return nullptr;
      }
    }
    return session;
  }

  Status LostWhy() {
    const std::lock_guard lock(mutex_);
    return lost_why_;
  }

  /// Null: nothing is left to take, or the copy has failed. Else the session, which was lost; its chunk
  /// is there to be taken again.
  Session* WorkUntilLost(Session& session) {
    for (;;) {
      auto chunk = Take(session);
      if (chunk.ok() && !*chunk) return nullptr;
      Status status = chunk.status();
      if (status.ok()) status = CopyWithRetries(session, **chunk);
      if (status.ok()) continue;
      if (!LostItsSession(status)) {
        Fail(status);
        return nullptr;
      }
      if (chunk.ok()) {
        run_.Notify({.kind = EventKind::kRetry,
                     .stream = task_.stream.name,
                     .load = task_.load_state.spec.load,
                     .chunk = (*chunk)->ordinal,
                     .message = status.message()});
      }
      const std::lock_guard lock(mutex_);
      if (chunk.ok()) waiting_.push_front(**chunk);
      lost_why_ = status;
      changed_.notify_all();
      return &session;
    }
  }

  /// Waits until the workers have done what they can: is anything left then?
  bool LeftByWorkers() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_ == 0; });
    return (!waiting_.empty() || !planned_) && failure_.ok() &&
           !run_.stop.IsStopRequested();
  }

  /// After the stream's own thread found nothing to take: true once a worker that lost its session left
  /// a chunk behind, false once all workers have ended without.
  bool ComesBack() {
    std::unique_lock lock(mutex_);
    const auto left = [this] {
      return !waiting_.empty() && failure_.ok() && !run_.stop.IsStopRequested();
    };
    changed_.wait(lock, [&] { return running_ == 0 || left(); });
    return left();
  }

  std::vector<std::thread> TakeWorkers() {
    const std::lock_guard lock(mutex_);
    return std::exchange(workers_, {});
  }

  /// Where more chunks are left than the one just taken. Holds mutex_.
  void CallAnother() {
    if (waiting_.empty() && planned_) return;
    Session* session = run_.idle.Take();
    if (session == nullptr) return;
    const auto work = [this, session, hook = CurrentCrashHook()] {
      SetCrashHook(hook);
      // One that was lost is not waited for: the stream's own thread does that.
      if (WorkUntilLost(*session) == nullptr)
        run_.idle.GiveBack(*session);
      else
        run_.idle.Lose(*session);
      const std::lock_guard lock(mutex_);
      --running_;
      changed_.notify_all();
    };
    try {
      workers_.emplace_back(work);
      ++running_;
    } catch (const std::system_error&) {
      // The system has no thread to give: those that are at work do without.
      run_.idle.GiveBack(*session);
    }
  }

  void Fail(const Status& status) {
    std::lock_guard lock(mutex_);
    if (failure_.ok()) failure_ = status;
    // The others finish the chunks they have in hand: what is staged need not be read again.
  }

  /// The next chunk to copy, its bounds durable; nothing when there is none, or no more is wanted.
  Result<std::optional<Chunk>> Take(Session& session) {
    std::lock_guard lock(mutex_);
    ARROW_RETURN_NOT_OK(run_.watch.abandoned().Poll());
    if (!failure_.ok()) return std::nullopt;
    if (run_.stop.IsStopRequested()) {
      drained_ = drained_ || !waiting_.empty() || !planned_;
      return std::nullopt;
    }
    if (!waiting_.empty()) {
      Chunk chunk = std::move(waiting_.front());
      waiting_.pop_front();
      CallAnother();
      return chunk;
    }
    if (planned_) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(auto chunk, task_.planner.Next(session));
    if (!chunk) {
      planned_ = true;
      return std::nullopt;
    }
    ARROW_RETURN_NOT_OK(CheckPlanSize(*chunk));
    // Beyond this point the chunk's bounds are durable and never change.
    ARROW_RETURN_NOT_OK(
        run_.parts.state.AddChunk(run_.lease, task_.load_state.spec.load, *chunk));
    ARROW_RETURN_NOT_OK(Reach(CrashPoint::kChunkPlanned));
    planned_ = chunk->last;
    run_.Notify({.kind = EventKind::kChunkPlanned,
                 .stream = task_.stream.name,
                 .load = task_.load_state.spec.load,
                 .chunk = chunk->ordinal});
    CallAnother();
    return chunk;
  }

  /// The manifest repeats every bound; one that cannot be written is better found now.
  /// Holds mutex_.
  Status CheckPlanSize(const Chunk& chunk) {
    plan_bytes_ += PlanBytes(chunk);
    if (plan_bytes_ <= kPlanBytesMax) return Status::OK();
    return Error(ErrorKind::kResource, "run.plan-too-large",
                 "the bounds of " + std::to_string(chunk.ordinal) +
                     " chunks take more than " + std::to_string(kPlanBytesMax >> 20) +
                     " MiB, and the manifest repeats them",
                 "begin anew with fewer and larger chunks: --restart and a larger "
                 "--file-size");
  }

  Status CopyWithRetries(Session& session, const Chunk& chunk) {
    Backoff backoff(RetryOptions{}, std::hash<std::string>{}(task_.load_state.spec.load) +
                                        static_cast<uint64_t>(chunk.ordinal));
    for (;;) {
      const Status status = CopyOnce(session, chunk);
      if (status.ok()) return status;
      // What ended the run is the reason, not the error it caused here.
      const Status reason = run_.watch.reason();
      if (!reason.ok()) return reason;
      const bool again = KindOf(status) == ErrorKind::kTransient &&
                         !LostItsSession(status) && backoff.MayTryAgain() &&
                         !run_.stop.IsStopRequested();
      const Status in_context =
          InContext(status, "chunk " + std::to_string(chunk.ordinal));
      if (!again) return in_context;
      run_.Notify({.kind = EventKind::kRetry,
                   .stream = task_.stream.name,
                   .load = task_.load_state.spec.load,
                   .chunk = chunk.ordinal,
                   .message = in_context.message()});
      ARROW_RETURN_NOT_OK(run_.parts.clock.Sleep(backoff.Next(), run_.watch.abandoned()));
    }
  }

  /// One attempt at one chunk: recorded before its first byte leaves, staged, recorded again.
  Status CopyOnce(Session& session, const Chunk& chunk) {
    StateStore& state = run_.parts.state;
    const std::string& load = task_.load_state.spec.load;
    const std::string attempt = NewNonce();
    ARROW_RETURN_NOT_OK(state.BeginAttempt(run_.lease, load, chunk.ordinal, attempt));
    ARROW_RETURN_NOT_OK(Reach(CrashPoint::kAttemptBegun));
    auto receipt = Prepare(session, chunk, attempt);
    if (!receipt.ok()) {
      const Status recorded = state.FailAttempt(run_.lease, load, chunk.ordinal, attempt,
                                                Redact(receipt.status().message()));
      if (!recorded.ok() && KindOf(recorded) == ErrorKind::kHeld) return recorded;
      return receipt.status();
    }
    ARROW_RETURN_NOT_OK(state.MarkStaged(run_.lease, *receipt));
    ARROW_RETURN_NOT_OK(Reach(CrashPoint::kStagedRecorded));
    std::lock_guard lock(mutex_);
    task_.planner.Observe(receipt->cost);
    rows_read_ += receipt->rows;
    run_.Notify({.kind = EventKind::kChunkStaged,
                 .stream = task_.stream.name,
                 .load = load,
                 .chunk = chunk.ordinal,
                 .rows = receipt->rows,
                 .source_bytes = receipt->cost.source_bytes,
                 .encoded_bytes = receipt->cost.encoded_bytes,
                 .seconds = receipt->cost.seconds});
    return Status::OK();
  }

  Result<ChunkReceipt> Prepare(Session& session, const Chunk& chunk,
                               const std::string& attempt) {
    const auto workers = static_cast<int64_t>(run_.sessions.sessions.size());
    const int64_t memory = run_.spec.limits.memory;
    ReadTally tally;
    ReadContext read;
    read.batch_bytes = std::clamp<int64_t>(memory / (32 * workers), 256 << 10, 4 << 20);
    // Small enough that nobody waits long for the batch of another.
    const int64_t rate = run_.spec.limits.bytes_per_second;
    if (rate > 0)
      read.batch_bytes = std::clamp<int64_t>(rate / workers, 16 << 10, read.batch_bytes);
    read.row_bytes_max = memory / kRowShare;
    read.stop = &run_.watch.abandoned();
    read.tally = &tally;
    PrepareContext context;
    context.chunk = chunk;
    context.attempt = attempt;
    context.digest = task_.stream.verify == VerifyDepth::kContent ? DigestKind::kClient
                                                                  : DigestKind::kNone;
    context.memory = memory / kEncoderShare / workers;
    context.stop = &run_.watch.abandoned();

    const auto started = run_.parts.clock.Elapsed();
    ARROW_ASSIGN_OR_RAISE(auto rows,
                          session.Read(task_.load_state.table, chunk.range, read));
    auto report = [this, ordinal = chunk.ordinal](int64_t count, int64_t bytes) {
      run_.Notify({.kind = EventKind::kBatch,
                   .stream = task_.stream.name,
                   .load = task_.load_state.spec.load,
                   .chunk = ordinal,
                   .rows = count,
                   .source_bytes = bytes});
      return KeepToTheRate(bytes);
    };
    rows = std::make_shared<ReportingReader>(std::move(rows), run_.watch.abandoned(),
                                             tally, report);
    rows = ReadAhead(std::move(rows), run_.spec.limits.read_ahead);
    auto prepared = task_.load.Prepare(context, rows);
    rows.reset();  // The reader's thread has ended: the tally is complete and the session free.
    ARROW_ASSIGN_OR_RAISE(ChunkReceipt receipt, std::move(prepared));
    if (receipt.rows != tally.rows) {
      return Error(ErrorKind::kMismatch, "transfer.rows-lost",
                   "the source gave " + std::to_string(tally.rows) + " rows and " +
                       std::to_string(receipt.rows) + " were staged");
    }
    // Of a table that was altered meanwhile these rows may be of either shape.
    ARROW_RETURN_NOT_OK(session.CheckUnchanged(task_.load_state.table));
    receipt.coerced = std::move(tally.coerced);
    receipt.position = run_.sessions.position;
    receipt.cost.source_bytes = tally.source_bytes;
    const std::chrono::duration<double> took = run_.parts.clock.Elapsed() - started;
    receipt.cost.seconds = took.count();
    return receipt;
  }

  /// On the reading thread.
  Status KeepToTheRate(int64_t bytes) {
    Clock& clock = run_.parts.clock;
    const auto wait = run_.rate.WaitFor(bytes, clock.Elapsed());
    if (wait.count() <= 0) return Status::OK();
    if (wait > std::chrono::seconds(1))
      run_.Notify({.kind = EventKind::kWaiting,
                   .stream = task_.stream.name,
                   .seconds = std::chrono::duration<double>(wait).count(),
                   .message = "waiting, to keep to the rate"});
    const arrow::StopToken& abandoned = run_.watch.abandoned();
    const Status slept = clock.Sleep(wait, abandoned);
    return slept.ok() ? slept : abandoned.Poll();
  }

  RunContext& run_;
  const CopyTask& task_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::thread> workers_;  // guarded by mutex_
  int running_ = 0;                   // of workers_; guarded by mutex_
  std::deque<Chunk> waiting_;         // guarded by mutex_
  bool planned_ = false;              // guarded by mutex_
  bool drained_ = false;              // guarded by mutex_
  int64_t plan_bytes_ = 0;            // guarded by mutex_
  int64_t rows_read_ = 0;             // guarded by mutex_
  Status failure_;                    // guarded by mutex_
  Status lost_why_;                   // guarded by mutex_
};

}  // namespace

Status CopyChunks(RunContext& run, const CopyTask& task, int64_t* rows_read) {
  return Copy(run, task).Run(rows_read);
}

}  // namespace sluice
