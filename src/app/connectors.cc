#include "app/connectors.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>

#include "app/secrets.h"
#include "arrow/config.h"
#include "base/nearest.h"
#include "base/redact.h"
#include "base/uri.h"
#include "destination/object_store.h"
#include "driver/aws_process.h"
#include "driver/mysql.h"
#include "driver/sqlite.h"
#include "sluice/clock.h"
#include "source/mysql.h"
#include "source/sqlite.h"
#include "state/mysql_state.h"
#include "state/sqlite_state.h"
#include "store/local.h"
#include "store/s3.h"

namespace sluice {
namespace {

struct SourceConnector {
  std::string_view scheme;
  std::string_view form;
  Result<std::unique_ptr<Source>> (*open)(const Endpoint& endpoint);
  bool is_server = false;  ///< has a host and options, not a path on this disk
  std::span<const ConnectorOption> options = {};
};
struct StoreConnector {
  std::string_view scheme;
  std::string_view form;
  Result<std::unique_ptr<Store>> (*open)(const Endpoint& endpoint);
  /// The canonical text of a place elsewhere; null: a folder of this machine.
  Result<std::string> (*canonical)(const Uri& uri) = nullptr;
  std::span<const ConnectorOption> options = {};
};

constexpr auto kMysqlOptions = std::to_array<ConnectorOption>({
    {"tls", "disabled | preferred | required | verify-ca | verify-identity",
     "encryption; without it verify-identity, on loopback preferred"},
    {"tls_ca", "PATH", "PEM file of the authority that signed the server's certificate"},
    {"connect_timeout", "SECONDS", "how long to wait for the server's greeting"},
    {"read_timeout", "SECONDS", "how long to wait for an answer"},
});
constexpr auto kS3Options = std::to_array<ConnectorOption>({
    {"endpoint", "URL", "https://host:port of another server than AWS"},
    {"region", "NAME", "where the bucket is"},
    {"profile", "NAME", "a profile of ~/.aws"},
    {"path_style", "true | false", "the bucket in the path, or in the host's name"},
    {"sse", "AES256 | aws:kms", "encryption of new objects"},
    {"kms_key", "ID", "the key's id or ARN, for aws:kms"},
    {"storage_class", "CLASS", "of new objects"},
    {"tags", "NAME=VALUE,…", "of new objects"},
    {"ca", "PATH", "PEM file of the authority that signed the server's certificate"},
    {"part_size", "SIZE", "of a part of an upload, from 5MiB"},
    {"uploads", "N", "parts on their way at once, from 1 to 64"},
});

/// Of whoever only looks.
constexpr int kLockSeconds = 5;
constexpr std::chrono::seconds kSilenceOfALook{10};

Result<mysql::ConnectOptions> ServerOptions(const Uri& uri) {
  ARROW_ASSIGN_OR_RAISE(auto options, MysqlOptionsFrom(uri));
  if (!options.tls_ca.empty() && access(options.tls_ca.c_str(), R_OK) != 0) {
    return Error(
        ErrorKind::kUsage, "uri.tls-ca",
        fmt::format("tls_ca names a file that cannot be read, {}: {}",
                    std::strerror(errno), options.tls_ca),
        "it is the PEM file of the authority that signed the server's certificate");
  }
  return options;
}
Result<std::unique_ptr<Source>> OpenServer(const Endpoint& endpoint) {
  ARROW_ASSIGN_OR_RAISE(auto options, ServerOptions(endpoint.given));
  if (endpoint.only_looks) options.lock_wait_seconds = kLockSeconds;
  return OpenMysqlSource(options);
}

Result<std::string> CanonicalS3(const Uri& uri) {
  ARROW_ASSIGN_OR_RAISE(const S3Options options, ParseS3Uri(uri));
  return CanonicalS3Uri(options);
}
Result<std::unique_ptr<Store>> OpenS3(const Endpoint& endpoint) {
  ARROW_ASSIGN_OR_RAISE(S3Options options, ParseS3Uri(endpoint.given));
  if (endpoint.only_looks) {
    options.silence_max = kSilenceOfALook;
    options.retry_time_max = 2 * kSilenceOfALook;
    options.gives_up = true;
  }
  return OpenS3Store(options, SystemClock());
}

/// The first line of each table is what a bare path means.
constexpr auto kSources = std::to_array<SourceConnector>({
    {"sqlite", "sqlite:///absolute.db, sqlite:relative.db or a path",
     [](const Endpoint& endpoint) { return OpenSqliteSource(endpoint.path); }},
    {"mysql", "mysql://user:password@host:port/database", OpenServer, /*is_server=*/true,
     kMysqlOptions},
    {"mariadb", "mariadb://user:password@host:port/database", OpenServer,
     /*is_server=*/true, kMysqlOptions},
});
constexpr auto kStores = std::to_array<StoreConnector>({
    {"file", "file:///absolute/folder, file:relative/folder or a path",
     [](const Endpoint& endpoint) { return OpenLocalStore(endpoint.path); }},
    {"s3", "s3://bucket/prefix?endpoint=…&region=…", OpenS3, CanonicalS3, kS3Options},
});

struct StateConnector {
  std::string_view scheme;
  std::string_view form;
};
constexpr auto kStates = std::to_array<StateConnector>({
    {"", "a path"},
    {"mysql", "mysql://user:password@host:port/database"},
    {"mariadb", "mariadb://user:password@host:port/database"},
});

/// Documented, and refused until they are built.
constexpr auto kLaterSchemes = std::to_array<std::string_view>(
    {"postgres", "postgresql", "odbc", "adbc", "python", "gs", "az", "null", "redshift",
     "bigquery", "snowflake", "iceberg+rest", "iceberg+glue", "glue"});

template <typename Table>
std::string Forms(const Table& table) {
  std::string forms;
  for (const auto& connector : table)
    forms += fmt::format("{}{}", forms.empty() ? "" : "; ", connector.form);
  return forms;
}

template <typename Table>
Status UnknownScheme(const Uri& uri, std::string_view role, const Table& table) {
  const std::string usable = fmt::format("usable as a {}: {}", role, Forms(table));
  if (uri.scheme.size() == 1) {
    return Error(
        ErrorKind::kUsage, "uri.unknown-scheme",
        fmt::format("expected a {}, found what looks like a path of Windows", role),
        "sluice runs on Linux: a path begins with /, and under WSL drive C is "
        "/mnt/c");
  }
  for (const std::string_view later : kLaterSchemes) {
    if (uri.scheme != later) continue;
    return Error(ErrorKind::kUsage, "uri.not-in-this-version",
                 fmt::format("{}: is not in this version as a {}", uri.scheme, role),
                 usable);
  }
  std::vector<std::string> schemes;
  schemes.reserve(table.size());
  for (const auto& connector : table) schemes.emplace_back(connector.scheme);
  for (const SourceConnector& connector : kSources) {
    if (uri.scheme != connector.scheme) continue;
    return Error(ErrorKind::kUsage, "uri.wrong-role",
                 fmt::format("{}: is a source, not a {}", uri.scheme, role), usable);
  }
  for (const StoreConnector& connector : kStores) {
    if (uri.scheme != connector.scheme) continue;
    return Error(ErrorKind::kUsage, "uri.wrong-role",
                 fmt::format("{}: is a destination, not a {}", uri.scheme, role), usable);
  }
  const std::string meant = DidYouMean(uri.scheme, schemes);
  return Error(ErrorKind::kUsage, "uri.unknown-scheme",
               fmt::format("unknown scheme {}:", uri.scheme),
               meant.empty() ? usable + "; a path with a colon begins with ./" : meant);
}

/// Neither a SQLite file nor a folder has a host or options.
Status CheckIsPath(const Uri& uri, std::string_view text) {
  // Neither repeated nor guessed at: there may be a password in it.
  if (uri.authority.find('@') != std::string::npos) {
    return Error(ErrorKind::kUsage, "uri.host",
                 fmt::format("{}: has no user and no host", uri.scheme),
                 fmt::format("an absolute path has three slashes, {}:///path; a name "
                             "that holds an @ is given without a scheme",
                             uri.scheme));
  }
  if (!uri.authority.empty() && uri.authority != "localhost") {
    return Error(
        ErrorKind::kUsage, "uri.host",
        fmt::format("{} has two slashes, so {} is read as a host", text, uri.authority),
        fmt::format(
            "an absolute path has three slashes, {}:///{}; a relative one none, {}:{}",
            uri.scheme, uri.authority, uri.scheme, uri.authority + uri.path));
  }
  if (!uri.query.empty()) {
    return Error(ErrorKind::kUsage, "uri.unknown-option",
                 fmt::format("{}: has no options in this version, found {}", uri.scheme,
                             uri.query.begin()->first),
                 "a ? that belongs to the name is written as %3F, or give the path "
                 "without a scheme");
  }
  if (uri.path.empty()) {
    return Error(ErrorKind::kUsage, "uri.no-path",
                 fmt::format("expected a path after {}", text));
  }
  return Status::OK();
}

/// Absolute, without "." and "..", links resolved as far as the path exists.
std::string CanonicalPath(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  if (error) return path;
  const fs::path canonical = fs::weakly_canonical(absolute, error);
  std::string text = error ? absolute.lexically_normal().string() : canonical.string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

/// A user or a password with letters in it that end it: what is cut off would be taken for the host. None
/// of it is repeated.
Status CheckAccountIsEncoded(std::string_view uri) {
  const size_t begin = uri.find("://");
  if (begin == std::string_view::npos) return Status::OK();
  const std::string_view rest = uri.substr(begin + 3);
  const size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  // Options may hold an @.
  const bool has_path = end < rest.size() && rest[end] == '/';
  const size_t path_end = has_path ? std::min(rest.find('?'), rest.size()) : rest.size();
  if (rest.substr(end, path_end - end).find('@') == std::string_view::npos)
    return Status::OK();
  return Error(
      ErrorKind::kUsage, "uri.malformed",
      "the user or the password holds a letter that ends it, one of / ? # @",
      "write @ as %40, / as %2F, ? as %3F, # as %23; a reference needs none of that: "
      "'mysql://user:${env:NAME}@host/database'");
}

/// Host and database as one text, whoever logs in.
Result<Endpoint> ResolveServer(const Uri& uri) {
  ARROW_ASSIGN_OR_RAISE(const auto options, MysqlOptionsFrom(uri));
  const bool is_v6 = options.host.find(':') != std::string::npos;
  Endpoint endpoint;
  endpoint.scheme = uri.scheme;
  endpoint.given = uri;
  endpoint.uri =
      fmt::format("{}://{}{}{}:{}/{}", uri.scheme, is_v6 ? "[" : "", options.host,
                  is_v6 ? "]" : "", options.port, EncodeUriPath(options.database));
  return endpoint;
}

template <typename Table>
Result<Uri> ParseKnown(std::string_view text, std::string_view role, const Table& table) {
  ARROW_ASSIGN_OR_RAISE(Uri uri, ParseUri(text));
  if (uri.scheme.empty()) {
    uri.scheme = std::string(table.front().scheme);
  }
  bool known = false;
  for (const auto& connector : table) known = known || connector.scheme == uri.scheme;
  if (!known) return UnknownScheme(uri, role, table);
  return uri;
}

/// A shell writes a home out, a file and a quoted word do not.
Status CheckNoHome(const std::string& path, std::string_view scheme) {
  if (path != "~" && !path.starts_with("~/")) return Status::OK();
  const std::string rest = path.substr(1);
  return Error(ErrorKind::kUsage, "uri.home",
               fmt::format("~ is not expanded here, found {}", path),
               scheme.empty()
                   ? fmt::format("write the path out; what is called so is ./{}", path)
                   : fmt::format("write the path out, or {}://${{env:HOME}}{}; what is "
                                 "called so is ./{}",
                                 scheme, rest, path));
}

Result<Endpoint> OnThisMachine(const Uri& uri, std::string_view text) {
  ARROW_RETURN_NOT_OK(CheckIsPath(uri, text));
  ARROW_RETURN_NOT_OK(CheckNoHome(uri.path, uri.scheme));
  Endpoint endpoint;
  endpoint.scheme = uri.scheme;
  endpoint.given = uri;
  endpoint.path = CanonicalPath(uri.path);
  endpoint.uri = fmt::format("{}://{}", uri.scheme, EncodeUriPath(endpoint.path));
  return endpoint;
}

/// Where the user's states are; "" where nothing says so.
std::string StateHome() {
  const char* state_home = std::getenv("XDG_STATE_HOME");
  // The specification has relative values ignored.
  if (state_home != nullptr && state_home[0] == '/')
    return std::string(state_home) + "/sluice";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/')
    return std::string(home) + "/.local/state/sluice";
  return {};
}

/// A schema of a server that may hold a state, references replaced.
Result<std::string> StateUri(const std::string& said) {
  // None of it is repeated before it is known to be well-formed.
  ARROW_RETURN_NOT_OK(CheckAccountIsEncoded(said));
  ARROW_ASSIGN_OR_RAISE(std::string replaced, ReplaceInUri(said, {}));
  ARROW_ASSIGN_OR_RAISE(const Uri uri, ParseKnown(replaced, "state", kStates));
  ARROW_RETURN_NOT_OK(ServerOptions(uri).status());
  return replaced;
}

/// The longest that a state lets a run wait for one answer; its lease would run out.
constexpr int kStateSilenceSeconds = 30;

Result<std::unique_ptr<StateStore>> OpenLedger(const std::string& state,
                                               StateAccess access, bool create) {
  ARROW_ASSIGN_OR_RAISE(const Uri uri, ParseKnown(state, "state", kStates));
  MysqlStateOptions options;
  ARROW_ASSIGN_OR_RAISE(options.server, ServerOptions(uri));
  int& silence = options.server.read_timeout_seconds;
  if (!uri.query.contains("read_timeout")) silence = kStateSilenceSeconds;
  options.create = create;
  options.read_only = access == StateAccess::kReadOnly;
  if (const std::string home = StateHome(); !home.empty())
    options.lock_dir = home + "/ledger.locks";
  return OpenMysqlState(options);
}

bool IsAtOrBelow(const std::string& path, const std::string& folder) {
  if (folder == "/") return true;
  return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

}  // namespace

Endpoint ToLookAt(Endpoint endpoint) {
  endpoint.only_looks = true;
  return endpoint;
}

std::vector<ConnectorInfo> Connectors() {
  std::vector<ConnectorInfo> all;
  all.reserve(std::size(kSources) + std::size(kStores));
  for (const SourceConnector& each : kSources)
    all.push_back({each.scheme, each.form, /*is_source=*/true, each.options});
  for (const StoreConnector& each : kStores)
    all.push_back({each.scheme, each.form, /*is_source=*/false, each.options});
  return all;
}

Result<Endpoint> ResolveSource(std::string_view uri) {
  if (uri == ":memory:" || uri == "sqlite::memory:") {
    return Error(ErrorKind::kUsage, "uri.memory",
                 "a database in memory has nothing to copy");
  }
  for (const SourceConnector& connector : kSources) {
    if (connector.is_server && uri.starts_with(fmt::format("{}://", connector.scheme)))
      ARROW_RETURN_NOT_OK(CheckAccountIsEncoded(uri));
  }
  ARROW_ASSIGN_OR_RAISE(const Uri parsed, ParseKnown(uri, "source", kSources));
  for (const SourceConnector& connector : kSources)
    if (connector.scheme == parsed.scheme && connector.is_server)
      return ResolveServer(parsed);
  return OnThisMachine(parsed, uri);
}

Result<Endpoint> ResolveDestination(std::string_view uri) {
  ARROW_ASSIGN_OR_RAISE(const Uri parsed, ParseKnown(uri, "destination", kStores));
  for (const StoreConnector& connector : kStores) {
    if (connector.scheme != parsed.scheme || connector.canonical == nullptr) continue;
    Endpoint endpoint;
    endpoint.scheme = parsed.scheme;
    endpoint.given = parsed;
    ARROW_ASSIGN_OR_RAISE(endpoint.uri, connector.canonical(parsed));
    return endpoint;
  }
  return OnThisMachine(parsed, uri);
}

Result<Endpoint> ResolveRoot(std::string_view root, std::string_view address) {
  const size_t options = address.find('?');
  const bool keeps = options != std::string_view::npos && address.find("://") < options &&
                     root.find('?') == std::string_view::npos;
  return ResolveDestination(
      fmt::format("{}{}", root, keeps ? address.substr(options) : ""));
}

bool MayExist(const Endpoint& destination) {
  std::error_code error;
  return destination.path.empty() || std::filesystem::exists(destination.path, error);
}

Result<std::unique_ptr<Source>> OpenSource(const Endpoint& endpoint) {
  for (const SourceConnector& connector : kSources) {
    if (connector.scheme == endpoint.scheme) return connector.open(endpoint);
  }
  return Error(ErrorKind::kUsage, "uri.unknown-scheme",
               fmt::format("unknown scheme {}:", endpoint.scheme));
}

Result<std::unique_ptr<Store>> OpenStore(const Endpoint& endpoint) {
  for (const StoreConnector& connector : kStores) {
    if (connector.scheme == endpoint.scheme) return connector.open(endpoint);
  }
  return Error(ErrorKind::kUsage, "uri.unknown-scheme",
               fmt::format("unknown scheme {}:", endpoint.scheme));
}

Result<std::unique_ptr<Destination>> OpenDestination(const Endpoint& endpoint) {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<Store> store, OpenStore(endpoint));
  return MakeObjectStoreDestination(std::move(store));
}

std::string UriBelow(const Endpoint& destination, std::string_view path) {
  const std::string& uri = destination.uri;
  const size_t options = destination.path.empty() ? uri.find('?') : std::string::npos;
  return fmt::format("{}/{}{}", uri.substr(0, options), EncodeUriPath(path),
                     options == std::string::npos ? "" : uri.substr(options));
}

Status CheckApart(const Endpoint& source, const Endpoint& destination,
                  const std::string& state) {
  const bool elsewhere = destination.path.empty();
  const std::string state_path = IsStateFile(state) ? state : "";
  for (const std::string suffix : {"", "-wal", "-shm", "-journal"}) {
    if (source.path.empty()) break;  // A server has no place on this disk that is known.
    const std::string file = source.path + suffix;
    if (!elsewhere && IsAtOrBelow(destination.path, file)) {
      return Error(ErrorKind::kUsage, "job.destination-is-source",
                   "the destination is the database file itself: " + destination.path,
                   "name a folder for the files");
    }
    if (!state_path.empty() && IsAtOrBelow(CanonicalPath(state_path), file)) {
      return Error(ErrorKind::kUsage, "job.state-is-source",
                   "the state file is the database file itself: " + state_path,
                   "give --state a file of its own");
    }
  }
  if (!elsewhere && !state_path.empty() &&
      IsAtOrBelow(destination.path, CanonicalPath(state_path))) {
    return Error(ErrorKind::kUsage, "job.destination-is-state",
                 "the destination is the state file itself: " + destination.path,
                 "name a folder for the files");
  }
  return Status::OK();
}

Result<std::unique_ptr<StateStore>> OpenState(const std::string& state,
                                              StateAccess access) {
  if (!IsStateFile(state))
    return OpenLedger(state, access, /*create=*/access == StateAccess::kReadWrite);
  SqliteStateOptions options;
  options.path = state;
  options.create = access == StateAccess::kReadWrite;
  options.read_only = access == StateAccess::kReadOnly;
  return OpenSqliteState(options);
}

Result<std::unique_ptr<StateStore>> OpenStateIfThere(const std::string& state,
                                                     StateAccess access) {
  std::error_code error;
  if (IsStateFile(state)) {
    if (!std::filesystem::exists(state, error)) return std::unique_ptr<StateStore>();
    return OpenState(state, access);
  }
  auto opened = OpenLedger(state, access, /*create=*/false);
  if (IdOf(opened.status()) == "state.no-such-file") return std::unique_ptr<StateStore>();
  return opened;
}

bool IsStateFile(const std::string& state) { return UriSchemeLength(state) == 0; }

std::string ShownState(const std::string& state) {
  if (IsStateFile(state)) return state;
  const auto uri = ParseUri(state);
  if (!uri.ok()) return "***";
  const auto endpoint = ResolveServer(*uri);
  return endpoint.ok() ? endpoint->uri : "***";
}

Result<std::string> StatePath(const std::string& flag) {
  const char* variable = std::getenv("SLUICE_STATE");
  std::string said = flag;
  if (said.empty() && variable != nullptr) said = variable;
  ARROW_RETURN_NOT_OK(CheckNoHome(said, ""));
  if (!said.empty() && IsStateFile(said)) return said;
  if (!said.empty()) return StateUri(said);
  const std::string home = StateHome();
  if (!home.empty()) return home + "/state.db";
  return Error(
      ErrorKind::kUsage, "state.no-home",
      "no place for the state: neither XDG_STATE_HOME nor HOME is an absolute path",
      "say where with --state PATH");
}

std::string SchemaOf(const Endpoint& source) {
  if (!source.path.empty()) return "main";
  return source.given.path.substr(source.given.path.starts_with('/') ? 1 : 0);
}

Result<std::string> OutputOfCommand(const std::string& command) {
  auto output = aws::OutputOfCommand(command, SystemClock());
  if (output.ok()) return output;
  // It speaks of credentials for S3; neither the command nor what it printed is repeated.
  return Error(
      ErrorKind::kUsage, "secret.command",
      "the command of a ${cmd:…} reference gave no secret",
      "run it by hand: it must print the secret, and exit with 0 within a minute");
}

std::vector<LibraryVersion> LibraryVersions() {
  return {{"arrow", arrow::GetBuildInfo().version_string},
          {"sqlite", sqlite::LibraryVersion()},
          {"libmariadb", mysql::LibraryVersion()}};
}

}  // namespace sluice
