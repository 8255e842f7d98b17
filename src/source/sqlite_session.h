/// \file
/// One connection to a SQLite database, as a Session.
#pragma once

#include <memory>

#include "driver/sqlite.h"
#include "sluice/source.h"

namespace sluice::sqlite {

std::unique_ptr<Session> MakeSession(std::shared_ptr<Database> database);

}  // namespace sluice::sqlite
