/// \file
/// One connection to a MySQL or MariaDB server, as a Session.
#pragma once

#include <memory>

#include "driver/mysql.h"
#include "sluice/source.h"

namespace sluice::mysql {

std::unique_ptr<Session> MakeSession(std::shared_ptr<Connection> connection);

}  // namespace sluice::mysql
