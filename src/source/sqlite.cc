#include "source/sqlite.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "driver/sqlite.h"
#include "source/sqlite_session.h"

namespace sluice {
namespace {

// Pinning takes microseconds: that another commit falls between is rare, and thrice in a row is
// a database that is written to all the time.
constexpr int kPinTries = 16;

using Databases = std::vector<std::shared_ptr<sqlite::Database>>;

/// A transaction that has read sees the database as it is now until it ends.
Status Pin(sqlite::Database& database) {
  ARROW_RETURN_NOT_OK(database.Execute("BEGIN"));
  return database.Execute("SELECT 1 FROM main.sqlite_schema LIMIT 1");
}

/// All in one state, and its position; nothing if commits fell in between each time.
Result<std::optional<std::string>> PinTogether(const Databases& databases) {
  for (int attempt = 0; attempt < kPinTries; ++attempt) {
    const auto before = databases[0]->ChangeMark();
    for (const auto& database : databases) ARROW_RETURN_NOT_OK(Pin(*database));
    // Each handle is asked: the path may have come to name another file while they were opened.
    const bool together = before && std::all_of(databases.begin(), databases.end(),
                                                [&before](const auto& database) {
                                                  return database->ChangeMark() == before;
                                                });
    if (together) return "sqlite:" + *before;
    if (attempt + 1 == kPinTries) break;
    for (const auto& database : databases)
      ARROW_RETURN_NOT_OK(database->Execute("ROLLBACK"));
  }
  return std::nullopt;
}

Result<std::string> AskText(sqlite::Database& database, std::string_view sql) {
  ARROW_ASSIGN_OR_RAISE(sqlite::Statement row, database.Prepare(sql));
  ARROW_ASSIGN_OR_RAISE(const bool has_row, row.Step());
  return has_row ? std::string(row.ColumnText(0)) : "";
}

class SqliteSource : public Source {
 public:
  SqliteSource(std::string path, const SqliteSourceOptions& options)
      : path_(std::move(path)), options_(options) {}

  std::string Describe() const override { return "SQLite database " + path_; }

  Result<SessionSet> Open(Consistency wanted, int sessions) override {
    Databases databases;
    for (int i = 0; i < std::max(sessions, 1); ++i) {
      ARROW_ASSIGN_OR_RAISE(auto database, OpenDatabase());
      databases.push_back(std::move(database));
    }
    SessionSet set;
    set.kind = wanted;
    if (wanted != Consistency::kPerChunk) {
      ARROW_ASSIGN_OR_RAISE(const auto position, PinTogether(databases));
      set.position = position.value_or("");
      // One transaction alone is a snapshot always, if one without a name.
      if (!position) databases.resize(1);
    }
    for (auto& database : databases)
      set.sessions.push_back(sqlite::MakeSession(std::move(database)));
    return set;
  }

  Result<SourceFindings> Inspect(const SourceWish& wish) override {
    ARROW_ASSIGN_OR_RAISE(const auto database, OpenDatabase());
    SourceFindings seen;
    ARROW_ASSIGN_OR_RAISE(const std::string journal,
                          AskText(*database, "PRAGMA main.journal_mode"));
    ARROW_ASSIGN_OR_RAISE(const std::string encoding,
                          AskText(*database, "PRAGMA main.encoding"));
    const bool is_wal = journal == "wal";
    seen.findings.push_back(
        {.name = "journal_mode",
         .level = Level::kOk,
         .detail = is_wal ? "wal: writers and this reader do not wait for each other"
                          : journal + ": a writer waits to commit while a run reads"});
    seen.findings.push_back(
        {.name = "encoding",
         .level = Level::kOk,
         .detail = encoding == "UTF-8"
                       ? encoding
                       : encoding + ": only integer primary keys cut it into chunks"});
    seen.consistency = wish.consistency;
    seen.why = wish.consistency == Consistency::kPerChunk
                   ? "per-chunk, as asked for"
                   : "one snapshot: read transactions of one state of the file";
    seen.findings.push_back(
        {.name = "consistency", .level = Level::kOk, .detail = seen.why});
    return seen;
  }

  Result<std::shared_ptr<sqlite::Database>> OpenDatabase() const {
    const sqlite::OpenOptions open{.path = path_,
                                   .mode = sqlite::OpenMode::kReadOnly,
                                   .busy_timeout_millis = options_.busy_timeout_millis};
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<sqlite::Database> database,
                          sqlite::Database::Open(open, sqlite::Role::kSource));
    // cell_size_check finds a damaged page before its cells are believed.
    ARROW_RETURN_NOT_OK(database->Execute(fmt::format(
        "PRAGMA query_only=ON; PRAGMA cell_size_check=ON; PRAGMA cache_size=-{}",
        std::max<int64_t>(options_.cache_size / 1024, 64))));
    return database;
  }

 private:
  std::string path_;
  SqliteSourceOptions options_;
};

}  // namespace

Result<std::unique_ptr<Source>> OpenSqliteSource(const std::string& path,
                                                 const SqliteSourceOptions& options) {
  auto source = std::make_unique<SqliteSource>(path, options);
  ARROW_RETURN_NOT_OK(source->OpenDatabase().status());
  return source;
}

}  // namespace sluice
