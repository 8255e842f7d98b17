/// \file
/// MySQL and MariaDB made safe, over libmariadb: ownership, TLS, errors with their kind, cancel. No
/// policy, and no SQL of its own beyond KILL and DO 0. mysql.h is included nowhere else.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/error.h"

struct st_mysql;
struct st_mysql_stmt;

namespace sluice::mysql {

/// What must be true of the encryption before a password is sent.
enum class Tls {
  kDisabled,        ///< none; loopback only
  kPreferred,       ///< encrypted where the server can, nothing verified; loopback only
  kRequired,        ///< encrypted, nothing verified; loopback only
  kVerifyCa,        ///< encrypted, a certificate of the CA; loopback only (tunnels)
  kVerifyIdentity,  ///< that, and the certificate names the host
};

struct ConnectOptions {
  std::string host;
  int port = 3306;
  std::string user;
  std::string password;
  std::string database;
  Tls tls = Tls::kVerifyIdentity;
  std::string tls_ca;  ///< PEM file; "": the system's
  int connect_timeout_seconds = 10;
  int read_timeout_seconds = 600;   ///< without a byte from the server
  int write_timeout_seconds = 600;  ///< likewise to it
  int lock_wait_seconds = 0;        ///< for a lock on a table; 0: as the server says
};

/// "localhost", 127.0.0.0/8 or ::1, as written: no name is looked up.
bool IsLoopback(std::string_view host);

enum class Flavor { kMySql, kMariaDb };
struct ServerVersion {
  Flavor flavor = Flavor::kMySql;
  int number = 0;    ///< 90700 for 9.7.0, 101119 for 10.11.19
  std::string text;  ///< as the server says it
};

/// How a value of the binary protocol is written
/// (https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html).
enum class Wire { kInt8, kInt16, kInt32, kInt64, kFloat, kDouble, kTemporal, kBytes };

/// A value as it came. Points into the connection's buffer: valid until the next row.
struct Cell {
  const uint8_t* data = nullptr;  ///< null: NULL
  size_t size = 0;
  std::string_view bytes() const { return {reinterpret_cast<const char*>(data), size}; }
};

/// A column of a statement's result, as information_schema.COLUMNS would say it.
struct ResultColumn {
  std::string name;
  std::string data_type;    ///< "bigint"; "" for a type that has no name here
  std::string column_type;  ///< "bigint unsigned", "decimal(10,2)"
  int collation = 0;        ///< its number; 63: bytes
  int64_t length = 0;       ///< bytes of the longest value
};

using TextRow = std::vector<std::optional<std::string>>;

class Rows;

/// One connection, one thread at a time; Cancel from any.
class Connection {
 public:
  /// kUsage: "source.no-such-host", "source.password", "source.no-such-database", "source.tls",
  /// "source.auth-plugin"; kTransient: "source.unreachable", "source.too-many-connections".
  static Result<std::unique_ptr<Connection>> Open(const ConnectOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs one statement; rows, if it has any, are dropped.
  Status Execute(const std::string& sql);
  /// One statement and all of its rows, as text. For answers that are small.
  Result<std::vector<TextRow>> Query(const std::string& sql);
  /// Has the server parse one statement and resolve its names, and drops it.
  Status Check(const std::string& sql);
  /// The columns of a statement's rows without running it; none where it gives no rows.
  Result<std::vector<ResultColumn>> ColumnsOf(const std::string& sql);
  /// One statement whose rows are read as they come, binary. One open Rows per connection.
  Result<std::unique_ptr<Rows>> Stream(const std::string& sql);

  /// Ends a statement in progress, open Rows included, by KILL QUERY on a connection of its own;
  /// does nothing when there is none. What was ended returns kCancelled.
  Status Cancel();

  const ServerVersion& server() const { return server_; }
  const ConnectOptions& options() const { return options_; }
  /// 'user'@'host' of the server's list, which says 'u'@'%' of who came from 127.0.0.1.
  const std::string& account() const { return account_; }
  /// That the account may have at once; 0: as many as it likes.
  int64_t connections_max() const { return connections_max_; }

 private:
  friend class Rows;
  explicit Connection(const ConnectOptions& options);
  Status OpenHandle();
  void Begin();
  /// The end of what Begin began: a KILL that came too late ends here, not in the next statement.
  Status End(const Status& status);
  Status KillNow();
  Status Last(bool preparing = false);
  Status StatementError(st_mysql_stmt* statement, bool preparing);
  Result<st_mysql_stmt*> Prepare(const std::string& sql);

  ConnectOptions options_;
  ServerVersion server_;
  st_mysql* handle_ = nullptr;
  uint64_t id_ = 0;
  std::string account_;
  int64_t connections_max_ = 0;

  std::mutex mutex_;  ///< of the three below
  bool in_progress_ = false;
  bool killed_ = false;     ///< in this call
  bool cancelled_ = false;  ///< likewise, and somebody asked for it
};

/// The rows of one statement. Must not outlive its connection.
class Rows {
 public:
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  int column_count() const { return static_cast<int>(wires_.size()); }
  Wire wire(int column) const { return wires_[static_cast<size_t>(column)]; }
  bool is_unsigned(int column) const { return unsigned_[static_cast<size_t>(column)]; }
  /// All columns of the next row; false: done, or failed and `error` is set.
  bool Next(Cell* cells, Status* error);
  /// Ends the statement; rows that were not asked for are not waited for.
  Status Close();

 private:
  friend class Connection;
  Rows(Connection* connection, st_mysql_stmt* statement);
  static void OnCell(void* self, unsigned int column, unsigned char** row);

  Connection* connection_;
  st_mysql_stmt* statement_;
  std::vector<Wire> wires_;
  std::vector<bool> unsigned_;
  Cell* cells_ = nullptr;
  bool at_end_ = false;
};

/// Version of the client library, "3.3.11".
std::string LibraryVersion();

}  // namespace sluice::mysql
