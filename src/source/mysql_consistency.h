/// \file
/// Which consistency a server and an account would give a run. No I/O.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "driver/mysql.h"
#include "sluice/finding.h"

namespace sluice::mysql {

/// What OpenSnapshots (mysql_snapshot.h) has to go by.
struct SnapshotMeans {
  Flavor flavor = Flavor::kMySql;
  bool has_positions = false;  ///< gtid_mode=ON; MariaDB: log_bin=ON
  std::optional<std::set<std::string>>
      privileges;       ///< for the whole server; nothing: not known
  std::string account;  ///< 'user'@'host', as GRANT takes it
};

/// The privileges on *.* in the lines of SHOW GRANTS.
std::set<std::string> GlobalPrivilegesIn(const std::vector<std::string>& grants);

/// The finding "consistency", and what it means for the run.
SourceFindings ConsistencyOf(const SnapshotMeans& means, const SourceWish& wish);

}  // namespace sluice::mysql
