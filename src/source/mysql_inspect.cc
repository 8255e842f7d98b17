#include "source/mysql_inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "source/mysql_consistency.h"

namespace sluice::mysql {
namespace {

constexpr int64_t kPacketWanted = 16 << 20;
constexpr double kClockSecondsMax = 5;
constexpr int kOldestMySql = 80'000, kOldestMariaDb = 100'600;
/// KILL QUERY and the short lock use one of their own.
constexpr int kConnectionsBesides = 1;

using Values = std::map<std::string, std::string>;

Result<Values> Ask(Connection& connection, const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(const auto rows, connection.Query(sql));
  Values values;
  for (const TextRow& row : rows)
    if (row.size() >= 2) values[row[0].value_or("")] = row[1].value_or("");
  return values;
}

int64_t NumberIn(const std::string& text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string ValueOf(const Values& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? "" : found->second;
}

/// Of active roles too, as the server lists them; nothing where it does not.
std::optional<std::set<std::string>> GlobalPrivileges(Connection& connection) {
  const auto rows = connection.Query("SHOW GRANTS");
  if (!rows.ok()) return std::nullopt;
  std::vector<std::string> lines;
  for (const TextRow& row : *rows)
    lines.push_back(row.empty() ? "" : row[0].value_or(""));
  return GlobalPrivilegesIn(lines);
}

class Inspection {
 public:
  Inspection(Connection& connection, const SourceWish& wish, Clock& clock)
      : connection_(connection), wish_(wish), clock_(clock) {}

  Result<SourceFindings> Run() {
    ARROW_ASSIGN_OR_RAISE(
        globals_,
        Ask(connection_,
            "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version_comment', 'sql_mode', "
            "'time_zone', 'system_time_zone', 'net_write_timeout', 'max_allowed_packet', "
            "'wait_timeout', 'gtid_mode', 'log_bin', 'read_only', 'max_connections')"));
    connections_max_ = connection_.connections_max();
    AddServer();
    ARROW_RETURN_NOT_OK(Known("TLS", AddTls()));
    ARROW_RETURN_NOT_OK(Known("connections", AddConnections()));
    ARROW_RETURN_NOT_OK(Known("clock", AddClock()));
    ARROW_RETURN_NOT_OK(Known("settings", AddSettings()));
    AddConsistency();
    return std::move(seen_);
  }

 private:
  std::string Global(const std::string& name) const { return ValueOf(globals_, name); }

  void Add(std::string name, Level level, std::string detail, std::string hint = {}) {
    seen_.findings.push_back({.name = std::move(name),
                              .level = level,
                              .detail = std::move(detail),
                              .hint = std::move(hint)});
  }

  /// What a server refuses to tell is not known; one that is gone is an error.
  Status Known(const char* name, const Status& status) {
    if (status.ok() || KindOf(status) == ErrorKind::kTransient) return status;
    Add(name, Level::kUnknown, status.message());
    return Status::OK();
  }

  void AddServer() {
    const ServerVersion& server = connection_.server();
    const bool is_mysql = server.flavor == Flavor::kMySql;
    const bool is_old = server.number < (is_mysql ? kOldestMySql : kOldestMariaDb);
    const std::string detail =
        fmt::format("{} {}, read_only {}", is_mysql ? "MySQL" : "MariaDB", server.text,
                    Global("read_only"));
    Add("server", is_old ? Level::kWarning : Level::kOk, detail,
        is_old ? "older than any version this was tested with" : "");
  }

  Status AddTls() {
    ARROW_ASSIGN_OR_RAISE(
        const Values tls,
        Ask(connection_,
            "SHOW SESSION STATUS WHERE Variable_name IN ('Ssl_version', "
            "'Ssl_cipher')"));
    if (ValueOf(tls, "Ssl_cipher").empty()) {
      Add("TLS", Level::kOk, "none; the server is on loopback");
      return Status::OK();
    }
    const Tls asked = connection_.options().tls;
    const char* peer =
        asked == Tls::kVerifyIdentity ? "the certificate is verified and names the host"
        : asked == Tls::kVerifyCa ? "the certificate is verified, the host's name is not"
                                  : "nothing of the peer is verified; it is on loopback";
    Add("TLS", Level::kOk,
        fmt::format("{}, {}; {}", ValueOf(tls, "Ssl_version"), ValueOf(tls, "Ssl_cipher"),
                    peer));
    return Status::OK();
  }

  Status AddConnections() {
    ARROW_ASSIGN_OR_RAISE(
        const Values status,
        Ask(connection_, "SHOW GLOBAL STATUS WHERE Variable_name = 'Threads_connected'"));
    const int64_t server_max = NumberIn(Global("max_connections"));
    // This one is ours, and closed before a run opens its own.
    const int64_t used =
        std::max<int64_t>(NumberIn(ValueOf(status, "Threads_connected")) - 1, 0);
    const int wanted = wish_.connections;
    const std::string of_account =
        connections_max_ == 0
            ? "the account's are unlimited"
            : fmt::format("the account's limit is {}", connections_max_);
    const std::string detail = fmt::format(
        "a run opens {} and at times {} more; {} of the server's {} are in use, {}",
        wanted, kConnectionsBesides, used, server_max, of_account);
    if (const Status limit = CheckConnectionLimit(connection_, wanted); !limit.ok()) {
      seen_.findings.push_back(FailedFinding("connections", limit));
      return Status::OK();
    }
    const int64_t needed = wanted + kConnectionsBesides;
    const bool is_tight = used + needed > server_max ||
                          (connections_max_ != 0 && connections_max_ < needed);
    Add("connections", is_tight ? Level::kWarning : Level::kOk, detail,
        is_tight ? "lower --connections, or raise the limit" : "");
    return Status::OK();
  }

  Status AddClock() {
    const int64_t before = clock_.NowMicros();
    ARROW_ASSIGN_OR_RAISE(const auto rows,
                          connection_.Query("SELECT UNIX_TIMESTAMP(SYSDATE(6))"));
    const int64_t after = clock_.NowMicros();
    const std::string text = rows[0][0].value_or("");
    double there = 0;
    std::from_chars(text.data(), text.data() + text.size(), there);
    const int64_t middle = before + (after - before) / 2;
    const double here = static_cast<double>(middle) / 1e6;
    const double ahead = there - here;
    const bool is_off = std::fabs(ahead) > kClockSecondsMax;
    Add("clock", is_off ? Level::kWarning : Level::kOk,
        fmt::format("the server's is {:.1f} s {} of ours", std::fabs(ahead),
                    ahead < 0 ? "behind" : "ahead"),
        is_off ? "set both by NTP: rows written now may be dated otherwise than this "
                 "machine's log says"
               : "");
    return Status::OK();
  }

  Status AddSettings() {
    ARROW_ASSIGN_OR_RAISE(
        const auto rows,
        connection_.Query("SELECT @@SESSION.sql_mode, @@SESSION.time_zone, "
                          "@@SESSION.net_write_timeout, @@SESSION.wait_timeout"));
    struct Pinned {
      const char* name;
      std::string wanted;
    };
    const Pinned pinned[] = {{"sql_mode", ""},
                             {"time_zone", "+00:00"},
                             {"net_write_timeout", "7200"},
                             {"wait_timeout", "604800"}};
    for (size_t i = 0; i < std::size(pinned); ++i) {
      const std::string has = rows[0][i].value_or("");
      const bool is_ours = has == pinned[i].wanted;
      std::string global = Global(pinned[i].name);
      if (global == "SYSTEM") global += ", " + Global("system_time_zone");
      Add(pinned[i].name, is_ours ? Level::kOk : Level::kWarning,
          fmt::format("'{}' in our sessions (the server's own: '{}')", has, global),
          is_ours ? ""
                  : fmt::format("wanted '{}': something between here and the server "
                                "overrules it",
                                pinned[i].wanted));
    }
    const int64_t packet = NumberIn(Global("max_allowed_packet"));
    const bool is_small = packet < kPacketWanted;
    Add("max_allowed_packet", is_small ? Level::kWarning : Level::kOk,
        fmt::format("{} bytes: no larger row can be sent", packet),
        is_small ? "raise it to 64 MiB: SET GLOBAL max_allowed_packet = 67108864;" : "");
    return Status::OK();
  }

  void AddConsistency() {
    const bool is_mysql = connection_.server().flavor == Flavor::kMySql;
    const SnapshotMeans means{
        .flavor = connection_.server().flavor,
        .has_positions = Global(is_mysql ? "gtid_mode" : "log_bin") == "ON",
        .privileges = GlobalPrivileges(connection_),
        .account = connection_.account()};
    SourceFindings consistency = ConsistencyOf(means, wish_);
    seen_.consistency = consistency.consistency;
    seen_.why = consistency.why;
    for (Finding& finding : consistency.findings)
      seen_.findings.push_back(std::move(finding));
  }

  Connection& connection_;
  const SourceWish wish_;
  Clock& clock_;
  Values globals_;
  int64_t connections_max_ = 0;
  SourceFindings seen_;
};

}  // namespace

Status CheckConnectionLimit(const Connection& connection, int wanted) {
  const int64_t most = connection.connections_max();
  if (most == 0 || most >= wanted) return Status::OK();
  const std::string& account = connection.account();
  return Error(ErrorKind::kUsage, "source.connection-limit",
               fmt::format("wanted {} connections, found a limit of {} for {}", wanted,
                           most, account),
               fmt::format("--connections {}, or as an administrator: ALTER USER {} WITH "
                           "MAX_USER_CONNECTIONS {};",
                           most, account, wanted + kConnectionsBesides));
}

Result<SourceFindings> InspectServer(Connection& connection, const SourceWish& wish,
                                     Clock& clock) {
  return Inspection(connection, wish, clock).Run();
}

}  // namespace sluice::mysql
