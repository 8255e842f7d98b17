#include "driver/sqlite.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "driver/sqlite_api.h"

namespace sluice::sqlite {
namespace {

/// Libraries are built with SQLITE_USE_URI too: a relative name gets "./" so that "file:x?mode=rw"
/// and ":memory:" are names of files.
std::string PlainName(const std::string& path) {
  return path.starts_with('/') ? path : "./" + path;
}

std::string ImmutableUri(const std::string& path) {
  std::string uri = "file:";
  for (unsigned char c : PlainName(path)) {
    if (std::isalnum(c) != 0 || c == '/' || c == '.' || c == '-' || c == '_')
      uri += static_cast<char>(c);
    else
      uri += fmt::format("%{:02X}", c);
  }
  return uri + "?immutable=1";
}

Status CheckPath(const OpenOptions& options, Role role) {
  const std::string area = role == Role::kSource ? "source" : "state";
  const std::string& path = options.path;
  if (path.empty() || path.find('\0') != std::string::npos)
    return Error(ErrorKind::kUsage, area + ".no-such-file",
                 "wanted the path of a SQLite file, found an empty or impossible one");
  struct stat file;
  if (stat(path.c_str(), &file) == 0) {
    if (S_ISDIR(file.st_mode))
      return Error(ErrorKind::kUsage, area + ".is-a-directory",
                   fmt::format("wanted a SQLite file, found a directory: {}", path));
    // To open a pipe is to wait for its other end; SQLite opens the files beside it too.
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
      const std::string each = path + suffix;
      if (stat(each.c_str(), &file) != 0 || S_ISREG(file.st_mode)) continue;
      return Error(ErrorKind::kUsage, area + ".not-a-file",
                   fmt::format("wanted a regular file, found something else: {}", each));
    }
    return Status::OK();
  }
  const int reason = errno;
  if (reason == ENOENT && options.mode == OpenMode::kReadWriteCreate) return Status::OK();
  if (reason == ENOENT || reason == ENOTDIR)
    return Error(ErrorKind::kUsage, area + ".no-such-file",
                 fmt::format("wanted a SQLite file, found none: {}", path),
                 "check the path; a relative one starts at the current folder");
  return Error(ErrorKind::kUsage, area + ".permission",
               fmt::format("cannot look at {}: {}", path, std::strerror(reason)));
}

/// Nobody can write there, and no log holds newer pages than the file does.
bool IsOnReadOnlyDisk(const std::string& path) {
  struct statvfs disk;
  if (statvfs(path.c_str(), &disk) != 0 || (disk.f_flag & ST_RDONLY) == 0) return false;
  for (const char* suffix : {"-wal", "-journal"}) {
    struct stat log;
    if (stat((path + suffix).c_str(), &log) == 0 && log.st_size > 0) return false;
  }
  return true;
}

int FlagsOf(OpenMode mode) {
  switch (mode) {
    case OpenMode::kReadOnly: return SQLITE_OPEN_READONLY;
    case OpenMode::kReadWrite: return SQLITE_OPEN_READWRITE;
    case OpenMode::kReadWriteCreate: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  return SQLITE_OPEN_READONLY;
}

}  // namespace

Database::Database(const OpenOptions& options, Role role)
    : path_(options.path),
      role_(role),
      busy_timeout_millis_(options.busy_timeout_millis) {}

Database::~Database() {
  for (const auto& [sql, statement] : kept_) sqlite3_finalize(statement);
  sqlite3_close_v2(db_);
}

int Database::OnBusy(void* self, int count) {
  auto* database = static_cast<Database*>(self);
  if (count == 0) {
    database->waited_millis_ = 0;
    database->interrupted_ =
        false;  // An interrupt is for the call in progress, not for this one.
  }
  const int pause_millis = std::min(1 << std::min(count, 6), 50);
  if (database->interrupted_) return 0;
  if (database->waited_millis_ + pause_millis > database->busy_timeout_millis_) return 0;
  sqlite3_sleep(pause_millis);
  database->waited_millis_ += pause_millis;
  return 1;
}

Status Database::ErrorOf(int code, bool preparing) {
  Failure failure;
  // A wait for a lock that was cut short ends as "busy".
  const bool cut_short = (code & 0xff) == SQLITE_BUSY && interrupted_.exchange(false);
  failure.code = cut_short ? SQLITE_INTERRUPT : code;
  failure.path = path_;
  failure.role = role_;
  failure.waited_millis = std::exchange(waited_millis_, 0);
  failure.preparing = preparing;
  failure.message = db_ != nullptr ? sqlite3_errmsg(db_) : sqlite3_errstr(code);
  if (db_ != nullptr) failure.system_errno = sqlite3_system_errno(db_);
  return ErrorFor(failure);
}

Status Database::OpenHandle(const OpenOptions& options, bool immutable) {
  sqlite3_close_v2(std::exchange(db_, nullptr));
  immutable_ = immutable;
  const int flags = FlagsOf(options.mode) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (immutable ? SQLITE_OPEN_URI : 0);
  const std::string name = immutable ? ImmutableUri(path_) : PlainName(path_);
  const int code = sqlite3_open_v2(name.c_str(), &db_, flags, nullptr);
  if (code != SQLITE_OK) return ErrorOf(code);
  sqlite3_busy_handler(db_, &Database::OnBusy, this);
  ARROW_RETURN_NOT_OK(Harden());
  return TouchFile();
}

Status Database::Harden() {
  // A database file is input: its schema may hold SQL made to harm whoever opens it. Its functions and
  // virtual tables are SQLite's own, none of which writes files; TRUSTED_SCHEMA=0 would refuse json_extract()
  // in a generated column, and with it the database.
  const std::pair<int, int> settings[] = {{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
                                          {SQLITE_DBCONFIG_DEFENSIVE, 1},
                                          // "no_such_column" would be taken for a string.
                                          {SQLITE_DBCONFIG_DQS_DML, 0}};
  for (const auto& [setting, value] : settings) {
    const int code = sqlite3_db_config(db_, setting, value, nullptr);
    if (code != SQLITE_OK) return ErrorOf(code);
  }
  // Mapped pages of a file that somebody truncates are a SIGBUS.
  return Execute("PRAGMA mmap_size=0");
}

Status Database::TouchFile() {
  // Opening reads nothing; the first look at the schema reads the header and every definition.
  return Execute("SELECT 1 FROM sqlite_schema LIMIT 1");
}

Result<std::unique_ptr<Database>> Database::Open(const OpenOptions& options, Role role) {
  ARROW_RETURN_NOT_OK(CheckPath(options, role));
  std::unique_ptr<Database> database(new Database(options, role));
  const Status opened = database->OpenHandle(options, options.immutable);
  if (opened.ok()) return database;
  // In WAL mode even a reader makes a -shm file, which a read-only disk refuses.
  const std::string_view id = IdOf(opened);
  const bool refused = id == "source.cannot-open" || id == "source.needs-recovery";
  if (refused && options.mode == OpenMode::kReadOnly && IsOnReadOnlyDisk(options.path)) {
    ARROW_RETURN_NOT_OK(database->OpenHandle(options, /*immutable=*/true));
    return database;
  }
  return opened;
}

Status Database::Execute(const std::string& sql) {
  const char* rest = sql.c_str();
  while (*rest != '\0') {
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v2(db_, rest, -1, &statement, &rest);
    if (code != SQLITE_OK) return ErrorOf(code, /*preparing=*/true);
    if (statement == nullptr) continue;
    do code = sqlite3_step(statement);
    while (code == SQLITE_ROW);
    const Status status = code == SQLITE_DONE ? Status::OK() : ErrorOf(code);
    sqlite3_finalize(statement);
    ARROW_RETURN_NOT_OK(status);
  }
  return Status::OK();
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), 0,
                                      &statement, &rest);
  if (code != SQLITE_OK) return ErrorOf(code, /*preparing=*/true);
  Statement prepared(statement, this);
  const std::string_view tail(rest, sql.data() + sql.size() - rest);
  if (statement == nullptr ||
      tail.find_first_not_of(" \t\r\n;") != std::string_view::npos)
    return Error(ErrorKind::kUsage, role_ == Role::kSource ? "source.sql" : "state.sql",
                 "SQL was not accepted: wanted one statement");
  return prepared;
}

Result<Statement> Database::PrepareKept(std::string_view sql) {
  const auto found = kept_.find(sql);
  if (found == kept_.end()) {
    ARROW_ASSIGN_OR_RAISE(Statement statement, Prepare(sql));
    statement.kept_ = true;
    return statement;
  }
  Statement statement(found->second, this);
  statement.kept_ = true;
  kept_.erase(found);
  return statement;
}

void Database::Interrupt() {
  interrupted_ = true;
  sqlite3_interrupt(db_);
}

int64_t Database::changes() const { return sqlite3_changes64(db_); }

void Database::LimitValueBytes(int64_t size_max) {
  const int64_t most = 1'000'000'000;
  sqlite3_limit(db_, SQLITE_LIMIT_LENGTH,
                static_cast<int>(std::clamp<int64_t>(size_max, 1, most)));
}

std::optional<int64_t> Database::ValueBytes(const std::string& table,
                                            const std::string& column, int64_t rowid) {
  sqlite3_blob* blob = nullptr;
  std::optional<int64_t> size;
  if (sqlite3_blob_open(db_, "main", table.c_str(), column.c_str(), rowid, 0, &blob) ==
      SQLITE_OK)
    size = sqlite3_blob_bytes(blob);
  sqlite3_blob_close(blob);
  return size;
}

std::string Database::ColumnCollation(const std::string& table,
                                      const std::string& column) {
  const char* collation = nullptr;
  const int code =
      sqlite3_table_column_metadata(db_, "main", table.c_str(), column.c_str(), nullptr,
                                    &collation, nullptr, nullptr, nullptr);
  return code == SQLITE_OK && collation != nullptr ? collation : "";
}

Statement::Statement(sqlite3_stmt* statement, Database* database)
    : statement_(statement), database_(database) {}

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      database_(other.database_),
      kept_(other.kept_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this == &other) return *this;
  Leave();
  statement_ = std::exchange(other.statement_, nullptr);
  database_ = other.database_;
  kept_ = other.kept_;
  return *this;
}

Statement::~Statement() { Leave(); }

void Statement::Leave() {
  if (statement_ != nullptr && kept_) {
    // What it says of its last step was said already.
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    const char* sql = sqlite3_sql(statement_);
    if (database_->kept_.try_emplace(sql, statement_).second) return;
  }
  sqlite3_finalize(statement_);
}

Status Statement::Bound(int code) {
  return code == SQLITE_OK ? Status::OK() : database_->ErrorOf(code);
}

Status Statement::BindInt64(int index, int64_t value) {
  return Bound(sqlite3_bind_int64(statement_, index + 1, value));
}

Status Statement::BindDouble(int index, double value) {
  return Bound(sqlite3_bind_double(statement_, index + 1, value));
}

Status Statement::BindText(int index, std::string_view value) {
  // A null pointer would bind NULL.
  return Bound(sqlite3_bind_text64(statement_, index + 1,
                                   value.empty() ? "" : value.data(), value.size(),
                                   SQLITE_TRANSIENT, SQLITE_UTF8));
}

Status Statement::BindBlob(int index, std::string_view value) {
  return Bound(sqlite3_bind_blob64(statement_, index + 1,
                                   value.empty() ? "" : value.data(), value.size(),
                                   SQLITE_TRANSIENT));
}

Status Statement::BindNull(int index) {
  return Bound(sqlite3_bind_null(statement_, index + 1));
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_->ErrorOf(code);
}

bool Statement::NextRow(Cell* cells, Status* error) {
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW) {
    if (code != SQLITE_DONE) *error = database_->ErrorOf(code);
    return false;
  }
  const int count = sqlite3_data_count(statement_);
  for (int column = 0; column < count; ++column) {
    // A sqlite3_value_ call is half the price of its sqlite3_column_ twin, and as safe: this
    // connection has no mutex that the twin would hold (https://sqlite.org/c3ref/value.html).
    sqlite3_value* value = sqlite3_column_value(statement_, column);
    Cell& cell = cells[column];
    cell.type = static_cast<Type>(sqlite3_value_type(value));
    switch (cell.type) {
      case Type::kInteger: cell.integer = sqlite3_value_int64(value); break;
      case Type::kReal: cell.real = sqlite3_value_double(value); break;
      case Type::kText:
        cell.data = reinterpret_cast<const char*>(sqlite3_value_text(value));
        cell.size = sqlite3_value_bytes(value);
        if (cell.data != nullptr) break;
        *error = database_->ErrorOf(SQLITE_NOMEM);
        return false;
      case Type::kBlob:
        cell.data = static_cast<const char*>(sqlite3_value_blob(value));
        cell.size = sqlite3_value_bytes(value);
        break;
      case Type::kNull: break;
    }
  }
  return true;
}

Status Statement::Reset() {
  // The code is that of the last Step, which has been reported already.
  sqlite3_reset(statement_);
  return Bound(sqlite3_clear_bindings(statement_));
}

int Statement::column_count() const { return sqlite3_column_count(statement_); }

std::string Statement::ColumnName(int column) const {
  const char* name = sqlite3_column_name(statement_, column);
  return name == nullptr ? "" : name;
}

Type Statement::ColumnType(int column) const {
  return static_cast<Type>(sqlite3_column_type(statement_, column));
}

int64_t Statement::ColumnInt64(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Statement::ColumnDouble(int column) const {
  return sqlite3_column_double(statement_, column);
}

std::string_view Statement::ColumnText(int column) const {
  const auto* text =
      reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Statement::ColumnBlob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string LibraryVersion() { return sqlite3_libversion(); }

}  // namespace sluice::sqlite
