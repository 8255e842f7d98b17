// SQLite says what happened; the caller needs to know what may be done about it. A result code
// that is not listed is kFailed: it is never taken for transient.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <cstring>

#include "driver/file_locks.h"
#include "driver/sqlite_api.h"

namespace sluice::sqlite {
namespace {

/// SQLite's own bound of a path, as its Unix files have it.
constexpr size_t kPathBytesMax = 512;

struct Verdict {
  ErrorKind kind;
  const char* id;  ///< without "source." or "state.", unless it starts with "sqlite."
  std::string message;
  std::string hint;
};

bool IsSource(const Failure& failure) { return failure.role == Role::kSource; }

std::string Subject(const Failure& failure) {
  return fmt::format("{} {}", IsSource(failure) ? "the database" : "the state file",
                     failure.path);
}

std::string Reason(const Failure& failure) {
  if (failure.system_errno == 0) return failure.message;
  return fmt::format("{}: {}", failure.message, std::strerror(failure.system_errno));
}

bool DiskIsFull(int system_errno) {
  return system_errno == ENOSPC || system_errno == EDQUOT;
}

Verdict Locked(const Failure& failure) {
  const auto holders =
      LockHolders({failure.path, failure.path + "-wal", failure.path + "-shm"});
  std::string message = fmt::format("{} is locked: waited {:.1f} s", Subject(failure),
                                    failure.waited_millis / 1000.0);
  if (!holders.empty()) message += fmt::format(" for {}", fmt::join(holders, ", "));
  return {ErrorKind::kTransient, IsSource(failure) ? "locked" : "busy", message,
          holders.empty() ? "let the other program end its transaction, then run again"
                          : "let that program end its transaction, then run again"};
}

Verdict Corrupt(const Failure& failure) {
  std::string message = fmt::format("{} is corrupt: wanted well-formed pages, found: {}",
                                    Subject(failure), failure.message);
  if (!IsSource(failure))
    return {
        ErrorKind::kSource, "corrupt", message,
        "move it away together with its -wal and -shm files, or put a backup in its place"};
  return {
      ErrorKind::kSource, "corrupt", message,
      "look with `PRAGMA integrity_check`; save what is readable with the sqlite3 shell's "
      "`.recover`, and copy that"};
}

Verdict NotADatabase(const Failure& failure) {
  if (!IsSource(failure)) return Corrupt(failure);
  return {
      ErrorKind::kUsage, "not-a-database",
      fmt::format(
          "wanted a SQLite database, found a file that is not one (or is encrypted): {}",
          failure.path),
      "check the path; an encrypted database must be decrypted first"};
}

Verdict Full(const Failure& failure) {
  return {ErrorKind::kResource, "disk-full",
          fmt::format("no room on the disk of {}", Subject(failure)),
          IsSource(failure)
              ? "free some space: to read a log, SQLite writes an index beside it, "
                "and to sort, a file in SQLITE_TMPDIR"
              : "free some space, or put the state elsewhere with --state"};
}

Verdict ReadOnly(const Failure& failure) {
  if (!IsSource(failure))
    return {ErrorKind::kResource, "read-only",
            fmt::format("{} cannot be written: {}", Subject(failure), Reason(failure)),
            "make it writable, or put the state elsewhere with --state"};
  // A read-only connection meets this only where a writer died and left work to be undone or
  // a log that has to be indexed: SQLite would have to write in order to read.
  return {
      ErrorKind::kSource, "needs-recovery",
      fmt::format(
          "{} was left in mid-transaction and can be read only once it is recovered, "
          "which needs write access: {}",
          Subject(failure), failure.message),
      "open it once with write access, for example `sqlite3 FILE 'PRAGMA quick_check'`, or "
      "copy it with its -wal and -journal files to a writable disk"};
}

Verdict CannotOpen(const Failure& failure) {
  const int code = failure.system_errno;
  if (DiskIsFull(code)) return Full(failure);
  if (code == EMFILE || code == ENFILE)
    return {ErrorKind::kResource, "too-many-files",
            fmt::format("{} cannot be opened: {}", Subject(failure), std::strerror(code)),
            "raise the limit of open files (`ulimit -n`)"};
  if (!IsSource(failure) && (code == EROFS || code == EACCES || code == EPERM))
    return ReadOnly(failure);
  if (code == EACCES || code == EPERM)
    return {
        ErrorKind::kUsage, "permission",
        fmt::format("{} cannot be opened: permission denied", Subject(failure)),
        "give this user read access to the file, and write access to its folder if the "
        "database is in WAL mode"};
  if (failure.path.size() > kPathBytesMax)
    return {
        ErrorKind::kUsage, "cannot-open",
        fmt::format("{} cannot be opened: wanted a path of at most {} bytes, found {}",
                    Subject(failure), kPathBytesMax, failure.path.size()),
        "a shorter path is SQLite's to open: move the file, or mount its folder elsewhere"};
  return {ErrorKind::kUsage, "cannot-open",
          fmt::format("{} cannot be opened: {}", Subject(failure), Reason(failure)),
          "a database in WAL mode needs a writable folder, or its -shm file to exist"};
}

Verdict InputOutput(const Failure& failure) {
  if (failure.code == SQLITE_IOERR_NOMEM)
    return {ErrorKind::kResource, "sqlite.memory", "out of memory in SQLite", ""};
  if (failure.code == SQLITE_IOERR_CORRUPTFS) return Corrupt(failure);
  if (DiskIsFull(failure.system_errno)) return Full(failure);
  const std::string message =
      fmt::format("input or output on {} failed: {}", Subject(failure), Reason(failure));
  switch (failure.system_errno) {
    case ESTALE:
    case ETIMEDOUT:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENETUNREACH:
    case EAGAIN: return {ErrorKind::kTransient, "io", message, ""};
    default:
      return {ErrorKind::kSource, "io", message,
              "look at the disk: `dmesg`, free space, mounts"};
  }
}

Verdict BadSql(const Failure& failure) {
  if (failure.preparing)
    return {ErrorKind::kUsage, "sql",
            fmt::format("SQL was not accepted: {}", failure.message), ""};
  if (failure.message.starts_with("no such "))
    return {ErrorKind::kSource, "changed",
            fmt::format("{} changed while it was read: {}", Subject(failure),
                        failure.message),
            ""};
  return {ErrorKind::kFailed, "sql", fmt::format("SQL failed: {}", failure.message), ""};
}

Verdict Judge(const Failure& failure) {
  switch (failure.code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return Locked(failure);
    case SQLITE_NOTADB: return NotADatabase(failure);
    case SQLITE_CORRUPT: return Corrupt(failure);
    case SQLITE_FULL: return Full(failure);
    case SQLITE_READONLY: return ReadOnly(failure);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM: return CannotOpen(failure);
    case SQLITE_IOERR: return InputOutput(failure);
    case SQLITE_NOMEM:
      return {ErrorKind::kResource, "sqlite.memory", "out of memory in SQLite", ""};
    case SQLITE_TOOBIG:
      return {ErrorKind::kResource, "sqlite.too-big",
              fmt::format("a value in {} is larger than wanted", Subject(failure)), ""};
    case SQLITE_INTERRUPT: return {ErrorKind::kCancelled, "cancelled", "cancelled", ""};
    case SQLITE_SCHEMA:
      return {ErrorKind::kSource, "changed",
              fmt::format("{} changed while it was read: {}", Subject(failure),
                          failure.message),
              ""};
    case SQLITE_CONSTRAINT:
      return {ErrorKind::kFailed, "sqlite.constraint", failure.message, ""};
    case SQLITE_ERROR:
    case SQLITE_AUTH: return BadSql(failure);
    default:
      return {ErrorKind::kFailed, "sqlite.failed",
              fmt::format("SQLite failed on {}: {} (code {})", Subject(failure),
                          failure.message, failure.code),
              ""};
  }
}

}  // namespace

Status ErrorFor(const Failure& failure) {
  const Verdict verdict = Judge(failure);
  std::string id = verdict.id;
  if (!id.starts_with("sqlite.")) id = (IsSource(failure) ? "source." : "state.") + id;
  return Error(verdict.kind, id, verdict.message, verdict.hint);
}

}  // namespace sluice::sqlite
