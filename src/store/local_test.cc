#include "store/local.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "arrow/buffer.h"
#include "arrow/io/interfaces.h"
#include "base/crash_point.h"
#include "store/scratch_mount_test.h"
#include "testing/scratch_folder.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using std::chrono_literals::operator""h;
using Tree = std::map<std::string, int64_t>;

const StageTarget kTarget = {"m/t/L/part", "m/t/_sluice/staging/L/000001-000.a1.tmp",
                             "a1"};

class LocalStore : public ::testing::Test {
 protected:
  StagedObject Stage(const StageTarget& target, const std::string& bytes) {
    auto pending = store_->Begin(target).ValueOrDie();
    EXPECT_TRUE(pending->Write(bytes).ok());
    return pending->Stage().ValueOrDie();
  }
  void WriteFile(const std::string& name, const std::string& bytes) {
    fs::create_directories(fs::path(folder_.Path(name)).parent_path());
    std::ofstream(folder_.Path(name), std::ios::binary) << bytes;
  }
  Status Put(const std::string& path, std::string_view bytes = "x") {
    return store_->Put(path, bytes, PutMode::kCreateOnly).status();
  }

  ScratchFolder folder_;
  std::unique_ptr<Store> store_ = OpenLocalStore(folder_.path()).ValueOrDie();
};

void ExpectRefused(const Status& status, std::string_view id,
                   std::string_view says = "") {
  EXPECT_EQ(IdOf(status), id) << status.ToString();
  EXPECT_EQ(KindOf(status), ErrorKind::kDestination);
  EXPECT_NE(status.message().find(says), std::string::npos) << status.message();
}

TEST_F(LocalStore, ARootThatIsAbsentIsMade) {
  const std::string root = folder_.Path("a b/c/d");
  const auto store = OpenLocalStore(root + "//");
  ASSERT_TRUE(store.ok()) << store.status().ToString();
  EXPECT_EQ((*store)->Describe(), "file://" + folder_.path() + "/a%20b/c/d");
  EXPECT_TRUE(fs::is_directory(root));
}

TEST_F(LocalStore, ARootThatIsAFileIsRefused) {
  WriteFile("file", "x");
  ExpectRefused(OpenLocalStore(folder_.Path("file")).status(), "store.not-a-directory",
                "a file");
  ExpectRefused(OpenLocalStore(folder_.Path("file/below")).status(),
                "store.not-a-directory");
  ExpectRefused(OpenLocalStore("").status(), "store.bad-path");
}

TEST_F(LocalStore, AFullDiskIsSaidWithWhatIsFreeAndLeavesNothing) {
  OnASmallDisk([](ScratchMount& mount) {
    const auto store = OpenLocalStore(mount.path()).ValueOrDie();
    ASSERT_TRUE(store->Put("kept", "kept", PutMode::kCreateOnly).ok());
    auto pending = store->Begin(kTarget).ValueOrDie();
    const std::string bytes(3 << 20, 'x');
    const Status full = pending->Write(bytes);
    ExpectRefused(full, "store.disk-full", "bytes free");
    EXPECT_NE(full.message().find(mount.path()), std::string::npos) << full.message();
    EXPECT_FALSE(HintOf(full).empty());
    EXPECT_FALSE(pending->Stage().ok());
    pending.reset();
    ExpectRefused(store->Put("large", bytes, PutMode::kOverwrite).status(),
                  "store.disk-full");
    ExpectRefused(store->Put("kept", bytes, PutMode::kOverwrite).status(),
                  "store.disk-full");
    EXPECT_EQ(*store->Get("kept", 100), "kept");
    EXPECT_EQ(store->List("")->size(), 1u);
    EXPECT_TRUE(store->ListStaged("")->empty());
  });
}

TEST_F(LocalStore, AReadOnlyFilesystemIsSaidAndStillRead) {
  OnASmallDisk([](ScratchMount& mount) {
    const auto store = OpenLocalStore(mount.path()).ValueOrDie();
    auto pending = store->Begin(kTarget).ValueOrDie();
    const StagedObject staged = pending->Stage().ValueOrDie();
    ASSERT_TRUE(store->Put("m/x", "x", PutMode::kCreateOnly).ok());
    pending.reset();
    mount.MakeReadOnly();
    ExpectRefused(store->Put("m/y", "y", PutMode::kCreateOnly).status(),
                  "store.read-only");
    ExpectRefused(store->Begin({"m/z", "m/_sluice/staging/z.tmp", "a"}).status(),
                  "store.read-only");
    ExpectRefused(store->Publish(staged).status(), "store.read-only");
    ExpectRefused(store->Delete("m/x"), "store.read-only");
    ExpectRefused(store->Abort(staged), "store.read-only");
    ExpectRefused(store->Probe().status(), "store.read-only");
    EXPECT_EQ(*OpenLocalStore(mount.path()).ValueOrDie()->Get("m/x", 100), "x");
    ExpectRefused(OpenLocalStore(mount.path() + "/new").status(), "store.read-only");
  });
}

TEST_F(LocalStore, AMountThatVanishesIsNotWrittenAround) {
  OnASmallDisk([](ScratchMount& mount) {
    const auto store = OpenLocalStore(mount.path()).ValueOrDie();
    auto pending = store->Begin(kTarget).ValueOrDie();
    ASSERT_TRUE(pending->Write("rows").ok());
    mount.Vanish();
    ExpectRefused(pending->Stage().status(), "store.vanished", mount.path());
    ExpectRefused(store->Put("x", "x", PutMode::kCreateOnly).status(), "store.vanished");
    ExpectRefused(store->Begin({"z", "_sluice/staging/z.tmp", "a"}).status(),
                  "store.vanished");
    ExpectRefused(store->Head("x").status(), "store.vanished");
    ExpectRefused(store->List("").status(), "store.vanished");
    ExpectRefused(store->Delete("x"), "store.vanished");
    pending.reset();
    EXPECT_TRUE(fs::is_empty(mount.path()))
        << "the folder under the mount was written to";
  });
}

TEST_F(LocalStore, ARootThatIsRenamedOrMadeAnewIsNoticed) {
  const std::string root = folder_.Path("root");
  const auto store = OpenLocalStore(root).ValueOrDie();
  ASSERT_TRUE(store->Put("x", "x", PutMode::kCreateOnly).ok());
  fs::rename(root, folder_.Path("elsewhere"));
  ExpectRefused(store->Get("x", 10).status(), "store.vanished", "No such file");
  fs::create_directory(root);
  ExpectRefused(store->Put("x", "x", PutMode::kCreateOnly).status(), "store.vanished",
                "another directory");
  fs::remove(root);
  fs::rename(folder_.Path("elsewhere"), root);
  EXPECT_EQ(*store->Get("x", 10), "x");
  fs::remove_all(root);
  fs::create_directory(root);
  ExpectRefused(store->Put("x", "x", PutMode::kCreateOnly).status(), "store.vanished");
  EXPECT_TRUE(fs::is_empty(root));
}

TEST_F(LocalStore, ADirectoryWhereAFileShouldBeIsRefused) {
  fs::create_directories(folder_.Path("m/t/L/part"));
  WriteFile("m/t/L/part/users.txt", "kept");
  ExpectRefused(Put("m/t/L/part"), "store.not-a-directory", "a directory");
  ExpectRefused(store_->Put("m/t/L/part", "x", PutMode::kOverwrite).status(),
                "store.not-a-directory", "wanted a file");
  ExpectRefused(store_->Head("m/t/L/part").status(), "store.not-a-directory");
  ExpectRefused(store_->Get("m/t/L/part", 10).status(), "store.not-a-directory");
  ExpectRefused(store_->Read({"m/t/L/part", "", 0, 0}).status(), "store.not-a-directory");
  ExpectRefused(store_->Delete("m/t/L/part"), "store.not-a-directory");
  ExpectRefused(store_->Publish(Stage(kTarget, "rows")).status(), "store.not-a-directory",
                folder_.Path("m/t/L/part"));
  EXPECT_EQ(*store_->Get("m/t/L/part/users.txt", 10), "kept");
}

TEST_F(LocalStore, AFileWhereADirectoryShouldBeIsRefused) {
  WriteFile("m", "users");
  ExpectRefused(Put("m/x"), "store.not-a-directory",
                "a file there: " + folder_.Path("m"));
  ExpectRefused(store_->Begin(kTarget).status(), "store.not-a-directory");
  ExpectRefused(store_->Head("m/x").status(), "store.not-a-directory");
  ExpectRefused(store_->List("m").status(), "store.not-a-directory");
  EXPECT_EQ(folder_.Tree(), (Tree{{"m", 5}}));
}

TEST_F(LocalStore, SymbolicLinksBelowTheRootAreNotFollowed) {
  ScratchFolder outside;
  ASSERT_EQ(symlink(outside.path().c_str(), folder_.Path("m").c_str()), 0);
  WriteFile("secret", "s");
  ASSERT_EQ(symlink(folder_.Path("secret").c_str(), folder_.Path("x").c_str()), 0);
  ExpectRefused(Put("m/x"), "store.not-a-directory", "a symbolic link");
  ExpectRefused(store_->Begin(kTarget).status(), "store.not-a-directory");
  ExpectRefused(store_->Get("x", 10).status(), "store.not-a-directory",
                "a symbolic link");
  EXPECT_EQ(store_->List("")->size(), 1u) << "only the file itself";
  EXPECT_TRUE(outside.Tree().empty());
  ASSERT_TRUE(store_->Delete("x").ok());
  EXPECT_EQ(*store_->Get("secret", 10), "s");
}

TEST_F(LocalStore, ARootReachedThroughASymbolicLinkIsARoot) {
  ScratchFolder target;
  ASSERT_EQ(symlink(target.path().c_str(), folder_.Path("link").c_str()), 0);
  const auto store = OpenLocalStore(folder_.Path("link")).ValueOrDie();
  EXPECT_TRUE(store->Put("x", "x", PutMode::kCreateOnly).ok());
  EXPECT_EQ(target.Tree(), (Tree{{"x", 1}}));
}

TEST_F(LocalStore, AForbiddenFolderIsSaidWithTheUser) {
  fs::create_directory(folder_.Path("locked"));
  ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(folder_.Path("locked").c_str(), 0555), 0);
  const Unprivileged nobody;
  ExpectRefused(Put("locked/x"), "store.permission", "user " + std::to_string(geteuid()));
  ExpectRefused(store_->Begin({"locked/y", "locked/_sluice/staging/y.tmp", "a"}).status(),
                "store.permission", folder_.Path("locked"));
}

TEST_F(LocalStore, AnOverlongNameIsSaid) {
  const std::string name(300, 'n');
  ExpectRefused(Put(name), "store.name-too-long", name);
  ExpectRefused(Put(name + "/x"), "store.name-too-long", name);
  EXPECT_TRUE(folder_.Tree().empty());
}

TEST_F(LocalStore, EmptiedFoldersGoAndOthersStay) {
  WriteFile("users/file", "x");
  const StagedObject staged = Stage(kTarget, "rows");
  ASSERT_TRUE(store_->Publish(staged).ok());
  EXPECT_EQ(folder_.Tree(), (Tree{{"users/file", 1},
                                  {"m/t/L/part", 4},
                                  {"m/t/_sluice/staging/L/000001-000.a1.tmp", 4}}));
  ASSERT_TRUE(store_->Abort(staged).ok());
  EXPECT_EQ(folder_.Tree(), (Tree{{"users/file", 1}, {"m/t/L/part", 4}}));
  ASSERT_TRUE(Put("m/t/_sluice/L.json").ok());
  ASSERT_TRUE(store_->Delete("m/t/L/part").ok());
  EXPECT_EQ(folder_.Tree(), (Tree{{"users/file", 1}, {"m/t/_sluice/L.json", 1}}));
  ASSERT_TRUE(store_->Delete("m/t/_sluice/L.json").ok());
  EXPECT_EQ(folder_.Tree(), (Tree{{"users/file", 1}}));
  ASSERT_TRUE(store_->Delete("users/file").ok());
  EXPECT_TRUE(fs::is_directory(folder_.path())) << "the root stays";
}

TEST_F(LocalStore, TheNameLeftByAPublishAndByAKilledPutAreLeftovers) {
  ASSERT_TRUE(store_->Publish(Stage(kTarget, "rows")).ok());
  WriteFile("m/t/_sluice/staging/put-0123456789abcdef.tmp", "half");
  const auto all = store_->ListStaged("m/t").ValueOrDie();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].path, kTarget.staging_path);
  EXPECT_EQ(all[0].attempt, "a1");
  EXPECT_EQ(all[1].path, "m/t/_sluice/staging/put-0123456789abcdef.tmp");
  EXPECT_EQ(all[1].attempt, "");
  EXPECT_EQ(store_->ListStaged("m/t/L")->size(), 1u);
  EXPECT_EQ(store_->ListStaged("m/t/_sluice/staging/L")->size(), 1u);
  for (const StagedObject& leftover : all) EXPECT_TRUE(store_->Abort(leftover).ok());
  EXPECT_EQ(folder_.Tree(), (Tree{{"m/t/L/part", 4}}));
}

TEST_F(LocalStore, APutIsDoneThoughItsFileIsTakenForALeftover) {
  std::atomic<bool> over = false;
  int collected = 0;
  std::thread collector([&] {
    const auto other = OpenLocalStore(folder_.path()).ValueOrDie();
    while (!over) {
      const auto staged = other->ListStaged("m/t");
      if (!staged.ok()) continue;
      for (const StagedObject& leftover : *staged)
        collected += other->Abort(leftover).ok() ? 1 : 0;
    }
  });
  for (int i = 0; i < 200; ++i) {
    const Status put = Put(fmt::format("m/t/_sluice/L{}.json", i));
    EXPECT_TRUE(put.ok()) << put.ToString();
  }
  over = true;
  collector.join();
  EXPECT_GT(collected, 0);
  EXPECT_EQ(folder_.Tree().size(), 200U);
}

TEST_F(LocalStore, AnAttemptIsWrittenOnce) {
  Stage(kTarget, "first");
  ExpectRefused(store_->Begin(kTarget).status(), "store.staging-taken");
  EXPECT_EQ(store_->ListStaged("")->at(0).size, 5);
}

TEST_F(LocalStore, AStagedFileThatWasChangedIsNotPublished) {
  const StagedObject staged = Stage(kTarget, "rows");
  for (const char* other : {"rows and more", "swap", ""}) {
    WriteFile(kTarget.staging_path, other);
    // The clock of a filesystem may stand still for some milliseconds.
    fs::last_write_time(folder_.Path(kTarget.staging_path),
                        fs::file_time_type::clock::now() + 1h);
    ExpectRefused(store_->Publish(staged).status(), "store.staged-gone",
                  "no longer the one");
  }
  fs::remove(folder_.Path(kTarget.staging_path));
  WriteFile("m/t/_sluice/staging/L/other", "swap");
  fs::last_write_time(folder_.Path("m/t/_sluice/staging/L/other"),
                      fs::file_time_type::clock::now() + 2h);
  fs::rename(folder_.Path("m/t/_sluice/staging/L/other"),
             folder_.Path(kTarget.staging_path));
  ExpectRefused(store_->Publish(staged).status(), "store.staged-gone");
  EXPECT_TRUE(store_->List("")->empty());
}

TEST_F(LocalStore, AStagedFileThatWasRestoredIsPublishedByItsBytes) {
  const StagedObject staged = Stage(kTarget, "rows");
  const std::string at = folder_.Path(kTarget.staging_path);
  fs::copy_file(at, at + ".copy");
  fs::rename(at + ".copy", at);
  const auto ref = store_->Publish(staged);
  ASSERT_TRUE(ref.ok()) << ref.status().ToString();
  EXPECT_TRUE(store_->Read(*ref).ok());
}

TEST_F(LocalStore, AnInodeUsedAgainIsNotTakenForOurs) {
  const StagedObject staged = Stage(kTarget, "ours");
  ASSERT_TRUE(store_->Abort(staged).ok());
  WriteFile("m/t/L/part", "else");
  struct stat seen {};
  ASSERT_EQ(stat(folder_.Path("m/t/L/part").c_str(), &seen), 0);
  StagedObject same_inode = staged;
  same_inode.token = std::to_string(seen.st_dev) + ":" + std::to_string(seen.st_ino) +
                     ":1:" + kTarget.staging_path;
  ExpectRefused(store_->Publish(same_inode).status(), "store.name-taken");
}

TEST_F(LocalStore, ATokenThatIsNotOneIsRefused) {
  StagedObject staged = Stage(kTarget, "rows");
  for (const char* token :
       {"", "1:2:3", "1:2:3:", "1:x:3:_sluice/staging/a", "1:2:3:m/t/L/part",
        "1:2:3:_sluice/staging/../../x", "1:2:3:/_sluice/staging/a"}) {
    staged.token = token;
    ExpectRefused(store_->Publish(staged).status(), "store.bad-token");
    ExpectRefused(store_->Abort(staged), "store.bad-token");
  }
}

TEST_F(LocalStore, AFileThatShrinksUnderItsReaderIsSaid) {
  const auto ref = store_->Publish(Stage(kTarget, "0123456789")).ValueOrDie();
  auto file = store_->Read(ref).ValueOrDie();
  store_.reset();
  EXPECT_EQ((*file->ReadAt(2, 3))->ToString(), "234") << "a reader outlives its store";
  fs::resize_file(folder_.Path("m/t/L/part"), 4);
  ExpectRefused(file->ReadAt(2, 5).status(), "store.object-changed");
  ASSERT_TRUE(file->Close().ok());
  EXPECT_FALSE(file->ReadAt(0, 1).ok());
}

TEST_F(LocalStore, DyingHalfWayLeavesTheOrphanAndDyingStagedLeavesTheWholeFile) {
  std::vector<std::pair<CrashPoint, int64_t>> passed;
  SetCrashHook([&](CrashPoint point) {
    passed.emplace_back(point, folder_.Tree()[kTarget.staging_path]);
    return point == CrashPoint::kUploadStaged ? Status::Cancelled("dead") : Status::OK();
  });
  auto pending = store_->Begin(kTarget).ValueOrDie();
  EXPECT_TRUE(pending->Write("").ok());
  EXPECT_TRUE(pending->Write("PAR1").ok());
  EXPECT_TRUE(pending->Write("rows").ok());
  EXPECT_FALSE(pending->Stage().ok());
  SetCrashHook(nullptr);
  pending.reset();
  using Passed = std::vector<std::pair<CrashPoint, int64_t>>;
  EXPECT_EQ(passed,
            (Passed{{CrashPoint::kUploadHalf, 4}, {CrashPoint::kUploadStaged, 8}}));
  EXPECT_EQ(folder_.Tree(), (Tree{{kTarget.staging_path, 8}}));
}

TEST_F(LocalStore, ManyThreadsStagePublishAbortAndListAtOnce) {
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      for (int round = 0; round < 25; ++round) {
        const std::string name = std::to_string(round);
        const std::string attempt = name + "." + std::to_string(i);
        const StagedObject staged = Stage(
            {"t/L/" + name, "t/_sluice/staging/L/" + attempt + ".tmp", attempt}, attempt);
        const Status published = store_->Publish(staged).status();
        ASSERT_TRUE(published.ok() || IdOf(published) == "store.name-taken")
            << published.ToString();
        ASSERT_TRUE(store_->Abort(staged).ok());
        for (const ObjectInfo& object : store_->List("").ValueOrDie()) {
          ASSERT_GE(object.size, 3) << object.path;
        }
        ASSERT_TRUE(store_->ListStaged("t").ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_->List("")->size(), 25u);
  EXPECT_TRUE(store_->ListStaged("")->empty());
}

}  // namespace
}  // namespace sluice
