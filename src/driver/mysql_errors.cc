// Codes: https://dev.mysql.com/doc/mysql-errors/8.4/en/ and https://mariadb.com/kb/en/mariadb-error-codes/.
// A code that nobody thought about stops the chunk: kFailed, never kTransient.
#include <errmsg.h>
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "driver/mysql_api.h"

namespace sluice::mysql {
namespace {

constexpr char kPlugins[] =
    "mysql_native_password, caching_sha2_password and ed25519 are; "
    "sha256_password with TLS; none that sends the password in the clear";
constexpr char kNotYours[] =
    "run again; if it comes back, report it with this message: it is no mistake of yours";
constexpr char kErrorLog[] = "the server's error log says more";

std::string Place(const Failure& failure) {
  const std::string& host = failure.options->host;
  const bool is_v6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "",
                     failure.options->port);
}

Status Make(const Failure& failure, ErrorKind kind, std::string_view id,
            std::string_view what, std::string hint = {}) {
  return Error(kind, id,
               fmt::format("{}: {} (code {})", what, failure.message, failure.code),
               std::move(hint));
}

/// What stands behind `word` in quotes of that kind, to the closing one.
std::string Quoted(std::string_view text, std::string_view word, char quote) {
  const size_t at = text.find(word);
  if (at == std::string_view::npos) return {};
  const size_t open = text.find(quote, at + word.size());
  if (open == std::string_view::npos) return {};
  const size_t close = text.find(quote, open + 1);
  if (close == std::string_view::npos) return {};
  return std::string(text.substr(open + 1, close - open - 1));
}

/// 'user'@'host' as the server wrote it: the account of a login, of a statement the client's host.
std::string AccountIn(std::string_view message) {
  const size_t at = message.find("user '");
  if (at == std::string_view::npos) return "'USER'@'HOST'";
  const size_t host = message.find("'@'", at);
  const size_t end = host == std::string_view::npos ? host : message.find('\'', host + 3);
  if (end == std::string_view::npos) return "'USER'@'HOST'";
  return std::string(message.substr(at + 5, end + 1 - (at + 5)));
}

std::string Name(const std::string& name) { return "`" + name + "`"; }

/// The GRANT that would do, from what the server says is missing.
std::string GrantFor(const Failure& failure) {
  const std::string& message = failure.message;
  const std::string account =
      failure.account.empty() ? AccountIn(message) : failure.account;
  constexpr unsigned int kDbAccess = 1044, kColumn = 1143, kSpecific = 1227;
  if (failure.code == kDbAccess)
    return fmt::format("GRANT SELECT ON {}.* TO {};",
                       Name(Quoted(message, "to database", '\'')), account);
  if (failure.code == kSpecific) {
    const size_t begin = message.find("of) the ");
    const size_t end = message.find(" privilege");
    if (begin == std::string::npos || end == std::string::npos) return {};
    std::string right = message.substr(begin + 8, end - begin - 8);
    right = right.substr(0, right.find(" or "));
    return fmt::format("GRANT {} ON *.* TO {};", right.substr(0, right.find(',')),
                       account);
  }
  const std::string right = message.substr(0, message.find(" command denied"));
  // MariaDB writes `db`.`table`, MySQL 'table'.
  std::string table = Quoted(message, " table", '`');
  const size_t dot = message.find("`.`");
  if (dot != std::string::npos) {
    const size_t end = message.find('`', dot + 3);
    table = Name(table) + "." + Name(message.substr(dot + 3, end - dot - 3));
  } else {
    table = Name(failure.options->database) + "." + Name(Quoted(message, " table", '\''));
  }
  const std::string column = failure.code == kColumn
                                 ? " (" + Name(Quoted(message, "for column", '\'')) + ")"
                                 : "";
  return fmt::format("GRANT {}{} ON {} TO {};", right, column, table, account);
}

Status NoRight(const Failure& failure) {
  const std::string grant = GrantFor(failure);
  return Make(failure, ErrorKind::kSource, "source.missing-grant",
              "a privilege is missing",
              grant.empty() ? "" : "as an administrator: " + grant);
}

Status Lost(const Failure& failure) {
  return Make(failure, ErrorKind::kTransient, "source.lost",
              "lost the connection to " + Place(failure));
}

/// A server that refuses before TLS began: the library takes its word for part of the handshake, and
/// has the server's code in its message only ("… verified: 1040 - Too many connections").
std::optional<unsigned int> RefusedBeforeTls(const Failure& failure) {
  for (const unsigned int code : {1040U, 1129U, 1130U, 1203U, 1226U})
    if (failure.message.find(fmt::format(": {} - ", code)) != std::string::npos)
      return code;
  return std::nullopt;
}

Status OfTls(const Failure& failure) {
  return Make(failure, ErrorKind::kUsage, "source.tls",
              "wanted TLS to " + Place(failure) + ", which failed",
              "tls_ca=FILE names the CA of the server's certificate, which must name the "
              "host; on loopback tls=required checks neither");
}

/// Did the other side, or something between, just end it? The library has one code for all of TLS.
bool WasCut(const Failure& failure) {
  if (failure.stage != Stage::kConnecting) return true;
  for (const char* words : {"eof", "reset", "Broken pipe", "timed out", "closed"})
    if (failure.message.find(words) != std::string::npos) return true;
  return false;
}

/// Of the library: 2000 to 2999 and 5000 on.
Status OfClient(const Failure& failure) {
  switch (failure.code) {
    case CR_UNKNOWN_HOST:
      return Make(failure, ErrorKind::kUsage, "source.no-such-host",
                  "wanted a MySQL server, found no host of that name");
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
      return Make(failure, ErrorKind::kTransient, "source.unreachable",
                  "wanted a MySQL server at " + Place(failure) + ", found none");
    case CR_SSL_CONNECTION_ERROR: return WasCut(failure) ? Lost(failure) : OfTls(failure);
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
    case CR_AUTH_PLUGIN_ERR:
    case CR_PLUGIN_NOT_ALLOWED:
      return Make(failure, ErrorKind::kUsage, "source.auth-plugin",
                  Place(failure) + " asked for a way to authenticate that is not allowed",
                  kPlugins);
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_LOST:
    case CR_SERVER_LOST_EXTENDED:
    case CR_SERVER_HANDSHAKE_ERR:
    case CR_MALFORMED_PACKET:
    case CR_ERR_NET_READ:
    case CR_ERR_NET_WRITE: return Lost(failure);
    case CR_OUT_OF_MEMORY:
    case CR_NET_PACKET_TOO_LARGE:
      return Make(
          failure, ErrorKind::kResource, "mysql.memory",
          "an answer of " + Place(failure) + " is larger than can be held",
          "give this process more memory (`ulimit -v`), or leave large columns out");
    default:
      return Make(failure, ErrorKind::kFailed, "mysql.client", "libmariadb failed",
                  kNotYours);
  }
}

/// While connecting, by what the user wrote; nothing: as at any other time.
std::optional<Status> OfLogin(const Failure& failure) {
  switch (failure.code) {
    case 1045:
    case 1698:
      return Make(
          failure, ErrorKind::kUsage, "source.password",
          Place(failure) + " refused the login",
          failure.message.find("using password: NO") != std::string::npos
              ? "no password was given: write 'mysql://user:${env:NAME}@host/database', or in "
                "a job file secrets: {source.password: \"${env:NAME}\"}"
              : "see that user and password belong together, and that the server lets this user "
                "in from this host; in a URI : / ? # @ and % are written %3A %2F %3F %23 %40 %25");
    case 1820:
    case 1862:
    case 3118:
    case 3878:
    case 4151:
      return Make(failure, ErrorKind::kUsage, "source.password",
                  Place(failure) + " refused the account");
    case 1049:
      return Make(failure, ErrorKind::kUsage, "source.no-such-database",
                  "wanted a database at " + Place(failure) + ", found none of that name");
    case 1129:
    case 1130:
      return Make(failure, ErrorKind::kUsage, "source.host-refused",
                  Place(failure) + " refuses this host",
                  failure.code == 1129
                      ? "as an administrator: FLUSH HOSTS"
                      : "as an administrator: CREATE USER for the host that is named");
    case 1251:
    case 1275:
      return Make(failure, ErrorKind::kUsage, "source.auth-plugin",
                  Place(failure) + " wants a way to authenticate that is not allowed",
                  kPlugins);
    case 3159: return OfTls(failure);
    default: return std::nullopt;
  }
}

/// What a code of the server means, whatever was being done.
struct Meaning {
  unsigned int code;
  ErrorKind kind;
  const char* id;
  const char* what;
  const char* hint;
};
constexpr char kRestart[] = "run again with --restart to copy it as it is now";
constexpr char kNoRoom[] = "the server has no room or memory left";
constexpr char kDamaged[] = "the table is damaged";
constexpr char kGone[] = "something is gone or altered since it was described";
constexpr char kAltered[] =
    "a table is not defined as it was when the snapshot was opened";
constexpr char kTooLong[] = "the statement took longer than the server allows";
constexpr char kNoConnection[] = "the server has no connection to spare";
constexpr char kFewer[] = "fewer --connections, or a larger max_connections";
constexpr char kReadOnly[] = "the server is read-only";
constexpr char kEnded[] = "the server ended the connection";
constexpr char kLocker[] =
    "SHOW PROCESSLIST tells who holds it: LOCK TABLES, ALTER TABLE";
constexpr char kAgain[] = "run again: it resumes";
constexpr char kLonger[] =
    "the account has a limit of its own: ALTER USER … WITH MAX_STATEMENT_TIME 0, or a "
    "smaller --file-size";
constexpr char kCheck[] = "CHECK TABLE says more";

constexpr Meaning kMeanings[] = {
    {1040, ErrorKind::kTransient, "source.too-many-connections", kNoConnection, kFewer},
    {1203, ErrorKind::kTransient, "source.too-many-connections", kNoConnection, kFewer},
    {1226, ErrorKind::kTransient, "source.too-many-connections", kNoConnection, kFewer},
    {1205, ErrorKind::kTransient, "source.locked", "waited too long for a lock", kLocker},
    {1213, ErrorKind::kTransient, "source.locked", "deadlock", ""},
    {1317, ErrorKind::kTransient, "source.query-killed", "the statement was killed",
     kAgain},
    {1907, ErrorKind::kTransient, "source.timeout", kTooLong, kLonger},
    {1969, ErrorKind::kTransient, "source.timeout", kTooLong, kLonger},
    {3024, ErrorKind::kTransient, "source.timeout", kTooLong, kLonger},
    {1053, ErrorKind::kTransient, "source.lost", "the server shuts down", ""},
    {1077, ErrorKind::kTransient, "source.lost", "the server shuts down", ""},
    {1079, ErrorKind::kTransient, "source.lost", "the server shuts down", ""},
    {1080, ErrorKind::kTransient, "source.lost", kEnded, ""},
    {1152, ErrorKind::kTransient, "source.lost", kEnded, ""},
    {1156, ErrorKind::kTransient, "source.lost", kEnded, ""},
    {1158, ErrorKind::kTransient, "source.lost", kEnded, ""},
    {1159, ErrorKind::kTransient, "source.lost", kEnded, ""},
    {1160, ErrorKind::kTransient, "source.lost", kEnded, ""},
    {1161, ErrorKind::kTransient, "source.lost", kEnded, ""},
    {1184, ErrorKind::kTransient, "source.lost", kEnded, ""},
    {1927, ErrorKind::kTransient, "source.lost", kEnded, ""},
    {3169, ErrorKind::kTransient, "source.lost", kEnded, ""},
    {4031, ErrorKind::kTransient, "source.lost", kEnded, ""},
    {1290, ErrorKind::kTransient, "source.read-only", kReadOnly, kAgain},
    {1792, ErrorKind::kTransient, "source.read-only", kReadOnly, kAgain},
    {1836, ErrorKind::kTransient, "source.read-only", kReadOnly, kAgain},
    {1461, ErrorKind::kTransient, "source.too-many-statements",
     "the server has no prepared statement to spare", "a larger max_prepared_stmt_count"},
    {1049, ErrorKind::kUsage, "source.no-such-database",
     "wanted a database, found none of that name", ""},
    {1051, ErrorKind::kSource, "source.changed", kGone, kRestart},
    {1054, ErrorKind::kSource, "source.changed", kGone, kRestart},
    {1062, ErrorKind::kFailed, "mysql.duplicate", "a row of that key is there already",
     ""},
    {1406, ErrorKind::kFailed, "mysql.too-long", "a value does not fit its column", ""},
    {1064, ErrorKind::kFailed, "source.sql-refused", "the server refused a statement",
     kNotYours},
    {1146, ErrorKind::kSource, "source.changed", kGone, kRestart},
    {1176, ErrorKind::kSource, "source.changed", kGone, kRestart},
    {1305, ErrorKind::kSource, "source.changed", kGone, kRestart},
    {1356, ErrorKind::kSource, "source.broken-view",
     "a view refers to what is not there or may not be read",
     "SHOW CREATE VIEW tells to what; mend or drop it"},
    {1412, ErrorKind::kSource, "source.changed", kAltered, kRestart},
    {1615, ErrorKind::kSource, "source.changed", kAltered, kRestart},
    {126, ErrorKind::kSource, "source.corrupt", kDamaged, kCheck},
    {127, ErrorKind::kSource, "source.corrupt", kDamaged, kCheck},
    {145, ErrorKind::kSource, "source.corrupt", kDamaged, kCheck},
    {1034, ErrorKind::kSource, "source.corrupt", kDamaged, kCheck},
    {1035, ErrorKind::kSource, "source.corrupt", kDamaged, kCheck},
    {1194, ErrorKind::kSource, "source.corrupt", kDamaged, kCheck},
    {1195, ErrorKind::kSource, "source.corrupt", kDamaged, kCheck},
    {1712, ErrorKind::kSource, "source.corrupt", kDamaged, kCheck},
    {1877, ErrorKind::kSource, "source.corrupt", kDamaged, kCheck},
    {3, ErrorKind::kSource, "source.exhausted", kNoRoom, kErrorLog},
    {28, ErrorKind::kSource, "source.exhausted", kNoRoom, kErrorLog},
    {1021, ErrorKind::kSource, "source.exhausted", kNoRoom, kErrorLog},
    {1037, ErrorKind::kSource, "source.exhausted", kNoRoom, kErrorLog},
    {1038, ErrorKind::kSource, "source.exhausted", kNoRoom, kErrorLog},
    {1041, ErrorKind::kSource, "source.exhausted", kNoRoom, kErrorLog},
    {1114, ErrorKind::kSource, "source.exhausted", kNoRoom, kErrorLog},
    {1153, ErrorKind::kSource, "source.packet",
     "a statement is larger than the server takes",
     "as an administrator: raise max_allowed_packet"},
};

bool IsOneOf(unsigned int code, std::initializer_list<unsigned int> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

Status OfServer(const Failure& failure) {
  if (IsOneOf(failure.code, {1044, 1142, 1143, 1227, 1370})) return NoRight(failure);
  // What somebody wrote is judged while it is prepared.
  const bool is_sql =
      IsOneOf(failure.code, {1051, 1052, 1054, 1064, 1093, 1109, 1111, 1146, 1149, 1176,
                             1241, 1242, 1267, 1270, 1271, 1305, 1582, 1630});
  if (is_sql && failure.stage == Stage::kPreparing)
    return Make(failure, ErrorKind::kUsage, "source.sql", "SQL was not accepted");
  for (const Meaning& meaning : kMeanings)
    if (meaning.code == failure.code)
      return Make(failure, meaning.kind, meaning.id, meaning.what, meaning.hint);
  return Make(failure, ErrorKind::kFailed, "mysql.failed", Place(failure) + " failed",
              kErrorLog);
}

}  // namespace

Status ErrorFor(const Failure& failure) {
  const bool is_client =
      (failure.code >= 2000 && failure.code < 3000) || failure.code >= 5000;
  if (const auto code = RefusedBeforeTls(failure); is_client && code) {
    Failure refusal = failure;
    refusal.code = *code;
    return ErrorFor(refusal);
  }
  if (is_client) return OfClient(failure);
  if (failure.stage == Stage::kConnecting)
    if (const auto refused = OfLogin(failure)) return *refused;
  return OfServer(failure);
}

}  // namespace sluice::mysql
