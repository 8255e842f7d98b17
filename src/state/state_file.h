/// \file
/// The state's SQLite file: made, recognised, opened; its errors in the words of the state.
#pragma once

#include <memory>
#include <string>

#include "driver/sqlite.h"
#include "state/sqlite_state.h"
#include "state/sqlite_tables.h"

namespace sluice::state {

/// "slui" in ASCII.
inline constexpr int64_t kApplicationId = 0x736c7569;
/// PRAGMA user_version of the schema this program writes.
inline constexpr int64_t kSchemaVersion = 1;
extern const char kSchemaSql[];

/// An error of SQLite or of stored JSON, as whoever runs a job must act on it.
Status StateError(const Status& status, const std::string& path);

/// One connection to the file. One thread at a time.
class StateFile {
 public:
  static Result<std::unique_ptr<StateFile>> Open(const SqliteStateOptions& options);

  sqlite::Database& database() { return *database_; }
  Tables& tables() { return *tables_; }
  /// Read-only: what was read since the last call is of one state of the file. False: a writer
  /// came; the file has been opened again, read again.
  Result<bool> StoodStill();

 private:
  /// Tells whether anybody wrote.
  struct Footprint {
    uint64_t inode = 0;
    int64_t size = 0, modified_nanos = 0;
    bool has_log = false;  ///< the -wal file holds something
    bool operator==(const Footprint&) const = default;
  };

  explicit StateFile(const SqliteStateOptions& options) : options_(options) {}
  Footprint Look() const;
  Status OpenForReading();
  Status OpenDatabase(const sqlite::OpenOptions& open);
  Status OpenForWriting();
  /// Ours, and of a version we know; nothing in it yet: `is_new`.
  Status Recognise(bool* is_new);
  Status RecogniseInTransaction(bool* is_new);
  Status CreateSchema();
  Status UseWriteAheadLog();
  Status CheckPages();

  SqliteStateOptions options_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<SqliteTables> tables_;  ///< in database_
  bool unlocked_ = false;  ///< read without locks: footprint_ must not change
  Footprint footprint_;
};

}  // namespace sluice::state
