// The driver speaks of a source: what it says is said again of the ledger.
#include <fmt/format.h>

#include <string_view>

#include "state/mysql_tables.h"

namespace sluice::state {
namespace {

struct Meaning {
  std::string_view of;  ///< the driver's id
  ErrorKind kind;
  std::string_view id;
  std::string_view hint;
};
constexpr std::string_view kLogin =
    "see that --state names the server, the database and a user who may log in: "
    "'mysql://user:${env:NAME}@host/database'";
constexpr std::string_view kTryAgain = "run again";
constexpr std::string_view kTables =
    "the tables _sluice_ledger_… are made and written by sluice alone: put them back as they "
    "were, from a backup";

constexpr Meaning kMeanings[] = {
    {"source.no-such-host", ErrorKind::kUsage, "state.cannot-open", kLogin},
    {"source.password", ErrorKind::kUsage, "state.cannot-open", kLogin},
    {"source.no-such-database", ErrorKind::kUsage, "state.cannot-open", kLogin},
    {"source.host-refused", ErrorKind::kUsage, "state.cannot-open", kLogin},
    {"source.tls", ErrorKind::kUsage, "state.cannot-open", ""},
    {"source.auth-plugin", ErrorKind::kUsage, "state.cannot-open", ""},
    {"source.unreachable", ErrorKind::kTransient, "state.unreachable", kTryAgain},
    {"source.too-many-connections", ErrorKind::kTransient, "state.unreachable", ""},
    {"source.lost", ErrorKind::kTransient, "state.unreachable", kTryAgain},
    {"source.locked", ErrorKind::kTransient, "state.busy", kTryAgain},
    {"source.timeout", ErrorKind::kTransient, "state.busy", kTryAgain},
    {"source.query-killed", ErrorKind::kTransient, "state.busy", kTryAgain},
    {"mysql.duplicate", ErrorKind::kTransient, "state.busy", kTryAgain},
    {"source.exhausted", ErrorKind::kResource, "state.disk-full",
     "free some space at the server"},
    {"source.read-only", ErrorKind::kResource, "state.read-only",
     "name the primary with --state, not a replica"},
    {"mysql.too-long", ErrorKind::kUsage, "state.too-long",
     "a job, a stream or a destination has a longer name than a ledger holds"},
    {"source.packet", ErrorKind::kUsage, "state.too-long", ""},
    {"source.changed", ErrorKind::kSource, "state.corrupt", kTables},
    {"source.corrupt", ErrorKind::kSource, "state.corrupt", kTables},
    {"json.malformed", ErrorKind::kSource, "state.corrupt", kTables},
    {"state.corrupt", ErrorKind::kSource, "state.corrupt", kTables},
    {"state.commit-unknown", ErrorKind::kTransient, "state.commit-unknown", ""},
};

/// 'user'@'host' from the GRANT that the driver's hint has.
std::string AccountIn(std::string_view hint) {
  const size_t at = hint.rfind(" TO ");
  if (at == std::string_view::npos) return "'USER'@'HOST'";
  std::string account(hint.substr(at + 4));
  if (account.ends_with(';')) account.pop_back();
  return account;
}

std::string Text(std::string_view ours, const std::string& drivers) {
  return ours.empty() ? drivers : std::string(ours);
}

}  // namespace

std::string LedgerUri(const mysql::ConnectOptions& server) {
  const bool is_v6 = server.host.find(':') != std::string::npos;
  return fmt::format("mysql://{}{}{}:{}/{}", is_v6 ? "[" : "", server.host,
                     is_v6 ? "]" : "", server.port, server.database);
}

Status LedgerError(const Status& status, const mysql::ConnectOptions& server) {
  if (status.ok()) return status;
  const std::string message =
      fmt::format("the ledger in {}: {}", LedgerUri(server), status.message());
  if (IdOf(status) == "source.missing-grant")
    return Error(ErrorKind::kSource, "state.missing-grant", message,
                 fmt::format("as an administrator: GRANT CREATE, SELECT, INSERT, UPDATE, "
                             "DELETE ON `{}`.* TO {};",
                             server.database, AccountIn(HintOf(status))));
  for (const Meaning& meaning : kMeanings)
    if (meaning.of == IdOf(status))
      return Error(meaning.kind, meaning.id, message,
                   Text(meaning.hint, std::string(HintOf(status))));
  return status;
}

}  // namespace sluice::state
