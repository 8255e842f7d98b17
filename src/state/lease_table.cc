#include "state/lease_table.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <utility>

#include "base/uuid.h"
#include "state/query.h"

namespace sluice::state {
namespace {

constexpr char kColumns[] =
    "SELECT epoch, nonce, host, boot_id, pid, run, has_lock_file, expires_millis, job "
    "FROM $jobs WHERE job = ?";
/// Of those who found no row of the job at the same moment, all but one are told so by the database.
constexpr int kAcquireTries = 5;

std::string Who(const std::string& host, int64_t pid, const std::string& run) {
  return fmt::format("host {} pid {} run {}", host, pid, run.empty() ? "(none)" : run);
}

}  // namespace

Identity ThisProcess(const std::string& host, const std::string& boot_id) {
  Identity identity{.host = host, .boot_id = boot_id, .pid = getpid()};
  if (identity.host.empty()) {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) == 0) identity.host = name.data();
  }
  if (identity.boot_id.empty()) {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::getline(file, identity.boot_id);
  }
  return identity;
}

Result<std::optional<LeaseTable::Row>> LeaseTable::Find(Tables& tables,
                                                        const std::string& job,
                                                        std::string_view locking) {
  ARROW_ASSIGN_OR_RAISE(
      Query query, Query::Make(tables, std::string(kColumns).append(locking), {job}));
  ARROW_ASSIGN_OR_RAISE(const bool found, query.Next());
  if (!found) return std::nullopt;
  // A server's comparison may take two names for one: with spaces at their end, say.
  if (query.Text(8) != job) {
    return Error(
        ErrorKind::kUsage, "state.job-name",
        fmt::format("the state takes the names of the jobs '{}' and '{}' for one", job,
                    query.Text(8)),
        "give one of them another name");
  }
  return Row{.epoch = query.Number(0),
             .pid = query.Number(4),
             .expires_millis = query.Number(7),
             .nonce = query.Text(1),
             .host = query.Text(2),
             .boot_id = query.Text(3),
             .run = query.Text(5),
             .has_lock_file = query.Number(6) != 0};
}

Result<int64_t> LeaseTable::Now(Tables& tables) {
  ARROW_ASSIGN_OR_RAISE(auto now, FindNumber(tables, "SELECT " + tables.now_sql()));
  if (!now || *now <= 0) {
    return Error(ErrorKind::kFailed, "state.clock",
                 fmt::format("the clock of the state does not tell the time: {}",
                             now.value_or(0)));
  }
  return *now;
}

bool LeaseTable::IsHeld(const std::string& job, const Row& row, int64_t now) const {
  if (row.nonce.empty() || row.expires_millis <= now) return false;
  // Of another machine, or of this one before it was started again, a lock says nothing.
  const bool was_here = row.has_lock_file && !row.boot_id.empty() &&
                        row.host == identity_.host && row.boot_id == identity_.boot_id;
  return !was_here || !locks_.IsAbandoned(job, row.epoch, row.nonce);
}

LeaseHolder LeaseTable::HolderOf(const std::string& job, const Row& row,
                                 int64_t now) const {
  return {.host = row.host,
          .run = row.run,
          .pid = row.pid,
          .epoch = row.epoch,
          .expires_in_millis = row.nonce.empty() ? 0 : row.expires_millis - now,
          .held = IsHeld(job, row, now)};
}

Result<Lease> LeaseTable::Acquire(Tables& tables, const std::string& job,
                                  const LeaseOptions& options) {
  if (job.empty() || options.ttl_millis <= 0) {
    return Error(
        ErrorKind::kFailed, "state.lease",
        fmt::format("a lease wants a job and a time to live, found '{}' and {} ms", job,
                    options.ttl_millis));
  }
  for (int attempt = 1;; ++attempt) {
    auto lease = AcquireOnce(tables, job, options);
    if (!tables.WasRaced(lease.status()) || attempt == kAcquireTries) return lease;
  }
}

Result<Lease> LeaseTable::AcquireOnce(Tables& tables, const std::string& job,
                                      const LeaseOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto transaction,
                        Transaction::Begin(tables, TransactionKind::kWrite));
  // First the lock, then the time: it may have been waited for.
  ARROW_ASSIGN_OR_RAISE(const auto row, Find(tables, job, tables.locking()));
  ARROW_ASSIGN_OR_RAISE(const int64_t now, Now(tables));
  if (row && IsHeld(job, *row, now)) {
    const double seconds = static_cast<double>(row->expires_millis - now) / 1000;
    return Error(ErrorKind::kHeld, "state.held",
                 fmt::format("job {} is held by {} for another {:.0f} s", job,
                             Who(row->host, row->pid, row->run), seconds),
                 "let that run end; if it is gone, its lease runs out by itself");
  }
  const Lease lease{.job = job, .epoch = row ? row->epoch + 1 : 1, .nonce = NewNonce()};
  // Before the lease can be seen: a lease without its lock looks like that of the dead.
  ARROW_ASSIGN_OR_RAISE(auto lock, locks_.Take(job, lease.epoch, lease.nonce));
  ARROW_RETURN_NOT_OK(Run(
      tables,
      row ? "UPDATE $jobs SET epoch = ?2, nonce = ?3, host = ?4, boot_id = ?5, "
            "pid = ?6, run = ?7, has_lock_file = ?8, ttl_millis = ?9, "
            "expires_millis = ?10 WHERE job = ?1"
          : "INSERT INTO $jobs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
      {job, lease.epoch, lease.nonce, identity_.host, identity_.boot_id, identity_.pid,
       options.run, lock.has_value(), options.ttl_millis, now + options.ttl_millis}));
  ARROW_RETURN_NOT_OK(transaction.Commit());
  held_.erase(job);
  if (lock) held_.emplace(job, std::make_pair(lease.epoch, *std::move(lock)));
  locks_.Sweep(job, lease.epoch);
  return lease;
}

Status LeaseTable::CheckFence(Tables& tables, const Lease& lease) {
  ARROW_ASSIGN_OR_RAISE(const auto row, Find(tables, lease.job, tables.locking()));
  if (row && row->epoch == lease.epoch && row->nonce == lease.nonce) return Status::OK();
  constexpr char kId[] = "state.fenced";
  if (!row) {
    return Error(ErrorKind::kHeld, kId,
                 fmt::format("job {} has no lease in this state", lease.job),
                 "was the state file replaced while the run was at work? run again");
  }
  if (row->epoch <= lease.epoch) {
    return Error(
        ErrorKind::kHeld, kId,
        fmt::format("the lease of job {} (epoch {}) has ended", lease.job, lease.epoch));
  }
  const std::string state = row->nonce.empty() ? ", which has ended" : "";
  return Error(
      ErrorKind::kHeld, kId,
      fmt::format("job {} was taken over (epoch {}, this run had {}) by {}{}", lease.job,
                  row->epoch, lease.epoch, Who(row->host, row->pid, row->run), state),
      "this run was stopped or away for longer than its lease; the other one goes on");
}

Status LeaseTable::Renew(Tables& tables, const Lease& lease) {
  ARROW_ASSIGN_OR_RAISE(auto transaction,
                        Transaction::Begin(tables, TransactionKind::kWrite));
  ARROW_RETURN_NOT_OK(CheckFence(tables, lease));
  ARROW_ASSIGN_OR_RAISE(const int64_t now, Now(tables));
  ARROW_RETURN_NOT_OK(
      Run(tables, "UPDATE $jobs SET expires_millis = ? + ttl_millis WHERE job = ?",
          {now, lease.job}));
  return transaction.Commit();
}

Status LeaseTable::Release(Tables& tables, const Lease& lease) {
  const Status released = FreeRow(tables, lease);
  const auto held = held_.find(lease.job);
  if (held != held_.end() && held->second.first == lease.epoch) {
    // Not released: the file stays, unlocked, and says that nobody is there.
    if (released.ok()) held->second.second.Remove();
    held_.erase(held);
  }
  return released;
}

Status LeaseTable::FreeRow(Tables& tables, const Lease& lease) {
  ARROW_ASSIGN_OR_RAISE(auto transaction,
                        Transaction::Begin(tables, TransactionKind::kWrite));
  // The row stays: loads refer to it, and the next epoch must be greater.
  ARROW_RETURN_NOT_OK(
      Run(tables, "UPDATE $jobs SET nonce = '' WHERE job = ? AND epoch = ? AND nonce = ?",
          {lease.job, lease.epoch, lease.nonce}));
  return transaction.Commit();
}

Result<std::optional<LeaseHolder>> LeaseTable::Holder(Tables& tables,
                                                      const std::string& job) {
  ARROW_ASSIGN_OR_RAISE(const int64_t now, Now(tables));
  ARROW_ASSIGN_OR_RAISE(const auto row, Find(tables, job, ""));
  if (!row) return std::nullopt;
  return HolderOf(job, *row, now);
}

Result<std::vector<LeaseHolder>> LeaseTable::Holders(Tables& tables,
                                                     std::vector<std::string>* names) {
  ARROW_ASSIGN_OR_RAISE(const int64_t now, Now(tables));
  std::vector<std::string> jobs;
  ARROW_ASSIGN_OR_RAISE(Query query,
                        Query::Make(tables, "SELECT job FROM $jobs ORDER BY job"));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool more, query.Next());
    if (!more) break;
    jobs.push_back(query.Text(0));
  }
  std::vector<LeaseHolder> holders;
  for (const std::string& job : jobs) {
    ARROW_ASSIGN_OR_RAISE(const auto row, Find(tables, job, ""));
    if (row) holders.push_back(HolderOf(job, *row, now));
  }
  if (names != nullptr) *names = std::move(jobs);
  return holders;
}

}  // namespace sluice::state
