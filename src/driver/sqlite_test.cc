#include "driver/sqlite.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <vector>

namespace sluice::sqlite {
namespace {

using ::testing::HasSubstr;

class SqliteDriver : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/sluice-driver-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name = "a.db") const {
    return folder_ + "/" + name;
  }
  std::unique_ptr<Database> Writer(const std::string& path) {
    auto opened =
        Database::Open({.path = path, .mode = OpenMode::kReadWriteCreate}, Role::kState);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return std::move(opened).ValueOr(nullptr);
  }
  void Make(const std::string& path, const std::string& sql) {
    const Status made = Writer(path)->Execute(sql);
    ASSERT_TRUE(made.ok()) << made;
  }
  static Result<std::unique_ptr<Database>> OpenSource(const std::string& path,
                                                      int busy_timeout_millis = 100) {
    return Database::Open({.path = path, .busy_timeout_millis = busy_timeout_millis},
                          Role::kSource);
  }
  static void ExpectError(const Status& status, ErrorKind kind, std::string_view id) {
    EXPECT_EQ(KindOf(status), kind) << status;
    EXPECT_EQ(IdOf(status), id) << status;
  }

  std::string folder_;
};

TEST_F(SqliteDriver, ReadsBackEveryStorageClass) {
  Make(Path(), "CREATE TABLE t(a,b,c,d,e); INSERT INTO t VALUES(1,2.5,'x',x'00ff',NULL)");
  auto database = OpenSource(Path()).ValueOrDie();
  Statement rows = database->Prepare("SELECT * FROM t").ValueOrDie();
  std::vector<Cell> cells(5);
  Status error;
  ASSERT_TRUE(rows.NextRow(cells.data(), &error));
  EXPECT_EQ(cells[0].integer, 1);
  EXPECT_EQ(cells[1].real, 2.5);
  EXPECT_EQ(cells[2].bytes(), "x");
  EXPECT_EQ(cells[3].bytes(), std::string_view("\0\xff", 2));
  EXPECT_EQ(cells[4].type, Type::kNull);
  EXPECT_FALSE(rows.NextRow(cells.data(), &error));
  EXPECT_TRUE(error.ok());
}

TEST_F(SqliteDriver, AMissingFileIsUsage) {
  ExpectError(OpenSource(Path("none.db")).status(), ErrorKind::kUsage,
              "source.no-such-file");
}

TEST_F(SqliteDriver, ADirectoryIsUsage) {
  ExpectError(OpenSource(folder_).status(), ErrorKind::kUsage, "source.is-a-directory");
}

TEST_F(SqliteDriver, AFileThatIsNoDatabaseIsFoundAtOpen) {
  std::ofstream(Path()) << "id,name\n1,one\n";
  ExpectError(OpenSource(Path()).status(), ErrorKind::kUsage, "source.not-a-database");
}

TEST_F(SqliteDriver, AStateFileThatIsNoDatabaseIsCorrupt) {
  std::ofstream(Path()) << std::string(5000, 'x');
  ExpectError(Database::Open({.path = Path(), .mode = OpenMode::kReadWrite}, Role::kState)
                  .status(),
              ErrorKind::kSource, "state.corrupt");
}

TEST_F(SqliteDriver, AnEmptyFileIsAnEmptyDatabase) {
  const std::ofstream empty(Path());
  EXPECT_TRUE(OpenSource(Path()).ok());
}

TEST_F(SqliteDriver, ADamagedPageIsCorrupt) {
  Make(Path(), "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
  std::fstream file(Path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(4096, '\xee');
  file.close();
  auto database = OpenSource(Path()).ValueOrDie();
  Statement rows = database->Prepare("SELECT * FROM t").ValueOrDie();
  ExpectError(rows.Step().status(), ErrorKind::kSource, "source.corrupt");
}

TEST_F(SqliteDriver, OddNamesAreNamesOfFiles) {
  for (const std::string name :
       {"file:x?mode=memory", ":memory:", "a%20b.db", "q'uote\".db", "ü\n.db"}) {
    Make(Path(name), "CREATE TABLE t(a)");
    EXPECT_TRUE(std::filesystem::exists(Path(name))) << name;
    EXPECT_TRUE(OpenSource(Path(name)).ok()) << name;
  }
}

TEST_F(SqliteDriver, ARelativeNameThatLooksLikeAUriIsAFile) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  Make("file:r.db?mode=memory", "CREATE TABLE t(a)");
  Make(":memory:", "CREATE TABLE t(a)");
  EXPECT_TRUE(OpenSource(":memory:").ValueOrDie()->Prepare("SELECT * FROM t").ok());
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::exists(Path("file:r.db?mode=memory")));
}

TEST_F(SqliteDriver, ADatabaseInWalModeIsReadable) {
  Make(Path(), "PRAGMA journal_mode=wal; CREATE TABLE t(a); INSERT INTO t VALUES(7)");
  auto database = OpenSource(Path()).ValueOrDie();
  Statement rows = database->Prepare("SELECT a FROM t").ValueOrDie();
  EXPECT_TRUE(rows.Step().ValueOrDie());
  EXPECT_EQ(rows.ColumnInt64(0), 7);
}

/// A process of its own that runs `sql` and holds its transaction until it is destroyed: locks of this
/// process are not seen by other connections of it in /proc/locks.
class LockingProcess {
 public:
  explicit LockingProcess(const std::string& path,
                          const std::string& sql = "BEGIN EXCLUSIVE") {
    int ready[2];
    if (pipe(ready) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      auto database =
          Database::Open({.path = path, .mode = OpenMode::kReadWrite}, Role::kState)
              .ValueOrDie();
      const bool locked = database->Execute(sql).ok();
      if (write(ready[1], "x", 1) != 1 || !locked) _exit(1);
      pause();
      _exit(0);
    }
    char byte;
    ready_ = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    close(ready[1]);
  }
  ~LockingProcess() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  bool ready() const { return ready_; }

 private:
  pid_t pid_ = -1;
  bool ready_ = false;
};

TEST_F(SqliteDriver, ALockedSourceIsTransientAndNamesTheHolderWhereTheKernelTells) {
  Make(Path(), "CREATE TABLE t(a)");
  LockingProcess other(Path());
  ASSERT_TRUE(other.ready());
  const Status status = OpenSource(Path(), 200).status();
  ExpectError(status, ErrorKind::kTransient, "source.locked");
  EXPECT_THAT(status.message(), HasSubstr("waited 0.2 s"));
  std::ifstream locks("/proc/locks");
  const std::string all(std::istreambuf_iterator<char>(locks), {});
  const std::string pid = std::to_string(other.pid());
  if (all.find(" " + pid + " ") != std::string::npos) {
    EXPECT_THAT(status.message(), HasSubstr("(pid " + pid + ")"));
  }
}

TEST_F(SqliteDriver, ALockedStateIsBusy) {
  Make(Path(), "CREATE TABLE t(a)");
  LockingProcess other(Path());
  ASSERT_TRUE(other.ready());
  const auto opened = Database::Open(
      {.path = Path(), .mode = OpenMode::kReadWrite, .busy_timeout_millis = 50},
      Role::kState);
  ExpectError(opened.status(), ErrorKind::kTransient, "state.busy");
}

TEST_F(SqliteDriver, WhatADeadWriterLeftHalfDoneNeedsRecovery) {
  Make(Path(),
       "CREATE TABLE t(a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
       "WHERE i<20000) INSERT INTO t SELECT i FROM n");
  {
    // A cache of one page makes it write into the file before it commits.
    LockingProcess dead(Path(),
                        "PRAGMA cache_size=1; BEGIN IMMEDIATE; UPDATE t SET a = -a");
    ASSERT_TRUE(dead.ready());
  }
  const Status status = OpenSource(Path()).status();
  ExpectError(status, ErrorKind::kSource, "source.needs-recovery");
  EXPECT_FALSE(HintOf(status).empty());
  Make(Path(), "SELECT 1");
  EXPECT_TRUE(OpenSource(Path()).ok());
}

TEST_F(SqliteDriver, SqlThatDoesNotParseIsUsage) {
  auto database = Writer(Path());
  ExpectError(database->Prepare("SELEC 1").status(), ErrorKind::kUsage, "state.sql");
  ExpectError(database->Prepare("SELECT 1; SELECT 2").status(), ErrorKind::kUsage,
              "state.sql");
  ExpectError(database->Prepare(" ").status(), ErrorKind::kUsage, "state.sql");
  EXPECT_TRUE(database->Prepare("SELECT 1 ; ").ok());
}

TEST_F(SqliteDriver, AMisspeltColumnInDoubleQuotesIsNotAString) {
  Make(Path(), "CREATE TABLE t(a)");
  auto database = OpenSource(Path()).ValueOrDie();
  ExpectError(database->Prepare("SELECT * FROM t WHERE \"b\" = 1").status(),
              ErrorKind::kUsage, "source.sql");
}

TEST_F(SqliteDriver, AValueAboveTheLimitIsAResourceErrorAndItsSizeIsKnown) {
  Make(
      Path(),
      "CREATE TABLE t(id INTEGER PRIMARY KEY, b); INSERT INTO t VALUES(3, zeroblob(300000))");
  auto database = OpenSource(Path()).ValueOrDie();
  database->LimitValueBytes(100'000);
  Statement rows = database->Prepare("SELECT b FROM t").ValueOrDie();
  ExpectError(rows.Step().status(), ErrorKind::kResource, "sqlite.too-big");
  EXPECT_EQ(database->ValueBytes("t", "b", 3), 300'000);
  EXPECT_EQ(database->ValueBytes("t", "id", 3), std::nullopt);
}

TEST_F(SqliteDriver, ABrokenConstraintSaysWhich) {
  auto database = Writer(Path());
  ASSERT_TRUE(
      database->Execute("CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES(1)").ok());
  const Status status = database->Execute("INSERT INTO t VALUES(1)");
  ExpectError(status, ErrorKind::kFailed, "sqlite.constraint");
  EXPECT_THAT(status.message(), HasSubstr("t.a"));
}

TEST_F(SqliteDriver, ACodeThatNobodyClassifiedIsNeverTransient) {
  auto database = Writer(Path());
  ASSERT_TRUE(database->Execute("CREATE TABLE t(id INTEGER PRIMARY KEY)").ok());
  // SQLITE_MISMATCH
  const Status status = database->Execute("INSERT INTO t VALUES('one')");
  ExpectError(status, ErrorKind::kFailed, "sqlite.failed");
  EXPECT_THAT(status.message(), HasSubstr("(code 20)"));
}

TEST_F(SqliteDriver, WithoutMemoryItIsAResourceError) {
  // The limit is the process's, and can only be lowered: it is set in one that ends with it.
  const pid_t child = fork();
  if (child == 0) {
    auto database = Writer(Path());
    if (!database->Execute("PRAGMA hard_heap_limit=1000000").ok()) _exit(1);
    const Status status = database->Execute("SELECT hex(zeroblob(5000000))");
    if (IdOf(status) != "sqlite.memory") _exit(2);
    _exit(ExitCodeOf(status) == 8 ? 42 : 3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST_F(SqliteDriver, AKeptStatementComesBackWithoutItsRowAndItsBindings) {
  auto database = Writer(Path());
  ASSERT_TRUE(database->Execute("CREATE TABLE t(a); INSERT INTO t VALUES(1),(2)").ok());
  constexpr char kSql[] = "SELECT a FROM t WHERE a >= coalesce(?, 2) ORDER BY a";
  sqlite3_stmt* first = nullptr;
  {
    Statement rows = database->PrepareKept(kSql).ValueOrDie();
    first = rows.handle();
    ASSERT_TRUE(rows.BindInt64(0, 1).ok());
    ASSERT_TRUE(rows.Step().ValueOrDie());
    EXPECT_EQ(rows.ColumnInt64(0), 1);
    // One that is in use is nobody else's.
    Statement other = database->PrepareKept(kSql).ValueOrDie();
    EXPECT_NE(other.handle(), first);
  }
  // It holds nothing: the table can be written and dropped.
  ASSERT_TRUE(database->Execute("DELETE FROM t WHERE a = 1").ok());
  Statement rows = database->PrepareKept(kSql).ValueOrDie();
  ASSERT_TRUE(rows.Step().ValueOrDie());
  EXPECT_EQ(rows.ColumnInt64(0), 2);
  EXPECT_FALSE(rows.Step().ValueOrDie());
}

TEST_F(SqliteDriver, AnInterruptCancelsTheCallInProgress) {
  auto database = Writer(Path());
  Statement endless =
      database
          ->Prepare(
              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
              "SELECT count(*) FROM n")
          .ValueOrDie();
  auto stepped = std::async(std::launch::async, [&] { return endless.Step().status(); });
  while (stepped.wait_for(std::chrono::milliseconds(5)) != std::future_status::ready)
    database->Interrupt();
  ExpectError(stepped.get(), ErrorKind::kCancelled, "state.cancelled");
}

TEST_F(SqliteDriver, AnInterruptEndsTheWaitForALock) {
  Make(Path(), "CREATE TABLE t(a)");
  auto database = OpenSource(Path(), 600'000).ValueOrDie();
  LockingProcess other(Path());
  ASSERT_TRUE(other.ready());
  auto waited = std::async(std::launch::async,
                           [&] { return database->Execute("SELECT * FROM t"); });
  while (waited.wait_for(std::chrono::milliseconds(5)) != std::future_status::ready)
    database->Interrupt();
  ExpectError(waited.get(), ErrorKind::kCancelled, "source.cancelled");
}

TEST_F(SqliteDriver, AReadOnlyDatabaseRefusesWrites) {
  Make(Path(), "CREATE TABLE t(a)");
  auto database = OpenSource(Path()).ValueOrDie();
  EXPECT_FALSE(database->Execute("DELETE FROM t").ok());
}

}  // namespace
}  // namespace sluice::sqlite
