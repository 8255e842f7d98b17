// One state for several sessions, without a lock where that can be proven:
//
// MySQL. gtid_executed is read, all snapshots are opened, then gtid_owned must be empty and
// gtid_executed, read after it, what it was. A transaction is in gtid_owned from before it is visible
// until it is in gtid_executed, so none became visible while the snapshots were opened. The position in
// the binary log alone proves nothing: it moves before the commit is seen.
//
// MariaDB. binlog_snapshot_file and _position are those of the session's own snapshot; where they are
// the same in all, the snapshots are.
//
// Where neither can be had, or writers are too many: FLUSH TABLES WITH READ LOCK for as long as it
// takes to open them, where the account may. It waits for long statements of others and makes new ones
// wait behind it, so it does not wait long.
#include "source/mysql_snapshot.h"

#include <fmt/format.h>

namespace sluice::mysql {
namespace {

constexpr int kLockFreeTries = 20;
constexpr int kLockWaitSeconds = 5;
constexpr char kBegin[] = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

using Position = std::optional<std::string>;

Result<std::string> AskText(Connection& connection, const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(const auto rows, connection.Query(sql));
  return rows.empty() || rows[0].empty() ? "" : rows[0].back().value_or("");
}

Status ForAll(const Connections& connections, const std::string& sql) {
  for (const auto& connection : connections)
    ARROW_RETURN_NOT_OK(connection->Execute(sql));
  return Status::OK();
}

/// "" where the server keeps none.
Result<std::string> GtidExecuted(Connection& connection) {
  ARROW_ASSIGN_OR_RAISE(const std::string mode,
                        AskText(connection, "SELECT @@GLOBAL.gtid_mode"));
  if (mode != "ON") return "";
  // Server and set: the empty set of a new server is a position too.
  ARROW_ASSIGN_OR_RAISE(
      std::string executed,
      AskText(connection, "SELECT CONCAT(@@server_uuid, ' ', @@GLOBAL.gtid_executed)"));
  std::erase(executed, '\n');
  return executed;
}

Result<Position> OpenByGtid(const Connections& connections) {
  Connection& asked = *connections[0];
  for (int i = 0; i < kLockFreeTries; ++i) {
    ARROW_ASSIGN_OR_RAISE(const std::string before, GtidExecuted(asked));
    if (before.empty()) return std::nullopt;
    ARROW_RETURN_NOT_OK(ForAll(connections, kBegin));
    ARROW_ASSIGN_OR_RAISE(const std::string owned,
                          AskText(asked, "SELECT @@GLOBAL.gtid_owned"));
    if (owned.empty()) {
      ARROW_ASSIGN_OR_RAISE(const std::string after, GtidExecuted(asked));
      if (after == before) return "mysql:gtid:" + before;
    }
    ARROW_RETURN_NOT_OK(ForAll(connections, "ROLLBACK"));
  }
  return std::nullopt;
}

/// Of the session's own snapshot; "" where there is no binary log.
Result<std::string> BinlogSnapshot(Connection& connection) {
  ARROW_ASSIGN_OR_RAISE(const std::string file,
                        AskText(connection, "SHOW STATUS LIKE 'binlog_snapshot_file'"));
  if (file.empty() || file == "none") return "";
  ARROW_ASSIGN_OR_RAISE(
      const std::string place,
      AskText(connection, "SHOW STATUS LIKE 'binlog_snapshot_position'"));
  return fmt::format("mariadb:binlog:{}:{}", file, place);
}

Result<Position> OpenByBinlog(const Connections& connections) {
  for (int i = 0; i < kLockFreeTries; ++i) {
    ARROW_RETURN_NOT_OK(ForAll(connections, kBegin));
    ARROW_ASSIGN_OR_RAISE(const std::string first, BinlogSnapshot(*connections[0]));
    bool together = !first.empty();
    for (const auto& connection : connections) {
      ARROW_ASSIGN_OR_RAISE(const std::string each, BinlogSnapshot(*connection));
      together = together && each == first;
    }
    if (together) return first;
    ARROW_RETURN_NOT_OK(ForAll(connections, "ROLLBACK"));
    if (first.empty()) return std::nullopt;
  }
  return std::nullopt;
}

Result<Position> OpenWithoutLock(const Connections& connections) {
  const bool is_mysql = connections[0]->server().flavor == Flavor::kMySql;
  return is_mysql ? OpenByGtid(connections) : OpenByBinlog(connections);
}

/// Under a lock of the first connection's own making, on a connection besides.
Result<Position> OpenUnderLock(const Connections& connections) {
  ARROW_ASSIGN_OR_RAISE(const auto locker, Connection::Open(connections[0]->options()));
  ARROW_RETURN_NOT_OK(locker->Execute(
      fmt::format("SET SESSION lock_wait_timeout = {}", kLockWaitSeconds)));
  const Status locked = locker->Execute("FLUSH TABLES WITH READ LOCK");
  // Not allowed, or not in time: no snapshot of several sessions.
  if (!locked.ok()) return std::nullopt;
  ARROW_RETURN_NOT_OK(ForAll(connections, kBegin));
  const bool is_mysql = connections[0]->server().flavor == Flavor::kMySql;
  std::string position;
  if (is_mysql) {
    ARROW_ASSIGN_OR_RAISE(position, GtidExecuted(*connections[0]));
    if (!position.empty()) position = "mysql:gtid:" + position;
  } else {
    ARROW_ASSIGN_OR_RAISE(position, BinlogSnapshot(*connections[0]));
  }
  ARROW_RETURN_NOT_OK(locker->Execute("UNLOCK TABLES"));
  return position;
}

}  // namespace

Status PinSettings(Connection& connection) {
  const bool is_mysql = connection.server().flavor == Flavor::kMySql;
  // Literals and names are UTF-8; values come as they are stored. What an administrator's
  // init_connect may have set and would lose rows in silence is set back.
  ARROW_RETURN_NOT_OK(connection.Execute(
      "SET SESSION time_zone = '+00:00', sql_mode = '', character_set_client = utf8mb4, "
      "character_set_connection = utf8mb4, character_set_results = NULL, "
      "net_write_timeout = 7200, net_read_timeout = 7200, wait_timeout = 604800, "
      "sql_select_limit = 18446744073709551615, sql_big_selects = 1, "
      "sql_safe_updates = 0, autocommit = 1"));
  if (is_mysql)
    ARROW_RETURN_NOT_OK(connection.Execute("SET SESSION max_execution_time = 0"));
  if (!is_mysql)
    ARROW_RETURN_NOT_OK(connection.Execute("SET SESSION max_statement_time = 0"));
  if (is_mysql && connection.server().number >= 80'000)
    ARROW_RETURN_NOT_OK(
        connection.Execute("SET SESSION information_schema_stats_expiry = 0"));
  // Read only: a query may call functions that write.
  return connection.Execute(
      "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
}

Result<std::optional<std::string>> OpenSnapshots(const Connections& connections) {
  ARROW_ASSIGN_OR_RAISE(Position position, OpenWithoutLock(connections));
  if (position) return position;
  if (connections.size() == 1) {
    ARROW_RETURN_NOT_OK(ForAll(connections, kBegin));
    return "";
  }
  return OpenUnderLock(connections);
}

}  // namespace sluice::mysql
