/// \file
/// SQLite made safe: ownership, errors with their kind, cancel. No policy, no SQL of its own beyond
/// PRAGMAs. sqlite3.h is included nowhere else.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sluice::sqlite {

enum class OpenMode { kReadOnly, kReadWrite, kReadWriteCreate };
enum class Type { kInteger = 1, kReal = 2, kText = 3, kBlob = 4, kNull = 5 };

struct OpenOptions {
  std::string path;
  OpenMode mode = OpenMode::kReadOnly;
  int busy_timeout_millis = 5000;
  bool immutable =
      false;  ///< with kReadOnly: no locks, no side files; the caller knows that nobody writes
};

/// Who is asked when a call fails: errors of a user's database and errors of our own state read
/// differently ("source.locked" and "state.busy").
enum class Role { kSource, kState };

class Statement;

/// A value of a row as it is stored. Text and blob point into SQLite's memory: valid until the
/// next Step of the statement.
struct Cell {
  Type type = Type::kNull;
  int32_t size = 0;  ///< bytes of text or blob
  union {
    int64_t integer = 0;
    double real;
    const char* data;  ///< never null for text; may be null for an empty blob
  };
  std::string_view bytes() const { return {data, static_cast<size_t>(size)}; }
};

/// One connection, one thread at a time (opened without SQLite's own mutex); Interrupt from any.
class Database {
 public:
  static Result<std::unique_ptr<Database>> Open(const OpenOptions& options, Role role);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs statements without results.
  Status Execute(const std::string& sql);
  /// One statement. kUsage "source.sql" ("state.sql") with SQLite's message for SQL that does not
  /// parse, that is empty, or that is followed by a second statement.
  Result<Statement> Prepare(std::string_view sql);
  /// The same for SQL that comes again and again: it is compiled once, and kept until the database is
  /// closed. For few and short texts.
  Result<Statement> PrepareKept(std::string_view sql);
  void Interrupt();
  int64_t changes() const;
  /// Largest value a read may return; a larger one fails with kResource "sqlite.too-big".
  void LimitValueBytes(int64_t size_max);
  /// Bytes of one value without reading it; nothing where SQLite cannot tell (views, WITHOUT
  /// ROWID and virtual tables, values that are not text or blob).
  std::optional<int64_t> ValueBytes(const std::string& table, const std::string& column,
                                    int64_t rowid);
  /// The collation of a column of a table: "BINARY", "NOCASE", …; "" where there is none to ask.
  std::string ColumnCollation(const std::string& table, const std::string& column);
  /// Text that is the same twice only if nothing was committed in between, as far as SQLite lets
  /// one see; reads no page and takes no lock. Nothing while a commit is being written.
  std::optional<std::string> ChangeMark();
  const std::string& path() const { return path_; }
  Role role() const { return role_; }
  sqlite3* handle() { return db_; }  ///< for the driver's own files

 private:
  friend class Statement;
  Database(const OpenOptions& options, Role role);
  Status OpenHandle(const OpenOptions& options, bool immutable);
  Status Harden();
  Status TouchFile();
  Status ErrorOf(int code, bool preparing = false);
  static int OnBusy(void* self, int count);

  sqlite3* db_ = nullptr;
  std::map<std::string, sqlite3_stmt*, std::less<>> kept_;  // those that nobody uses now
  std::string path_;
  Role role_;
  int busy_timeout_millis_;
  int waited_millis_ = 0;  ///< for a lock, in the newest call that had to wait
  bool immutable_ = false;
  std::atomic<bool> interrupted_ = false;
};

/// A prepared statement; must not outlive its database. Parameters and columns count from 0.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  Status BindInt64(int index, int64_t value);
  Status BindDouble(int index, double value);
  Status BindText(int index, std::string_view value);  ///< copied
  Status BindBlob(int index, std::string_view value);  ///< copied
  Status BindNull(int index);
  /// true: a row is there; false: done.
  Result<bool> Step();
  /// Step and all columns of the row at once, for tight loops: `cells` has column_count() places.
  /// false: done, or failed and `error` is set.
  bool NextRow(Cell* cells, Status* error);
  Status Reset();  ///< and clears bindings

  int column_count() const;
  std::string ColumnName(int column) const;
  Type ColumnType(int column) const;  ///< ask before the value is fetched in another type
  int64_t ColumnInt64(int column) const;
  double ColumnDouble(int column) const;
  /// Valid until the next Step. Text: raw bytes in UTF-8 encoding, not checked.
  std::string_view ColumnText(int column) const;
  std::string_view ColumnBlob(int column) const;
  sqlite3_stmt* handle() { return statement_; }

 private:
  friend class Database;
  Statement(sqlite3_stmt* statement, Database* database);
  Status Bound(int code);
  void Leave();
  sqlite3_stmt* statement_;
  Database* database_;
  bool kept_ = false;  // goes back to the database
};

/// Version of the linked library, "3.40.1".
std::string LibraryVersion();

}  // namespace sluice::sqlite
