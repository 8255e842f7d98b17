/// \file
/// A server, its settings and an account's privileges, as far as a run rests on them.
#pragma once

#include "driver/mysql.h"
#include "sluice/clock.h"
#include "sluice/error.h"
#include "sluice/finding.h"

namespace sluice::mysql {

/// As Source::Inspect says. `connection` has its settings pinned.
Result<SourceFindings> InspectServer(Connection& connection, const SourceWish& wish,
                                     Clock& clock);

/// kUsage "source.connection-limit" where the account may not have so many at once.
Status CheckConnectionLimit(const Connection& connection, int wanted);

}  // namespace sluice::mysql
