#include "source/mysql.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/nearest.h"
#include "sluice/clock.h"
#include "source/mysql_inspect.h"
#include "source/mysql_session.h"
#include "source/mysql_snapshot.h"

namespace sluice {
namespace {

using mysql::Connection;
using mysql::ConnectOptions;
using mysql::Tls;

struct TlsWord {
  std::string_view word;
  Tls tls;
};
constexpr TlsWord kTlsWords[] = {{"disabled", Tls::kDisabled},
                                 {"preferred", Tls::kPreferred},
                                 {"required", Tls::kRequired},
                                 {"verify-ca", Tls::kVerifyCa},
                                 {"verify-identity", Tls::kVerifyIdentity}};
constexpr int kSecondsMax = 86'400;

Result<Tls> TlsFrom(const std::string& word) {
  for (const TlsWord& each : kTlsWords)
    if (each.word == word) return each.tls;
  return Error(
      ErrorKind::kUsage, "uri.option",
      "wanted tls=disabled, preferred, required, verify-ca or verify-identity, found "
      "tls=" +
          word);
}

Result<int> SecondsFrom(const std::string& name, const std::string& text) {
  int seconds = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, seconds);
  if (read.ec == std::errc() && read.ptr == end && seconds >= 1 && seconds <= kSecondsMax)
    return seconds;
  return Error(
      ErrorKind::kUsage, "uri.option",
      fmt::format("wanted {}= of 1 to {} seconds, found {}", name, kSecondsMax, text));
}

Status TakeOption(const std::string& name, const std::string& value,
                  ConnectOptions* options) {
  if (name == "tls") {
    ARROW_ASSIGN_OR_RAISE(options->tls, TlsFrom(value));
  } else if (name == "tls_ca") {
    options->tls_ca = value;
  } else if (name == "connect_timeout") {
    ARROW_ASSIGN_OR_RAISE(options->connect_timeout_seconds, SecondsFrom(name, value));
  } else if (name == "read_timeout") {
    ARROW_ASSIGN_OR_RAISE(options->read_timeout_seconds, SecondsFrom(name, value));
    options->write_timeout_seconds = options->read_timeout_seconds;
  } else {
    const std::string meant =
        DidYouMean(name, {"tls", "tls_ca", "connect_timeout", "read_timeout"});
    return Error(
        ErrorKind::kUsage, "uri.unknown-option",
        fmt::format("mysql: has no option {}", name),
        meant.empty() ? "there are tls, tls_ca, connect_timeout, read_timeout" : meant);
  }
  return Status::OK();
}

class MysqlSource : public Source {
 public:
  explicit MysqlSource(ConnectOptions options) : options_(std::move(options)) {}

  std::string Describe() const override {
    return fmt::format("MySQL database {} at {}:{}", options_.database, options_.host,
                       options_.port);
  }

  Result<SessionSet> Open(Consistency wanted, int sessions) override {
    mysql::Connections connections;
    for (int i = 0; i < std::max(sessions, 1); ++i) {
      ARROW_ASSIGN_OR_RAISE(auto connection, Connect());
      if (i == 0) ARROW_RETURN_NOT_OK(mysql::CheckConnectionLimit(*connection, sessions));
      connections.push_back(std::move(connection));
    }
    SessionSet set;
    set.kind = wanted;
    if (wanted != Consistency::kPerChunk) {
      ARROW_ASSIGN_OR_RAISE(const auto position, mysql::OpenSnapshots(connections));
      if (!position) set.kind = Consistency::kPerChunk;
      set.position = position.value_or("");
    }
    for (auto& connection : connections)
      set.sessions.push_back(mysql::MakeSession(std::move(connection), set.kind));
    return set;
  }

  Result<SourceFindings> Inspect(const SourceWish& wish) override {
    ARROW_ASSIGN_OR_RAISE(const auto connection, Connect());
    return mysql::InspectServer(*connection, wish, SystemClock());
  }

  Result<std::shared_ptr<Connection>> Connect() const {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<Connection> connection,
                          Connection::Open(options_));
    ARROW_RETURN_NOT_OK(mysql::PinSettings(*connection));
    return connection;
  }

 private:
  ConnectOptions options_;
};

}  // namespace

Result<ConnectOptions> MysqlOptionsFrom(const Uri& uri) {
  ARROW_ASSIGN_OR_RAISE(const UriAuthority authority, ParseAuthority(uri));
  ConnectOptions options;
  options.host = authority.host;
  options.user = authority.user;
  options.password = authority.password;
  if (authority.port > 0) options.port = authority.port;
  options.database = uri.path.empty() ? "" : uri.path.substr(1);
  if (options.host.empty() || options.user.empty() || options.database.empty())
    return Error(ErrorKind::kUsage, "uri.malformed",
                 fmt::format("wanted {}://user:password@host:port/database, found no {}",
                             uri.scheme,
                             options.host.empty()   ? "host"
                             : options.user.empty() ? "user"
                                                    : "database"));
  bool says_tls = false;
  for (const auto& [name, value] : uri.query) {
    ARROW_RETURN_NOT_OK(TakeOption(name, value, &options));
    says_tls = says_tls || name == "tls";
  }
  if (!says_tls && options.tls_ca.empty() && mysql::IsLoopback(options.host))
    options.tls = Tls::kPreferred;
  return options;
}

Result<std::unique_ptr<Source>> OpenMysqlSource(const ConnectOptions& options) {
  auto source = std::make_unique<MysqlSource>(options);
  ARROW_RETURN_NOT_OK(source->Connect().status());
  return source;
}

}  // namespace sluice
