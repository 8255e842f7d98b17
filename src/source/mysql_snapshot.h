/// \file
/// Several connections in one state of a server, and the proof of it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/mysql.h"
#include "sluice/error.h"

namespace sluice::mysql {

using Connections = std::vector<std::shared_ptr<Connection>>;

/// What every session is told before anything else: how values are written, how long it may wait.
Status PinSettings(Connection& connection);

/// Opens a consistent snapshot on each, all of one state, and gives its position. Nothing if that
/// could not be proven: then no snapshot is open. One connection alone is a snapshot always; its
/// position may be "".
Result<std::optional<std::string>> OpenSnapshots(const Connections& connections);

}  // namespace sluice::mysql
