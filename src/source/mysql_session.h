/// \file
/// One connection to a MySQL or MariaDB server, as a Session.
#pragma once

#include <memory>

#include "driver/mysql.h"
#include "sluice/source.h"

namespace sluice::mysql {

/// Outside a snapshot the definition is compared before each read: a chunk may be read long after
/// the table was described.
std::unique_ptr<Session> MakeSession(std::shared_ptr<Connection> connection,
                                     Consistency kind);

}  // namespace sluice::mysql
