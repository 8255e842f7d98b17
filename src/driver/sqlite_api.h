/// \file
/// Private to this folder: SQLite's own header, and its result codes as our errors.
#pragma once

#include <sqlite3.h>

#include <string>

#include "driver/sqlite.h"

namespace sluice::sqlite {

struct Failure {
  int code = 0;          ///< extended result code
  int system_errno = 0;  ///< of the failed system call; 0: none
  std::string message;   ///< SQLite's own words
  std::string path;
  Role role = Role::kSource;
  int waited_millis = 0;   ///< for a lock
  bool preparing = false;  ///< while SQL was compiled: the request is at fault
};

Status ErrorFor(const Failure& failure);

}  // namespace sluice::sqlite
