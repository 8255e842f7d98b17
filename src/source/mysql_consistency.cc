#include "source/mysql_consistency.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace sluice::mysql {
namespace {

SourceFindings Reached(Consistency kind, Level level, std::string why,
                       std::string hint = {}) {
  SourceFindings seen;
  seen.consistency = kind;
  seen.why = why;
  seen.findings.push_back({.name = "consistency",
                           .level = level,
                           .detail = std::move(why),
                           .hint = std::move(hint)});
  return seen;
}

SourceFindings WithoutProof(const SnapshotMeans& means, const SourceWish& wish) {
  const std::string reason =
      means.flavor == Flavor::kMySql ? "gtid_mode is not ON" : "log_bin is OFF";
  if (!means.privileges) {
    SourceFindings seen =
        Reached(wish.consistency, Level::kUnknown,
                "not known: the account's privileges could not be read, "
                "and " +
                    reason);
    seen.consistency.reset();
    return seen;
  }
  for (const char* right : {"RELOAD", "FLUSH_TABLES", "ALL PRIVILEGES"}) {
    if (!means.privileges->contains(right)) continue;
    return Reached(
        wish.consistency, Level::kOk,
        fmt::format("one snapshot, under a short lock: {}, so FLUSH TABLES WITH "
                    "READ LOCK for as long as it takes to open it; per-chunk "
                    "where that is not had in 5 seconds",
                    reason));
  }
  const std::string why =
      fmt::format("per-chunk: {}, and the account may not FLUSH TABLES", reason);
  const std::string grant =
      fmt::format("as an administrator: GRANT RELOAD ON *.* TO {};", means.account);
  if (wish.consistency != Consistency::kSnapshotStrict)
    return Reached(Consistency::kPerChunk, Level::kWarning, why,
                   grant + " or --connections 1");
  SourceFindings seen;
  seen.why = why;
  seen.findings.push_back(FailedFinding(
      "consistency",
      Error(ErrorKind::kSource, "source.missing-grant",
            "wanted snapshot-strict, and no snapshot can be proven: " + why, grant)));
  return seen;
}

}  // namespace

std::set<std::string> GlobalPrivilegesIn(const std::vector<std::string>& grants) {
  constexpr std::string_view kGrant = "GRANT ";
  std::set<std::string> privileges;
  for (const std::string& line : grants) {
    const size_t end = line.find(" ON *.* TO ");
    if (!line.starts_with(kGrant) || end == std::string::npos) continue;
    for (size_t at = kGrant.size(); at < end;) {
      const size_t comma = std::min(line.find(',', at), end);
      privileges.insert(line.substr(at, comma - at));
      // MySQL writes a blank behind the comma in one of its two lines.
      at = line.find_first_not_of(' ', comma + 1);
    }
  }
  return privileges;
}

SourceFindings ConsistencyOf(const SnapshotMeans& means, const SourceWish& wish) {
  if (wish.consistency == Consistency::kPerChunk)
    return Reached(Consistency::kPerChunk, Level::kOk, "per-chunk, as asked for");
  if (means.has_positions)
    return Reached(
        wish.consistency, Level::kOk,
        means.flavor == Flavor::kMySql
            ? "one snapshot, without a lock: proven by GTIDs (gtid_mode=ON)"
            : "one snapshot, without a lock: proven by the binary log (log_bin=ON)");
  if (wish.connections == 1)
    return Reached(wish.consistency, Level::kOk,
                   "one snapshot: one connection alone always is");
  return WithoutProof(means, wish);
}

}  // namespace sluice::mysql
