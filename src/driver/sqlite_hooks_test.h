/// \file
/// For tests, in a process of their own: what SQLite lets one do to every connection of it.
#pragma once

#include <sqlite3.h>

namespace sluice::sqlite {

/// Files are reached as on a disk that has neither locks nor memory that processes share.
inline bool DoWithoutSharedMemory() {
  return sqlite3_vfs_register(sqlite3_vfs_find("unix-dotfile"), 1) == SQLITE_OK;
}

/// Of connections that are opened from now on `heard` is told each statement's SQL, its last argument,
/// before it runs.
template <int (*heard)(unsigned, void*, void*, void*)>
void ListenToStatements() {
  const auto listen = [](sqlite3* database, char** /*error*/, const void* /*routines*/) {
    return sqlite3_trace_v2(database, SQLITE_TRACE_STMT, heard, nullptr);
  };
  int (*const entry)(sqlite3*, char**, const void*) = listen;
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(entry));
}

}  // namespace sluice::sqlite
