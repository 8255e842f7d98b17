// How a connection is opened, so that nobody between here and the server, and no server, gets more
// than the rows are worth (docs/mysql.md, "TLS"). What the library does by itself and what not:
// ENFORCE alone still talks in the clear to a server without TLS; only VERIFY_SERVER_CERT refuses,
// before the password is sent. LOCAL INFILE is on by default. A server may ask for any authentication
// plugin, the one that sends the password in the clear included, unless RESTRICTED_AUTH names those
// that may be used.
#include <fmt/format.h>

#include <charconv>
#include <mutex>
#include <utility>

#include "driver/mysql_api.h"

namespace sluice::mysql {
namespace {

constexpr unsigned long kPacketMax = 1UL << 30;
constexpr int kConnectTimeoutSecondsMin = 1;

/// Names of the plugins, without those that send what they are told to anybody. sha256_password
/// sends the password itself, so it needs a channel that is encrypted for certain.
const char* AllowedPlugins(Tls tls) {
  const bool is_encrypted = tls != Tls::kDisabled && tls != Tls::kPreferred;
  return is_encrypted ? "mysql_native_password,caching_sha2_password,client_ed25519,"
                        "sha256_password"
                      : "mysql_native_password,caching_sha2_password,client_ed25519";
}

void SetTls(MYSQL* handle, const ConnectOptions& options) {
  my_bool yes = 1, verify = options.tls == Tls::kVerifyIdentity ? 1 : 0;
  if (options.tls == Tls::kDisabled) return;
  mysql_optionsv(handle, MYSQL_OPT_SSL_ENFORCE, &yes);
  mysql_optionsv(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  mysql_optionsv(handle, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
  const bool verifies =
      options.tls == Tls::kVerifyIdentity || options.tls == Tls::kVerifyCa;
  if (verifies && !options.tls_ca.empty())
    mysql_optionsv(handle, MYSQL_OPT_SSL_CA, options.tls_ca.c_str());
  // Without a CA of its own the library would not look at the chain at all.
  if (verifies && options.tls_ca.empty())
    mysql_optionsv(handle, MYSQL_OPT_SSL_CAPATH, "/etc/ssl/certs");
}

Status CheckTlsOptions(const ConnectOptions& options) {
  if (options.tls == Tls::kVerifyIdentity || IsLoopback(options.host))
    return Status::OK();
  return Error(
      ErrorKind::kUsage, "source.tls",
      fmt::format("wanted TLS with a verified host name to {}, found a weaker "
                  "tls= option",
                  options.host),
      "tls=verify-identity, with tls_ca=FILE for a CA of your own; weaker options are "
      "for loopback only");
}

std::string QuotedName(std::string_view name) {
  std::string quoted = "'";
  for (const char c : name) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

/// From CURRENT_USER(): a host holds no @, a user may.
std::string QuotedAccount(std::string_view account) {
  const size_t at = account.rfind('@');
  if (at == std::string_view::npos) return {};
  return QuotedName(account.substr(0, at)) + "@" + QuotedName(account.substr(at + 1));
}

ServerVersion VersionOf(MYSQL* handle) {
  ServerVersion version;
  version.text = mysql_get_server_info(handle);
  version.flavor = mariadb_connection(handle) != 0 ? Flavor::kMariaDb : Flavor::kMySql;
  version.number = static_cast<int>(mysql_get_server_version(handle));
  return version;
}

}  // namespace

bool IsLoopback(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  if (!host.starts_with("127.")) return false;
  return host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Connection::Connection(const ConnectOptions& options) : options_(options) {}

Connection::~Connection() {
  if (handle_ != nullptr) mysql_close(handle_);
}

Result<std::unique_ptr<Connection>> Connection::Open(const ConnectOptions& options) {
  static std::once_flag once;
  std::call_once(once, [] { mysql_server_init(0, nullptr, nullptr); });
  ARROW_RETURN_NOT_OK(CheckTlsOptions(options));
  std::unique_ptr<Connection> connection(new Connection(options));
  ARROW_RETURN_NOT_OK(connection->OpenHandle());
  return connection;
}

Status Connection::OpenHandle() {
  handle_ = mysql_init(nullptr);
  if (handle_ == nullptr)
    return Error(ErrorKind::kResource, "mysql.memory", "out of memory in libmariadb");
  unsigned int off = 0, tcp = MYSQL_PROTOCOL_TCP;
  const auto connect = static_cast<unsigned int>(
      std::max(options_.connect_timeout_seconds, kConnectTimeoutSecondsMin));
  const auto read = static_cast<unsigned int>(options_.read_timeout_seconds);
  const auto write = static_cast<unsigned int>(options_.write_timeout_seconds);
  my_bool no = 0;
  mysql_optionsv(handle_, MYSQL_OPT_PROTOCOL, &tcp);
  mysql_optionsv(handle_, MYSQL_OPT_LOCAL_INFILE, &off);
  mysql_optionsv(handle_, MYSQL_OPT_RECONNECT, &no);
  mysql_optionsv(handle_, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
  mysql_optionsv(handle_, MYSQL_OPT_READ_TIMEOUT, &read);
  mysql_optionsv(handle_, MYSQL_OPT_WRITE_TIMEOUT, &write);
  mysql_optionsv(handle_, MYSQL_OPT_MAX_ALLOWED_PACKET, &kPacketMax);
  mysql_optionsv(handle_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_optionsv(handle_, MARIADB_OPT_RESTRICTED_AUTH, AllowedPlugins(options_.tls));
  const std::string first =
      fmt::format("SET SESSION lock_wait_timeout = {}", options_.lock_wait_seconds);
  if (options_.lock_wait_seconds > 0)
    mysql_optionsv(handle_, MYSQL_INIT_COMMAND, first.c_str());
  SetTls(handle_, options_);
  const char* database = options_.database.empty() ? nullptr : options_.database.c_str();
  // No CLIENT_MULTI_STATEMENTS, no CLIENT_LOCAL_FILES.
  if (mysql_real_connect(handle_, options_.host.c_str(), options_.user.c_str(),
                         options_.password.c_str(), database,
                         static_cast<unsigned int>(options_.port), nullptr, 0) == nullptr)
    return ErrorFor({.code = mysql_errno(handle_),
                     .message = mysql_error(handle_),
                     .stage = Stage::kConnecting,
                     .options = &options_,
                     .account = {}});
  const bool wants_tls =
      options_.tls != Tls::kDisabled && options_.tls != Tls::kPreferred;
  if (wants_tls && mysql_get_ssl_cipher(handle_) == nullptr)
    return Error(
        ErrorKind::kUsage, "source.tls",
        fmt::format("wanted TLS to {}, found a server without it", options_.host),
        "switch TLS on at the server");
  server_ = VersionOf(handle_);
  // A proxy may have told another number in its greeting than the server has for us.
  ARROW_ASSIGN_OR_RAISE(const auto rows, Query("SELECT CONNECTION_ID(), CURRENT_USER(), "
                                               "@@SESSION.max_user_connections"));
  const std::string text = rows.empty() ? "" : rows[0][0].value_or("");
  if (!rows.empty()) {
    account_ = QuotedAccount(rows[0][1].value_or(""));
    const std::string most = rows[0][2].value_or("");
    std::from_chars(most.data(), most.data() + most.size(), connections_max_);
  }
  const auto read_id = std::from_chars(text.data(), text.data() + text.size(), id_);
  if (read_id.ec == std::errc()) return Status::OK();
  return Error(ErrorKind::kFailed, "mysql.connection-id",
               "wanted the connection's number, found " + text,
               "a proxy between here and the server must pass CONNECTION_ID() on");
}

}  // namespace sluice::mysql
