#include "state/sqlite_state.h"

#include <filesystem>
#include <mutex>
#include <system_error>
#include <utility>

#include "state/lease_table.h"
#include "state/load_reader.h"
#include "state/load_table.h"
#include "state/query.h"
#include "state/run_table.h"
#include "state/state_file.h"

namespace sluice {
namespace {

using state::LoadChange;
using state::Transaction;

// A reader without locks meets writers again and again only while one is at work, and then it
// finds the writer's log and reads with locks.
constexpr int kReadTries = 10;

/// One folder for one file, whatever symbolic links lead to it.
std::string LockFolderOf(const SqliteStateOptions& options) {
  if (!options.lock_dir.empty()) return options.lock_dir;
  std::error_code error;
  const auto path = std::filesystem::weakly_canonical(options.path, error);
  return (error ? options.path : path.string()) + ".locks";
}

class SqliteState : public StateStore {
 public:
  SqliteState(const SqliteStateOptions& options, std::unique_ptr<state::StateFile> file)
      : options_(options),
        file_(std::move(file)),
        leases_(options.now_sql, state::ThisProcess(options.host, options.boot_id),
                state::LockFolder(LockFolderOf(options))) {}

  std::string Describe() const override { return "sqlite:" + options_.path; }

  Result<Lease> Acquire(const std::string& job, const LeaseOptions& options) override {
    Lease lease;
    ARROW_RETURN_NOT_OK(Write([&](sqlite::Database& database) {
      return leases_.Acquire(database, job, options).Value(&lease);
    }));
    return lease;
  }

  Status Renew(const Lease& lease) override {
    return Write(
        [&](sqlite::Database& database) { return leases_.Renew(database, lease); });
  }

  Status Release(const Lease& lease) override {
    return Write(
        [&](sqlite::Database& database) { return leases_.Release(database, lease); });
  }

  Result<std::optional<LeaseHolder>> Holder(const std::string& job) override {
    return Read(
        [&](sqlite::Database& database) { return leases_.Holder(database, job); });
  }

  Result<std::vector<LeaseHolder>> Jobs(std::vector<std::string>* names) override {
    return Read(
        [&](sqlite::Database& database) { return leases_.Holders(database, names); });
  }

  Status OpenLoad(const Lease& lease, const LoadState& load) override {
    return Fenced(lease, [&](sqlite::Database& database) {
      return state::InsertLoad(database, lease.job, load, options_.now_sql);
    });
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
    return Read(
        [&](sqlite::Database& database) { return state::ReadLoad(database, load); });
  }

  Result<std::optional<LoadState>> OpenLoadOf(const std::string& job,
                                              const std::string& stream) override {
    return Read([&](sqlite::Database& database) {
      return state::ReadOpenLoad(database, job, stream);
    });
  }

  Result<std::vector<LoadState>> Loads(const std::string& job, int count) override {
    return Read([&](sqlite::Database& database) {
      return state::ReadLoads(database, job, count);
    });
  }

  Status BeginRun(const Lease& lease, const RunRecord& run) override {
    RunRecord record = run;
    record.job = lease.job;
    // Where it runs, the leases know.
    if (record.host.empty()) record.host = leases_.host();
    return Fenced(lease, [&](sqlite::Database& database) {
      return state::InsertRun(database, record, options_.now_sql);
    });
  }

  Status EndRun(const Lease& lease, const std::string& run, int exit_code,
                const std::string& summary) override {
    RunRecord record;
    record.run = run;
    record.job = lease.job;
    record.exit_code = exit_code;
    record.summary = summary;
    return Fenced(lease, [&](sqlite::Database& database) {
      ARROW_RETURN_NOT_OK(state::CloseRun(database, record, options_.now_sql));
      return state::Prune(database, lease.job);
    });
  }

  Result<std::vector<RunRecord>> Runs(const std::string& job, int count) override {
    return Read([&](sqlite::Database& database) {
      return state::ReadRuns(database, job, count);
    });
  }

  Status SaveProbe(const std::string& destination, const ProbeVerdict& verdict) override {
    return Write([&](sqlite::Database& database) {
      return state::WriteProbe(database, destination, verdict, options_.now_sql);
    });
  }

  Result<std::optional<std::pair<ProbeVerdict, int64_t>>> LastProbe(
      const std::string& destination) override {
    return Read([&](sqlite::Database& database) {
      return state::ReadProbe(database, destination, options_.now_sql);
    });
  }

 private:
  template <typename Act>
  Status Write(const Act& act) {
    if (options_.read_only) {
      return Error(ErrorKind::kUsage, "state.opened-read-only",
                   "the state file " + options_.path + " was opened for reading only");
    }
    std::lock_guard lock(mutex_);
    return state::StateError(act(file_->database()), options_.path);
  }

  /// One transaction that first checks that `lease` may write.
  template <typename Act>
  Status Fenced(const Lease& lease, const Act& act) {
    return Write([&](sqlite::Database& database) -> Status {
      ARROW_ASSIGN_OR_RAISE(auto transaction,
                            Transaction::Begin(database, Transaction::Kind::kWrite));
      ARROW_RETURN_NOT_OK(leases_.CheckFence(database, lease));
      ARROW_RETURN_NOT_OK(act(database));
      return transaction.Commit();
    });
  }

  template <typename Act>
  Status Change(const Lease& lease, const std::string& load, const Act& act) {
    return Fenced(lease, [&](sqlite::Database& database) -> Status {
      ARROW_ASSIGN_OR_RAISE(LoadChange change, LoadChange::Of(database, lease.job, load));
      ARROW_RETURN_NOT_OK(act(change));
      return change.Touch(options_.now_sql);
    });
  }

  template <typename Act>
  auto Read(const Act& act) -> decltype(act(std::declval<sqlite::Database&>())) {
    std::lock_guard lock(mutex_);
    for (int attempt = 0; attempt < kReadTries; ++attempt) {
      auto result = ReadOnce(act);
      auto still = file_->StoodStill();
      if (!still.ok()) return state::StateError(still.status(), options_.path);
      if (!*still) continue;
      if (result.ok()) return result;
      return state::StateError(result.status(), options_.path);
    }
    return Error(ErrorKind::kTransient, "state.busy",
                 "the state file " + options_.path +
                     " was written again and again while it was read",
                 "run again");
  }

  template <typename Act>
  auto ReadOnce(const Act& act) -> decltype(act(std::declval<sqlite::Database&>())) {
    sqlite::Database& database = file_->database();
    ARROW_ASSIGN_OR_RAISE(auto transaction,
                          Transaction::Begin(database, Transaction::Kind::kRead));
    ARROW_ASSIGN_OR_RAISE(auto found, act(database));
    ARROW_RETURN_NOT_OK(transaction.Commit());
    return found;
  }

  const SqliteStateOptions options_;
  std::mutex mutex_;
  std::unique_ptr<state::StateFile> file_;  // guarded by mutex_
  state::LeaseTable leases_;                // guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<StateStore>> OpenSqliteState(const SqliteStateOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto file, state::StateFile::Open(options));
  return std::make_unique<SqliteState>(options, std::move(file));
}

}  // namespace sluice
