#include "state/mysql_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "sql/ledger.h"
#include "sql/mysql_text.h"

namespace sluice::state {
namespace {

using mysql::TextRow;

/// Other writers hold a row for milliseconds; for longer only one that hangs.
constexpr int kLockWaitSeconds = 5;
/// Of a session that has no lease: as long as a lease usually is.
constexpr int64_t kIdleSeconds = 60;
/// No server's wait_timeout may be larger.
constexpr int64_t kIdleSecondsMax = 28'800;

class TextRows : public Rows {
 public:
  explicit TextRows(std::vector<TextRow> rows) : rows_(std::move(rows)) {}
  Result<bool> Next() override { return ++at_ <= rows_.size(); }
  int64_t Number(int column) const override {
    const std::string text = Text(column).value_or("0");
    int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }
  std::optional<std::string> Text(int column) const override {
    return rows_[at_ - 1][static_cast<size_t>(column)];
  }

 private:
  std::vector<TextRow> rows_;
  size_t at_ = 0;  // of the rows, the one that is read now, from 1
};

std::string Literal(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNumber: return std::to_string(value.number());
    case Value::Kind::kText: return mysql::TextLiteral(value.text());
    case Value::Kind::kNull: break;
  }
  return "NULL";
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return c >= 'a' && c <= 'z'; }

/// Names of tables and values in their places.
std::string Expand(std::string_view schema, std::string_view sql,
                   std::initializer_list<Value> values) {
  std::string text;
  size_t next = 0;
  for (size_t i = 0; i < sql.size();) {
    const char c = sql[i++];
    const size_t begin = i;
    if (c == '$') {
      while (i < sql.size() && IsLetter(sql[i])) ++i;
      const std::string name(sql.substr(begin, i - begin));
      text += ledger::NameIn(schema, std::string(ledger::kPrefix) + name);
    } else if (c == '?') {
      while (i < sql.size() && IsDigit(sql[i])) ++i;
      size_t number = next + 1;
      if (i > begin) std::from_chars(&sql[begin], sql.data() + i, number);
      next = number;
      text += Literal(values.begin()[number - 1]);
    } else {
      text += c;
    }
  }
  return text;
}

/// What a session has that a ledger is read and written by: the variable and its value.
struct Setting {
  std::string_view name;
  std::string value;
};
std::vector<Setting> SettingsOf(const mysql::ServerVersion& server,
                                int64_t idle_seconds) {
  const bool is_mysql = server.flavor == mysql::Flavor::kMySql;
  const bool is_named_anew = server.number >= (is_mysql ? 50'720 : 110'101);
  return {
      {"sql_mode", "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"},
      {"time_zone", "+00:00"},
      {"character_set_client", "utf8mb4"},
      {"character_set_results", "utf8mb4"},
      {"collation_connection", "utf8mb4_bin"},
      {is_named_anew ? "transaction_isolation" : "tx_isolation", "READ-COMMITTED"},
      {"completion_type", "NO_CHAIN"},
      {"autocommit", "1"},
      {"sql_safe_updates", "0"},
      {"sql_auto_is_null", "0"},
      {"sql_select_limit", "18446744073709551615"},
      {"innodb_lock_wait_timeout", std::to_string(kLockWaitSeconds)},
      {"wait_timeout", std::to_string(idle_seconds)},
  };
}

bool IsNumber(std::string_view text) { return std::ranges::all_of(text, IsDigit); }

}  // namespace

MysqlTables::MysqlTables(const MysqlStateOptions& options)
    : options_(options), idle_seconds_(kIdleSeconds) {}

Status MysqlTables::Connect() {
  if (connection_ != nullptr) return Status::OK();
  mysql::ConnectOptions server = options_.server;
  server.lock_wait_seconds = kLockWaitSeconds;
  ARROW_ASSIGN_OR_RAISE(connection_, mysql::Connection::Open(server));
  Status pinned = Pin();
  if (pinned.ok()) pinned = CheckPinned();
  if (!pinned.ok()) connection_ = nullptr;
  return pinned;
}

Status MysqlTables::Pin() {
  std::string sql;
  for (const Setting& setting : SettingsOf(connection_->server(), idle_seconds_))
    sql += fmt::format(
        "{}{} = {}", sql.empty() ? "SET SESSION " : ", ", setting.name,
        IsNumber(setting.value) ? setting.value : fmt::format("'{}'", setting.value));
  return Send(sql).status();
}

Status MysqlTables::CheckPinned() {
  const auto settings = SettingsOf(connection_->server(), idle_seconds_);
  std::string sql;
  for (const Setting& setting : settings)
    sql += fmt::format("{}@@SESSION.{}", sql.empty() ? "SELECT " : ", ", setting.name);
  ARROW_ASSIGN_OR_RAISE(const auto rows, Send(sql));
  for (size_t i = 0; i < settings.size(); ++i) {
    const std::string found = rows.at(0).at(i).value_or("NULL");
    if (found == settings[i].value) continue;
    return Error(ErrorKind::kUsage, "state.cannot-open",
                 fmt::format("wanted {} = '{}' in the session of the ledger, found '{}'",
                             settings[i].name, settings[i].value, found),
                 "something between here and the server overrules it: connect to the "
                 "server itself");
  }
  return Status::OK();
}

void MysqlTables::EndSilenceAfter(int64_t millis) {
  const int64_t seconds = std::clamp<int64_t>(millis / 1000, 1, kIdleSecondsMax);
  if (std::exchange(idle_seconds_, seconds) == seconds || connection_ == nullptr) return;
  // Where it cannot be said, the next session has it.
  if (!Send(fmt::format("SET SESSION wait_timeout = {}", seconds)).ok())
    connection_ = nullptr;
}

Result<std::vector<TextRow>> MysqlTables::Send(const std::string& sql) {
  if (connection_ == nullptr)
    return Error(ErrorKind::kTransient, "source.lost", "the connection was lost");
  auto rows = connection_->Query(sql);
  // Never in the middle of a transaction: whoever began it sees the error, and ends it.
  if (!rows.ok() && IdOf(rows.status()) == "source.lost") connection_ = nullptr;
  return rows;
}

Result<std::unique_ptr<Rows>> MysqlTables::Ask(std::string_view sql,
                                               std::initializer_list<Value> values) {
  ARROW_ASSIGN_OR_RAISE(auto rows, Send(Expand(options_.server.database, sql, values)));
  return std::make_unique<TextRows>(std::move(rows));
}

Status MysqlTables::BeginNow(TransactionKind kind) {
  if (kind == TransactionKind::kWrite)
    return Send("START TRANSACTION READ WRITE").status();
  // The rows of a load are of one moment.
  ARROW_RETURN_NOT_OK(Send("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"));
  return Send("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY").status();
}

Status MysqlTables::Begin(TransactionKind kind) {
  ARROW_RETURN_NOT_OK(Connect());
  const Status begun = BeginNow(kind);
  if (begun.ok() || connection_ != nullptr) return begun;
  // It was lost since the last call, and nothing was begun on it.
  ARROW_RETURN_NOT_OK(Connect());
  return BeginNow(kind);
}

Status MysqlTables::Commit() {
  const Status committed = Send("COMMIT").status();
  // A deadlock was rolled back, and says so; after any other error it may be there.
  if (committed.ok() || IdOf(committed) == "source.locked") return committed;
  connection_ = nullptr;
  return Error(ErrorKind::kTransient, "state.commit-unknown",
               fmt::format("no answer to COMMIT, so it is not known whether it was done: "
                           "{}",
                           committed.message()),
               "run again: it reads what is there");
}

void MysqlTables::Rollback() {
  // Closed, the server rolls back by itself.
  if (connection_ != nullptr && !Send("ROLLBACK").ok()) connection_ = nullptr;
}

bool MysqlTables::WasRaced(const Status& status) const {
  return IdOf(status) == "mysql.duplicate";
}

}  // namespace sluice::state
