/// \file
/// libmariadb for the driver's own files, and what a failed call of it leaves.
#pragma once

#include <mysql.h>

#include <string>

#include "driver/mysql.h"
#include "sluice/error.h"

namespace sluice::mysql {

enum class Stage { kConnecting, kPreparing, kRunning };

struct Failure {
  unsigned int code = 0;
  std::string message;
  Stage stage = Stage::kRunning;
  const ConnectOptions* options = nullptr;
  std::string account;  ///< the connection's; "" while it is opened
};

/// The one place where a code of the server or of the library gets its kind.
Status ErrorFor(const Failure& failure);

}  // namespace sluice::mysql
