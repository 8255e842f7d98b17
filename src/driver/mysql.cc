// A statement that streams is ended early by KILL QUERY from a second connection: to read the rest of
// it would take as long as the copy. KILL QUERY marks the connection, and the mark may come when the
// statement has just ended; then the next statement would die of it. So a kill is sent only while
// something is in progress, under a lock, and whoever ends a call that was killed runs a statement of
// no consequence, which takes the mark with it.
#include "driver/mysql.h"

#include <errmsg.h>
#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "driver/mysql_api.h"

namespace sluice::mysql {
namespace {

/// A server that does not answer to KILL has answered nothing else either.
constexpr int kKillSeconds = 10;

/// Length of a length-encoded integer's first byte and the value; moves `at` behind it.
size_t TakeLength(const uint8_t*& at) {
  const uint8_t first = *at++;
  const int width = first == 0xfc ? 2 : first == 0xfd ? 3 : first == 0xfe ? 8 : 0;
  if (width == 0) return first;
  size_t value = 0;
  for (int i = 0; i < width; ++i) value |= static_cast<size_t>(at[i]) << (8 * i);
  at += width;
  return value;
}

Wire WireOf(enum_field_types type) {
  switch (type) {
    case MYSQL_TYPE_TINY: return Wire::kInt8;
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR: return Wire::kInt16;
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_INT24: return Wire::kInt32;
    case MYSQL_TYPE_LONGLONG: return Wire::kInt64;
    case MYSQL_TYPE_FLOAT: return Wire::kFloat;
    case MYSQL_TYPE_DOUBLE: return Wire::kDouble;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
    case MYSQL_TYPE_TIME: return Wire::kTemporal;
    default: return Wire::kBytes;
  }
}

/// Bytes of a fixed-width value; 0: a length is written before it.
size_t WidthOf(Wire wire) {
  switch (wire) {
    case Wire::kInt8: return 1;
    case Wire::kInt16: return 2;
    case Wire::kInt32:
    case Wire::kFloat: return 4;
    case Wire::kInt64:
    case Wire::kDouble: return 8;
    default: return 0;
  }
}

}  // namespace

void Connection::Begin() {
  const std::lock_guard lock(mutex_);
  in_progress_ = true;
  killed_ = cancelled_ = false;
}

Status Connection::End(const Status& status) {
  bool killed, cancelled;
  {
    const std::lock_guard lock(mutex_);
    in_progress_ = false;
    killed = std::exchange(killed_, false);
    cancelled = std::exchange(cancelled_, false);
  }
  if (killed && IdOf(status) != "source.lost") mysql_real_query(handle_, "DO 0", 4);
  if (cancelled && IdOf(status) == "source.query-killed")
    return Error(ErrorKind::kCancelled, "source.cancelled", "cancelled");
  return status;
}

/// Under the lock.
Status Connection::KillNow() {
  killed_ = true;
  ConnectOptions short_wait = options_;
  short_wait.read_timeout_seconds = short_wait.write_timeout_seconds = kKillSeconds;
  ARROW_ASSIGN_OR_RAISE(const auto killer, Open(short_wait));
  const std::string sql = fmt::format("KILL QUERY {}", id_);
  if (mysql_real_query(killer->handle_, sql.data(), sql.size()) == 0) return Status::OK();
  constexpr unsigned int kNoSuchThread = 1094;
  if (mysql_errno(killer->handle_) == kNoSuchThread) return Status::OK();
  return killer->Last();
}

Status Connection::Cancel() {
  const std::lock_guard lock(mutex_);
  if (!in_progress_ || cancelled_) return Status::OK();
  cancelled_ = true;
  if (killed_) return Status::OK();
  return KillNow();
}

Status Connection::Last(bool preparing) {
  return ErrorFor({.code = mysql_errno(handle_),
                   .message = mysql_error(handle_),
                   .stage = preparing ? Stage::kPreparing : Stage::kRunning,
                   .options = &options_,
                   .account = account_});
}

Status Connection::StatementError(st_mysql_stmt* statement, bool preparing) {
  return ErrorFor({.code = mysql_stmt_errno(statement),
                   .message = mysql_stmt_error(statement),
                   .stage = preparing ? Stage::kPreparing : Stage::kRunning,
                   .options = &options_,
                   .account = account_});
}

Status Connection::Execute(const std::string& sql) { return Query(sql).status(); }

Result<std::vector<TextRow>> Connection::Query(const std::string& sql) {
  Begin();
  std::vector<TextRow> rows;
  if (mysql_real_query(handle_, sql.data(), sql.size()) != 0) return End(Last());
  MYSQL_RES* result = mysql_store_result(handle_);
  if (result == nullptr && mysql_errno(handle_) != 0) return End(Last());
  if (result != nullptr) {
    const unsigned int columns = mysql_num_fields(result);
    while (MYSQL_ROW row = mysql_fetch_row(result)) {
      const unsigned long* sizes = mysql_fetch_lengths(result);
      TextRow& texts = rows.emplace_back(columns);
      for (unsigned int i = 0; i < columns; ++i)
        if (row[i] != nullptr) texts[i] = std::string(row[i], sizes[i]);
    }
    mysql_free_result(result);
  }
  ARROW_RETURN_NOT_OK(End(Status::OK()));
  return rows;
}

Result<st_mysql_stmt*> Connection::Prepare(const std::string& sql) {
  MYSQL_STMT* statement = mysql_stmt_init(handle_);
  if (statement == nullptr) return Last();
  if (mysql_stmt_prepare(statement, sql.data(), sql.size()) == 0) return statement;
  const Status failed = StatementError(statement, /*preparing=*/true);
  mysql_stmt_close(statement);
  return failed;
}

Status Connection::Check(const std::string& sql) {
  Begin();
  const auto statement = Prepare(sql);
  if (!statement.ok()) return End(statement.status());
  const bool has_parameters = mysql_stmt_param_count(*statement) > 0;
  mysql_stmt_close(*statement);
  if (!has_parameters) return End(Status::OK());
  return End(Error(ErrorKind::kUsage, "source.sql",
                   "SQL was not accepted: wanted values, found a parameter"));
}

Result<std::unique_ptr<Rows>> Connection::Stream(const std::string& sql) {
  Begin();
  const auto prepared = Prepare(sql);
  if (!prepared.ok()) return End(prepared.status());
  MYSQL_STMT* statement = *prepared;
  if (mysql_stmt_execute(statement) != 0) {
    const Status failed = StatementError(statement, /*preparing=*/false);
    mysql_stmt_close(statement);
    return End(failed);
  }
  return std::unique_ptr<Rows>(new Rows(this, statement));
}

Rows::Rows(Connection* connection, st_mysql_stmt* statement)
    : connection_(connection), statement_(statement) {
  const unsigned int columns = mysql_stmt_field_count(statement);
  for (unsigned int i = 0; i < columns; ++i) {
    wires_.push_back(WireOf(statement->fields[i].type));
    unsigned_.push_back((statement->fields[i].flags & UNSIGNED_FLAG) != 0);
  }
  // Values are taken from the packet where they lie, without a buffer bound for each column.
  mysql_stmt_attr_set(statement, STMT_ATTR_CB_USER_DATA, this);
  mysql_stmt_attr_set(statement, STMT_ATTR_CB_RESULT,
                      reinterpret_cast<void*>(&Rows::OnCell));
}

Rows::~Rows() {
  if (const Status closed = Close(); !closed.ok()) connection_ = nullptr;
}

void Rows::OnCell(void* self, unsigned int column, unsigned char** row) {
  auto* rows = static_cast<Rows*>(self);
  Cell& cell = rows->cells_[column];
  if (row == nullptr) {
    cell = {};
    return;
  }
  const uint8_t* at = *row;
  const size_t width = WidthOf(rows->wires_[column]);
  const size_t size = width > 0 ? width : TakeLength(at);
  cell = {at, size};
  *row = const_cast<unsigned char*>(at + size);
}

bool Rows::Next(Cell* cells, Status* error) {
  if (at_end_) return false;
  cells_ = cells;
  const int code = mysql_stmt_fetch(statement_);
  if (code == 0) return true;
  at_end_ = true;
  Status failed;
  // The library notes what ended the rows at the connection, not at the statement.
  if (code != MYSQL_NO_DATA)
    failed = mysql_stmt_errno(statement_) != 0
                 ? connection_->StatementError(statement_, /*preparing=*/false)
                 : connection_->Last();
  mysql_stmt_close(std::exchange(statement_, nullptr));
  *error = connection_->End(failed);
  return false;
}

Status Rows::Close() {
  if (statement_ == nullptr) return Status::OK();
  Status killed;
  {
    const std::lock_guard lock(connection_->mutex_);
    if (!connection_->killed_) killed = connection_->KillNow();
  }
  at_end_ = true;
  mysql_stmt_close(std::exchange(statement_, nullptr));
  const Status ended = connection_->End(Status::OK());
  return ended.ok() ? killed : ended;
}

std::string LibraryVersion() { return MARIADB_PACKAGE_VERSION; }

}  // namespace sluice::mysql
