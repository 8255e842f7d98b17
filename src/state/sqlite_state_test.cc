#include "state/sqlite_state.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include "state/run_table.h"
#include "state/state_file.h"
#include "state/stopped_clock_test.h"
#include "testing/scratch_folder.h"
#include "testing/state_samples.h"
#include "testing/state_store_conformance.h"

namespace sluice {
namespace {

using state::MustExecute;

class SqliteWorld : public StateStoreWorld {
 public:
  Result<std::unique_ptr<StateStore>> Open() override {
    return OpenSqliteState(clock_.options());
  }
  void AdvanceClock(int64_t millis) override { clock_.Advance(millis); }

 private:
  ScratchFolder folder_{ScratchPlace::kMemory};
  state::StoppedClock clock_{folder_.Path("state.db")};
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StateStoreConformance,
                         testing::Values(StateStoreCase{
                             "File", [] { return std::make_unique<SqliteWorld>(); }}),
                         StateStoreCaseName);

std::string BytesOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

mode_t ModeOf(const std::string& path) {
  struct stat found {};
  EXPECT_EQ(stat(path.c_str(), &found), 0) << path;
  return found.st_mode & 0777;
}

std::set<std::string> NamesIn(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.insert(entry.path().filename());
  }
  return names;
}

/// A state with one open load of two chunks, its log folded into the file.
void WriteSample(const std::string& path) {
  auto store = *OpenSqliteState({.path = path});
  const Lease lease = *store->Acquire("job", {.run = "run-1"});
  EXPECT_OK(store->OpenLoad(lease, NewLoad("job", "load-1", "orders")));
  for (int ordinal = 1; ordinal <= 2; ++ordinal) {
    EXPECT_OK(store->AddChunk(lease, "load-1", ChunkAt(ordinal, ordinal == 2)));
    EXPECT_OK(store->BeginAttempt(lease, "load-1", ordinal, "a"));
    EXPECT_OK(store->MarkStaged(lease, ReceiptOf("load-1", ordinal, "a")));
  }
  EXPECT_OK(store->Release(lease));
}

TEST(SqliteState, ANewStateIsReadableByItsOwnerOnly) {
  ScratchFolder folder{ScratchPlace::kMemory};
  const std::string path = folder.Path("a/b/state.db");
  auto store = *OpenSqliteState({.path = path});
  ASSERT_TRUE(store->Acquire("job", {}).ok());
  EXPECT_EQ(ModeOf(folder.Path("a")), 0700u);
  EXPECT_EQ(ModeOf(folder.Path("a/b")), 0700u);
  EXPECT_EQ(ModeOf(path), 0600u);
  EXPECT_EQ(ModeOf(path + "-wal"), 0600u);
  EXPECT_EQ(ModeOf(path + ".locks"), 0700u);
  EXPECT_EQ(ModeOf(path + ".locks/job.1.lock"), 0600u);
  EXPECT_EQ(store->Describe(), "sqlite:" + path);
}

TEST(SqliteState, EveryWriteIsSyncedToDisk) {
  ScratchFolder folder{ScratchPlace::kMemory};
  auto file = *state::StateFile::Open({.path = folder.Path("state.db")});
  auto statement = *file->database().Prepare("PRAGMA synchronous");
  ASSERT_TRUE(*statement.Step());
  EXPECT_EQ(statement.ColumnInt64(0), 2);
  auto journal = *file->database().Prepare("PRAGMA journal_mode");
  ASSERT_TRUE(*journal.Step());
  EXPECT_EQ(journal.ColumnText(0), "wal");
}

TEST(SqliteState, AnEmptyFileBecomesAState) {
  ScratchFolder folder{ScratchPlace::kMemory};
  WriteBytes(folder.Path("state.db"), "");
  EXPECT_OK(OpenSqliteState({.path = folder.Path("state.db")}).status());
  EXPECT_OK(OpenSqliteState({.path = folder.Path("state.db"), .create = false}).status());
}

TEST(SqliteState, WithoutCreateAMissingFileIsAUsageErrorAndNothingIsMade) {
  ScratchFolder folder{ScratchPlace::kMemory};
  EXPECT_REFUSED(
      OpenSqliteState({.path = folder.Path("x/state.db"), .create = false}).status(),
      ErrorKind::kUsage, "state.no-such-file");
  EXPECT_REFUSED(
      OpenSqliteState({.path = folder.Path("x/state.db"), .read_only = true}).status(),
      ErrorKind::kUsage, "state.no-such-file");
  EXPECT_TRUE(NamesIn(folder.path()).empty());
}

TEST(SqliteState, AFolderOrADeviceIsAUsageError) {
  ScratchFolder folder{ScratchPlace::kMemory};
  EXPECT_EQ(KindOf(OpenSqliteState({.path = folder.path()}).status()), ErrorKind::kUsage);
  EXPECT_EQ(KindOf(OpenSqliteState({.path = "/dev/null"}).status()), ErrorKind::kUsage);
  EXPECT_EQ(KindOf(OpenSqliteState({.path = ""}).status()), ErrorKind::kUsage);
  WriteBytes(folder.Path("file"), "x");
  EXPECT_EQ(KindOf(OpenSqliteState({.path = folder.Path("file/state.db")}).status()),
            ErrorKind::kUsage);
}

TEST(SqliteState, AStateOfANewerVersionIsRefusedAndSaysWhichProgramReadsIt) {
  ScratchFolder folder{ScratchPlace::kMemory};
  const std::string path = folder.Path("state.db");
  WriteSample(path);
  MustExecute(path, "PRAGMA user_version=7; UPDATE about SET value='9.8.7'");
  const std::string before = BytesOf(path);
  for (bool read_only : {false, true}) {
    const Status status =
        OpenSqliteState({.path = path, .read_only = read_only}).status();
    EXPECT_REFUSED(status, ErrorKind::kUsage, "state.newer");
    EXPECT_EQ(ExitCodeOf(status), 2);
    EXPECT_NE(HintOf(status).find("9.8.7"), std::string::npos) << HintOf(status);
  }
  EXPECT_EQ(BytesOf(path), before);
}

TEST(SqliteState, SomebodyElsesDatabaseIsRefusedAndLeftAsItIs) {
  ScratchFolder folder{ScratchPlace::kMemory};
  const std::string path = folder.Path("shop.db");
  MustExecute(path, "CREATE TABLE orders (id INTEGER PRIMARY KEY)");
  const std::string before = BytesOf(path);
  const Status status = OpenSqliteState({.path = path}).status();
  EXPECT_REFUSED(status, ErrorKind::kSource, "state.corrupt");
  EXPECT_EQ(ExitCodeOf(status), 6);
  EXPECT_EQ(BytesOf(path), before);
  EXPECT_EQ(NamesIn(folder.path()), std::set<std::string>{"shop.db"});
  MustExecute(path, "PRAGMA application_id=77");
  EXPECT_REFUSED(OpenSqliteState({.path = path}).status(), ErrorKind::kSource,
                 "state.corrupt");
}

TEST(SqliteState, AFileThatIsNoDatabaseIsCorruptAndTheHintSaysWhatIsLost) {
  ScratchFolder folder{ScratchPlace::kMemory};
  WriteBytes(folder.Path("state.db"), std::string(5000, 'x'));
  const Status status = OpenSqliteState({.path = folder.Path("state.db")}).status();
  EXPECT_REFUSED(status, ErrorKind::kSource, "state.corrupt");
  EXPECT_NE(HintOf(status).find("move it away"), std::string::npos);
  EXPECT_NE(HintOf(status).find("Lost are"), std::string::npos);
}

TEST(SqliteState, ATruncatedFileIsCorrupt) {
  ScratchFolder folder{ScratchPlace::kMemory};
  WriteSample(folder.Path("state.db"));
  const std::string bytes = BytesOf(folder.Path("state.db"));
  for (size_t size :
       {bytes.size() / 2, bytes.size() - 4096, size_t{4096}, size_t{100}, size_t{7}}) {
    WriteBytes(folder.Path("state.db"), bytes.substr(0, size));
    EXPECT_REFUSED(OpenSqliteState({.path = folder.Path("state.db")}).status(),
                   ErrorKind::kSource, "state.corrupt");
  }
}

/// Nothing crashes, nothing is taken for transient.
TEST(SqliteState, FlippedBytesAreNeverMistakenForAnythingButDamage) {
  ScratchFolder folder{ScratchPlace::kMemory};
  WriteSample(folder.Path("state.db"));
  const std::string bytes = BytesOf(folder.Path("state.db"));
  int refused = 0, tried = 0;
  for (size_t at = 0; at < bytes.size(); at += at < 200 ? 1 : 499, ++tried) {
    std::string damaged = bytes;
    for (size_t i = at; i < std::min(at + 8, bytes.size()); ++i) damaged[i] ^= '\x55';
    WriteBytes(folder.Path("damaged.db"), damaged);
    auto store = OpenSqliteState({.path = folder.Path("damaged.db"), .read_only = true});
    Status status = store.status();
    if (status.ok()) status = (*store)->FindLoad("load-1").status();
    if (status.ok()) continue;
    ++refused;
    EXPECT_TRUE(KindOf(status) == ErrorKind::kSource || IdOf(status) == "state.newer" ||
                IdOf(status) == "state.no-such-file")
        << at << ": " << status.ToString();
  }
  EXPECT_GT(refused, tried / 20);
}

TEST(SqliteState, MalformedContentIsCorruptAndNamesTheLoad) {
  ScratchFolder folder{ScratchPlace::kMemory};
  for (const char* damage :
       {"UPDATE loads SET spec = '{'", "UPDATE loads SET table_info = '[]'",
        "UPDATE loads SET phase = 'half'", "UPDATE loads SET consistency = 'so-so'",
        "UPDATE loads SET last_key = '7'", "UPDATE attempts SET receipt = 'x'",
        "DELETE FROM chunks WHERE ordinal = 1", "UPDATE loads SET load = 'load-2'"}) {
    SCOPED_TRACE(damage);
    const std::string path = folder.Path("state.db");
    WriteSample(path);
    MustExecute(path, std::string("PRAGMA foreign_keys=OFF; ") + damage);
    auto store = *OpenSqliteState({.path = path});
    const Status status = store->Loads("job", 9).status();
    EXPECT_REFUSED(status, ErrorKind::kSource, "state.corrupt");
    EXPECT_NE(status.message().find("load-"), std::string::npos) << status.message();
    EXPECT_FALSE(HintOf(status).empty());
    store.reset();
    std::filesystem::remove(path);
  }
}

TEST(SqliteState, AMissingTableIsCorrupt) {
  ScratchFolder folder{ScratchPlace::kMemory};
  WriteSample(folder.Path("state.db"));
  MustExecute(folder.Path("state.db"), "DROP TABLE runs");
  auto store = *OpenSqliteState({.path = folder.Path("state.db")});
  EXPECT_REFUSED(store->Runs("job", 1).status(), ErrorKind::kSource, "state.corrupt");
}

TEST(SqliteState, AFileThatIsEditedWhileItIsInUseHasChanged) {
  ScratchFolder folder{ScratchPlace::kMemory};
  const std::string path = folder.Path("state.db");
  auto store = *OpenSqliteState({.path = path});
  EXPECT_OK(store->Runs("job", 1).status());
  MustExecute(path, "DROP TABLE runs");
  const Status changed = store->Runs("job", 1).status();
  EXPECT_REFUSED(changed, ErrorKind::kSource, "state.changed");
  EXPECT_FALSE(HintOf(changed).empty());
  // Whoever opens it now finds what was made of it.
  store = *OpenSqliteState({.path = path});
  EXPECT_REFUSED(store->Runs("job", 1).status(), ErrorKind::kSource, "state.corrupt");
}

TEST(SqliteState, AClockWithoutTheTimeGrantsNoLease) {
  ScratchFolder folder{ScratchPlace::kMemory};
  auto store = *OpenSqliteState({.path = folder.Path("state.db"), .now_sql = "0"});
  EXPECT_REFUSED(store->Acquire("job", {}).status(), ErrorKind::kFailed, "state.clock");
  EXPECT_REFUSED(store->Holder("job").status(), ErrorKind::kFailed, "state.clock");
}

TEST(SqliteState, ALockedStateIsBusyAndMayBeTriedAgain) {
  ScratchFolder folder{ScratchPlace::kMemory};
  const std::string path = folder.Path("state.db");
  auto store = *OpenSqliteState({.path = path, .busy_timeout_millis = 20});
  auto writer = state::OpenPlain(path);
  EXPECT_OK(writer->Execute("BEGIN IMMEDIATE"));
  EXPECT_REFUSED(store->Acquire("job", {}).status(), ErrorKind::kTransient, "state.busy");
  EXPECT_OK(store->Runs("job", 1).status());
  EXPECT_OK(writer->Execute("ROLLBACK"));
  EXPECT_OK(store->Acquire("job", {}).status());
}

TEST(SqliteState, OpenedForReadingItMakesNoFileAndRefusesWrites) {
  ScratchFolder folder{ScratchPlace::kMemory};
  const std::string path = folder.Path("state.db");
  WriteSample(path);
  std::filesystem::remove_all(path + ".locks");
  ASSERT_EQ(NamesIn(folder.path()), std::set<std::string>{"state.db"});
  const std::string before = BytesOf(path);
  {
    auto store = *OpenSqliteState({.path = path, .read_only = true});
    EXPECT_EQ(store->Loads("", 9)->size(), 1u);
    EXPECT_FALSE((*store->Holder("job"))->held);
    EXPECT_REFUSED(store->Acquire("job", {}).status(), ErrorKind::kUsage,
                   "state.opened-read-only");
    EXPECT_REFUSED(store->SaveProbe("d", {}), ErrorKind::kUsage,
                   "state.opened-read-only");
    EXPECT_EQ(NamesIn(folder.path()), std::set<std::string>{"state.db"});
  }
  EXPECT_EQ(NamesIn(folder.path()), std::set<std::string>{"state.db"});
  EXPECT_EQ(BytesOf(path), before);
}

TEST(SqliteState, AReaderSeesWhatAWriterCommitsMeanwhile) {
  ScratchFolder folder{ScratchPlace::kMemory};
  const std::string path = folder.Path("state.db");
  WriteSample(path);
  auto reader = *OpenSqliteState({.path = path, .read_only = true});
  EXPECT_EQ(reader->Runs("", 9)->size(), 0u);
  auto writer = *OpenSqliteState({.path = path});
  const Lease lease = *writer->Acquire("job", {.run = "run-2"});
  EXPECT_OK(writer->BeginRun(lease, {.run = "run-2"}));
  EXPECT_EQ(reader->Runs("", 9)->size(), 1u);
  EXPECT_TRUE((*reader->Holder("job"))->held);
  auto second_reader = *OpenSqliteState({.path = path, .read_only = true});
  EXPECT_EQ(second_reader->Runs("", 9)->size(), 1u);
  EXPECT_OK(writer->BeginRun(lease, {.run = "run-3"}));
  writer.reset();
  EXPECT_EQ(reader->Runs("", 9)->size(), 2u);
  EXPECT_EQ(second_reader->Runs("", 9)->size(), 2u);
}

TEST(SqliteState, TheDefaultClockTellsTheTime) {
  ScratchFolder folder{ScratchPlace::kMemory};
  auto store = *OpenSqliteState({.path = folder.Path("state.db")});
  const Lease lease = *store->Acquire("job", {.ttl_millis = 60'000});
  EXPECT_OK(store->BeginRun(lease, {.run = "run-1"}));
  EXPECT_GT(store->Runs("job", 1)->at(0).started_millis, 1'700'000'000'000);
  const int64_t left = (*store->Holder("job"))->expires_in_millis;
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 60'000);
}

TEST(SqliteState, OldDoneLoadsLoseTheirChunksButTheNewestOfEachStreamKeepsThem) {
  ScratchFolder folder{ScratchPlace::kMemory};
  auto store = *OpenSqliteState({.path = folder.Path("state.db")});
  const Lease lease = *store->Acquire("job", {});
  auto plain = state::OpenPlain(folder.Path("state.db"));
  const auto finish = [&](const std::string& load, const std::string& stream, Phase end) {
    EXPECT_OK(store->OpenLoad(lease, NewLoad("job", load, stream)));
    EXPECT_OK(store->AddChunk(lease, load, ChunkAt(1, true)));
    EXPECT_OK(plain->Execute(std::string("UPDATE loads SET phase = '") + ToString(end) +
                             "' WHERE load = '" + load + "'"));
  };
  EXPECT_OK(store->BeginRun(lease, {.run = "run-1"}));
  finish("rare", "rare", Phase::kCleaned);
  finish("old", "orders", Phase::kCleaned);
  finish("discarded", "orders", Phase::kDiscarded);
  finish("open", "orders", Phase::kPublished);
  for (int i = 0; i < state::kDoneLoadsMax; ++i) {
    finish("load-" + std::to_string(i), "orders", Phase::kCleaned);
  }
  EXPECT_OK(store->EndRun(lease, "run-1", 0, "{}"));
  EXPECT_EQ((*store->FindLoad("rare"))->chunks.size(), 1u);
  EXPECT_EQ((*store->FindLoad("old"))->chunks.size(), 0u);
  EXPECT_FALSE(store->FindLoad("discarded")->has_value());
  EXPECT_EQ((*store->FindLoad("open"))->chunks.size(), 1u);
  EXPECT_EQ((*store->FindLoad("load-0"))->chunks.size(), 1u);
  EXPECT_EQ(store->Loads("job", 1000)->size(), state::kDoneLoadsMax + 3u);
}

}  // namespace
}  // namespace sluice
