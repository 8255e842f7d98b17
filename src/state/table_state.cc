#include "state/table_state.h"

#include <mutex>
#include <utility>

#include "state/load_reader.h"
#include "state/load_table.h"
#include "state/run_table.h"

namespace sluice::state {
namespace {

// A reader without locks meets writers again and again only while one is at work, and then it
// finds the writer's log and reads with locks.
constexpr int kReadTries = 10;

class TableState : public StateStore {
 public:
  TableState(std::unique_ptr<Place> place, Identity identity, LockFolder locks)
      : place_(std::move(place)), leases_(std::move(identity), std::move(locks)) {}

  std::string Describe() const override { return place_->Describe(); }

  Result<Lease> Acquire(const std::string& job, const LeaseOptions& options) override {
    Lease lease;
    ARROW_RETURN_NOT_OK(Write([&](Tables& tables) {
      place_->HoldsLeaseFor(options.ttl_millis);
      return leases_.Acquire(tables, job, options).Value(&lease);
    }));
    return lease;
  }

  Status Renew(const Lease& lease) override {
    return Write([&](Tables& tables) { return leases_.Renew(tables, lease); });
  }

  Status Release(const Lease& lease) override {
    return Write([&](Tables& tables) { return leases_.Release(tables, lease); });
  }

  Result<std::optional<LeaseHolder>> Holder(const std::string& job) override {
    return Read([&](Tables& tables) { return leases_.Holder(tables, job); });
  }

  Result<std::vector<LeaseHolder>> Jobs(std::vector<std::string>* names) override {
    return Read([&](Tables& tables) { return leases_.Holders(tables, names); });
  }

  Status OpenLoad(const Lease& lease, const LoadState& load) override {
    return Fenced(lease,
                  [&](Tables& tables) { return InsertLoad(tables, lease.job, load); });
  }

  Status AddChunk(const Lease& lease, const std::string& load,
                  const Chunk& chunk) override {
    return Change(lease, load,
                  [&](LoadChange& change) { return change.AddChunk(chunk); });
  }

  Status BeginAttempt(const Lease& lease, const std::string& load, int64_t ordinal,
                      const std::string& attempt) override {
    return Change(lease, load, [&](LoadChange& change) {
      return change.BeginAttempt(ordinal, attempt);
    });
  }

  Status MarkStaged(const Lease& lease, const ChunkReceipt& receipt) override {
    return Change(lease, receipt.load,
                  [&](LoadChange& change) { return change.MarkStaged(receipt); });
  }

  Status FailAttempt(const Lease& lease, const std::string& load, int64_t ordinal,
                     const std::string& attempt, const std::string& why) override {
    return Change(lease, load, [&](LoadChange& change) {
      return change.FailAttempt(ordinal, attempt, why);
    });
  }

  Status AddPosition(const Lease& lease, const std::string& load,
                     const std::string& position) override {
    return Change(lease, load,
                  [&](LoadChange& change) { return change.AddPosition(position); });
  }

  Status Advance(const Lease& lease, const std::string& load, Phase from, Phase to,
                 const std::vector<ChunkReceipt>& published,
                 const std::vector<std::string>& replaces) override {
    return Change(lease, load, [&](LoadChange& change) {
      return change.Advance(from, to, published, replaces);
    });
  }

  Result<std::optional<LoadState>> FindLoad(const std::string& load) override {
    return Read([&](Tables& tables) { return ReadLoad(tables, load); });
  }

  Result<std::optional<LoadState>> OpenLoadOf(const std::string& job,
                                              const std::string& stream) override {
    return Read([&](Tables& tables) { return ReadOpenLoad(tables, job, stream); });
  }

  Result<std::vector<LoadState>> Loads(const std::string& job, int count) override {
    return Read([&](Tables& tables) { return ReadLoads(tables, job, count); });
  }

  Status BeginRun(const Lease& lease, const RunRecord& run) override {
    RunRecord record = run;
    record.job = lease.job;
    // Where it runs, the leases know.
    if (record.host.empty()) record.host = leases_.host();
    return Fenced(lease, [&](Tables& tables) { return InsertRun(tables, record); });
  }

  Status EndRun(const Lease& lease, const std::string& run, int exit_code,
                const std::string& summary) override {
    RunRecord record;
    record.run = run;
    record.job = lease.job;
    record.exit_code = exit_code;
    record.summary = summary;
    return Fenced(lease, [&](Tables& tables) {
      ARROW_RETURN_NOT_OK(CloseRun(tables, record));
      return Prune(tables, lease.job);
    });
  }

  Result<std::vector<RunRecord>> Runs(const std::string& job, int count) override {
    return Read([&](Tables& tables) { return ReadRuns(tables, job, count); });
  }

  Status SaveProbe(const std::string& destination, const ProbeVerdict& verdict) override {
    return Write([&](Tables& tables) -> Status {
      ARROW_ASSIGN_OR_RAISE(auto transaction,
                            Transaction::Begin(tables, TransactionKind::kWrite));
      ARROW_RETURN_NOT_OK(WriteProbe(tables, destination, verdict));
      return transaction.Commit();
    });
  }

  Result<std::optional<std::pair<ProbeVerdict, int64_t>>> LastProbe(
      const std::string& destination) override {
    return Read([&](Tables& tables) { return ReadProbe(tables, destination); });
  }

 private:
  template <typename Act>
  Status Write(const Act& act) {
    std::lock_guard lock(mutex_);
    if (place_->is_read_only()) {
      return Error(ErrorKind::kUsage, "state.opened-read-only",
                   place_->Named() + " was opened for reading only");
    }
    return place_->ErrorOf(act(place_->tables()));
  }

  /// One transaction that first checks that `lease` may write.
  template <typename Act>
  Status Fenced(const Lease& lease, const Act& act) {
    return Write([&](Tables& tables) -> Status {
      ARROW_ASSIGN_OR_RAISE(auto transaction,
                            Transaction::Begin(tables, TransactionKind::kWrite));
      ARROW_RETURN_NOT_OK(leases_.CheckFence(tables, lease));
      ARROW_RETURN_NOT_OK(act(tables));
      return transaction.Commit();
    });
  }

  template <typename Act>
  Status Change(const Lease& lease, const std::string& load, const Act& act) {
    return Fenced(lease, [&](Tables& tables) -> Status {
      ARROW_ASSIGN_OR_RAISE(LoadChange change, LoadChange::Of(tables, lease.job, load));
      ARROW_RETURN_NOT_OK(act(change));
      return change.Touch();
    });
  }

  template <typename Act>
  auto Read(const Act& act) -> decltype(act(std::declval<Tables&>())) {
    std::lock_guard lock(mutex_);
    for (int attempt = 0; attempt < kReadTries; ++attempt) {
      auto result = ReadOnce(act);
      auto still = place_->StoodStill();
      if (!still.ok()) return place_->ErrorOf(still.status());
      if (!*still) continue;
      if (result.ok()) return result;
      return place_->ErrorOf(result.status());
    }
    return Error(ErrorKind::kTransient, "state.busy",
                 place_->Named() + " was written again and again while it was read",
                 "run again");
  }

  template <typename Act>
  auto ReadOnce(const Act& act) -> decltype(act(std::declval<Tables&>())) {
    Tables& tables = place_->tables();
    ARROW_ASSIGN_OR_RAISE(auto transaction,
                          Transaction::Begin(tables, TransactionKind::kRead));
    ARROW_ASSIGN_OR_RAISE(auto found, act(tables));
    ARROW_RETURN_NOT_OK(transaction.Commit());
    return found;
  }

  std::mutex mutex_;
  std::unique_ptr<Place> place_;  // what it reaches is guarded by mutex_
  LeaseTable leases_;             // guarded by mutex_
};

}  // namespace

std::unique_ptr<StateStore> MakeTableState(std::unique_ptr<Place> place,
                                           Identity identity, LockFolder locks) {
  return std::make_unique<TableState>(std::move(place), std::move(identity),
                                      std::move(locks));
}

}  // namespace sluice::state
