#include "state/state_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>

#include "arrow/util/cancel.h"
#include "sluice/clock.h"
#include "sluice/version.h"
#include "state/query.h"

namespace sluice::state {
namespace {

// Beyond this the check of every page would be felt at each start.
constexpr int64_t kCheckedSizeMax = 64 << 20;
// Processes that make the same new file meet in the switch to WAL, which does not wait.
constexpr int kWalTries = 250;
constexpr std::chrono::milliseconds kWalPause{20};

constexpr char kMoveAway[] =
    "move it away together with its -wal and -shm files and run again: a new state is made. "
    "Lost are the history of runs and what unfinished loads had staged (gc removes that); "
    "committed loads are decided at the destination and stay";

Status Corrupt(const std::string& path, const std::string& found) {
  return Error(ErrorKind::kSource, "state.corrupt",
               fmt::format("the state file {} cannot be used: {}", path, found),
               kMoveAway);
}

Status ReadOnlyDisk(const std::string& path, const std::string& reason) {
  return Error(
      ErrorKind::kResource, "state.read-only",
      fmt::format("the state file {} cannot be written: {}", path, reason),
      "make it and its folder writable, or put the state elsewhere with --state");
}

Status CannotMake(const std::string& path, int reason) {
  if (reason == ENOSPC || reason == EDQUOT) {
    return Error(ErrorKind::kResource, "state.disk-full",
                 fmt::format("no room on the disk for the state at {}", path),
                 "free some space, or put the state elsewhere with --state");
  }
  if (reason == EROFS || reason == EACCES || reason == EPERM) {
    return ReadOnlyDisk(path, std::strerror(reason));
  }
  return Error(
      ErrorKind::kUsage, "state.cannot-open",
      fmt::format("the state cannot be made at {}: {}", path, std::strerror(reason)),
      "name another file with --state");
}

void SyncFolder(const std::filesystem::path& folder) {
  const int fd =
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  // Some file systems cannot; SQLite syncs the file's folder again with its first log.
  fsync(fd);
  close(fd);
}

Status MakeFolder(const std::filesystem::path& folder) {
  struct stat found;
  if (folder.empty() || stat(folder.c_str(), &found) == 0) return Status::OK();
  ARROW_RETURN_NOT_OK(MakeFolder(folder.parent_path()));
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return CannotMake(folder, errno);
  SyncFolder(folder.parent_path());
  return Status::OK();
}

/// An empty file that only its owner can read. It is never opened here: to close a file drops
/// the locks that SQLite holds on it for another connection of this process.
Status MakeFile(const std::string& path) {
  struct stat found;
  if (path.empty()) return Status::OK();
  if (stat(path.c_str(), &found) == 0) {
    if (S_ISREG(found.st_mode) || S_ISDIR(found.st_mode)) return Status::OK();
    return Error(ErrorKind::kUsage, "state.not-a-file",
                 "wanted a regular file for the state, found something else: " + path);
  }
  if (errno != ENOENT) return CannotMake(path, errno);
  ARROW_RETURN_NOT_OK(MakeFolder(std::filesystem::path(path).parent_path()));
  if (mknod(path.c_str(), S_IFREG | 0600, 0) != 0 && errno != EEXIST) {
    return CannotMake(path, errno);
  }
  SyncFolder(std::filesystem::path(path).parent_path());
  return Status::OK();
}

/// SQLite opens what it cannot write for reading only, and says so at the first write.
Status CheckWritable(const std::string& path) {
  if (path.empty()) return Status::OK();
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  for (const std::string& each :
       {path, folder.empty() ? std::string(".") : folder.string()}) {
    if (faccessat(AT_FDCWD, each.c_str(), W_OK, AT_EACCESS) == 0 || errno == ENOENT)
      continue;
    return CannotMake(path, errno);
  }
  return Status::OK();
}

Result<int64_t> Pragma(Tables& tables, const char* name) {
  ARROW_ASSIGN_OR_RAISE(auto number, FindNumber(tables, std::string("PRAGMA ") + name));
  return number.value_or(0);
}

bool HoldsSomething(const std::string& path) {
  struct stat found;
  return stat(path.c_str(), &found) == 0 && found.st_size > 0;
}

}  // namespace

Status StateError(const Status& status, const std::string& path) {
  if (status.ok()) return status;
  const std::string_view id = IdOf(status);
  // Our own SQL does not fit: the tables are not those that the version promises.
  if (id == "json.malformed" || id == "state.sql") {
    return Corrupt(path, status.message());
  }
  if (id == "state.corrupt") {
    return Error(ErrorKind::kSource, id, status.message(), kMoveAway);
  }
  if (id == "state.changed") {
    return Error(ErrorKind::kSource, id, status.message(),
                 "run again; put no other file in the place of a state that is in use");
  }
  if (id == "state.read-only") return ReadOnlyDisk(path, status.message());
  return status;
}

Result<std::unique_ptr<StateFile>> StateFile::Open(const SqliteStateOptions& options) {
  std::unique_ptr<StateFile> file(new StateFile(options));
  const Status opened =
      options.read_only ? file->OpenForReading() : file->OpenForWriting();
  ARROW_RETURN_NOT_OK(StateError(opened, options.path));
  return file;
}

Status StateFile::OpenForWriting() {
  if (options_.create) ARROW_RETURN_NOT_OK(MakeFile(options_.path));
  ARROW_RETURN_NOT_OK(CheckWritable(options_.path));
  const sqlite::OpenOptions open{.path = options_.path,
                                 .mode = sqlite::OpenMode::kReadWrite,
                                 .busy_timeout_millis = options_.busy_timeout_millis};
  ARROW_RETURN_NOT_OK(OpenDatabase(open));
  // Beyond this point the file is ours, or was empty: nobody else's is ever changed.
  bool is_new = false;
  ARROW_RETURN_NOT_OK(Recognise(&is_new));
  ARROW_RETURN_NOT_OK(
      database_->Execute("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON"));
  if (is_new) ARROW_RETURN_NOT_OK(CreateSchema());
  ARROW_RETURN_NOT_OK(UseWriteAheadLog());
  return CheckPages();
}

Status StateFile::OpenForReading() {
  footprint_ = Look();
  // Without a log the file itself is all there is, and can be read without locks: with them
  // SQLite makes -wal and -shm files for a reader too. Who writes changes the footprint.
  unlocked_ = !footprint_.has_log;
  const sqlite::OpenOptions open{.path = options_.path,
                                 .mode = sqlite::OpenMode::kReadOnly,
                                 .busy_timeout_millis = options_.busy_timeout_millis,
                                 .immutable = unlocked_};
  ARROW_RETURN_NOT_OK(OpenDatabase(open));
  bool is_new = false;
  ARROW_RETURN_NOT_OK(Recognise(&is_new));
  if (is_new) {
    return Error(ErrorKind::kUsage, "state.no-such-file",
                 "wanted a state file, found an empty one: " + options_.path);
  }
  return CheckPages();
}

Status StateFile::OpenDatabase(const sqlite::OpenOptions& open) {
  tables_ = nullptr;
  ARROW_ASSIGN_OR_RAISE(database_, sqlite::Database::Open(open, sqlite::Role::kState));
  tables_ = std::make_unique<SqliteTables>(*database_, options_.now_sql);
  return Status::OK();
}

StateFile::Footprint StateFile::Look() const {
  Footprint look;
  struct stat file;
  if (stat(options_.path.c_str(), &file) == 0) {
    look.inode = file.st_ino;
    look.size = file.st_size;
    look.modified_nanos = file.st_mtim.tv_sec * 1'000'000'000 + file.st_mtim.tv_nsec;
  }
  look.has_log = HoldsSomething(options_.path + "-wal") ||
                 HoldsSomething(options_.path + "-journal");
  return look;
}

Result<bool> StateFile::StoodStill() {
  if (!unlocked_ || Look() == footprint_) return true;
  ARROW_RETURN_NOT_OK(OpenForReading());
  return false;
}

Status StateFile::Recognise(bool* is_new) {
  // What is asked is of one moment: another process may be making the schema.
  ARROW_ASSIGN_OR_RAISE(auto transaction,
                        Transaction::Begin(*tables_, TransactionKind::kRead));
  ARROW_RETURN_NOT_OK(RecogniseInTransaction(is_new));
  return transaction.Commit();
}

Status StateFile::RecogniseInTransaction(bool* is_new) {
  ARROW_ASSIGN_OR_RAISE(const int64_t application, Pragma(*tables_, "application_id"));
  ARROW_ASSIGN_OR_RAISE(const int64_t version, Pragma(*tables_, "user_version"));
  ARROW_ASSIGN_OR_RAISE(auto objects,
                        FindNumber(*tables_, "SELECT count(*) FROM sqlite_schema"));
  *is_new = application == 0 && version == 0 && objects.value_or(0) == 0;
  if (*is_new) return Status::OK();
  if (application != kApplicationId) {
    return Corrupt(
        options_.path,
        fmt::format("it is a SQLite database, but not one of sluice (application id {})",
                    application));
  }
  if (version > kSchemaVersion) {
    const auto writer =
        FindText(*tables_, "SELECT value FROM about WHERE name = 'sluice_version'");
    const std::string needed = writer.ok() && *writer
                                   ? "sluice " + **writer
                                   : std::string("the sluice that wrote it");
    return Error(
        ErrorKind::kUsage, "state.newer",
        fmt::format(
            "the state file {} is of version {}, sluice {} knows versions up to {}",
            options_.path, version, kVersion, kSchemaVersion),
        fmt::format("use {} or newer, or another state with --state", needed));
  }
  if (version < 1)
    return Corrupt(options_.path, fmt::format("its version is {}", version));
  return Status::OK();
}

Status StateFile::CreateSchema() {
  ARROW_ASSIGN_OR_RAISE(auto transaction,
                        Transaction::Begin(*tables_, TransactionKind::kWrite));
  bool is_new = false;
  // Another process may have been quicker.
  ARROW_RETURN_NOT_OK(RecogniseInTransaction(&is_new));
  if (!is_new) return Status::OK();
  ARROW_RETURN_NOT_OK(database_->Execute(kSchemaSql));
  ARROW_RETURN_NOT_OK(
      Run(*tables_, "INSERT INTO about VALUES ('sluice_version', ?)", {kVersion}));
  ARROW_RETURN_NOT_OK(
      database_->Execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}",
                                     kApplicationId, kSchemaVersion)));
  return transaction.Commit();
}

Status StateFile::UseWriteAheadLog() {
  for (int attempt = 1;; ++attempt) {
    const auto mode = FindText(*tables_, "PRAGMA journal_mode=WAL");
    if (mode.ok() && **mode == "wal") return Status::OK();
    if (mode.ok()) {
      return Error(
          ErrorKind::kUsage, "state.no-wal",
          fmt::format("the disk of the state file {} cannot keep a write-ahead log "
                      "(journal mode is {})",
                      options_.path, **mode),
          "put the state on a local disk with --state");
    }
    const bool again =
        KindOf(mode.status()) == ErrorKind::kTransient && attempt < kWalTries;
    if (!again) return mode.status();
    ARROW_RETURN_NOT_OK(SystemClock().Sleep(kWalPause, arrow::StopToken::Unstoppable()));
  }
}

Status StateFile::CheckPages() {
  ARROW_ASSIGN_OR_RAISE(const int64_t pages, Pragma(*tables_, "page_count"));
  ARROW_ASSIGN_OR_RAISE(const int64_t page_size, Pragma(*tables_, "page_size"));
  if (pages * page_size > kCheckedSizeMax) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto verdict, FindText(*tables_, "PRAGMA quick_check(1)"));
  if (!verdict || *verdict != "ok")
    return Corrupt(options_.path, verdict.value_or("no answer"));
  return Status::OK();
}

}  // namespace sluice::state
