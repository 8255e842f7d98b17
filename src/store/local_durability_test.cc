#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>

#include "arrow/buffer.h"
#include "arrow/io/interfaces.h"
#include "store/local.h"
#include "store/system_calls_test.h"
#include "testing/scratch_folder.h"
#include "testing/store_conformance.h"

namespace sluice {
namespace {

const StageTarget kTarget = {"m/t/L/part", "m/t/_sluice/staging/L/part.a1.tmp", "a1"};

class LocalDurability : public ::testing::Test {
 protected:
  StagedObject Stage(const std::string& bytes) {
    auto pending = store_->Begin(kTarget).ValueOrDie();
    EXPECT_TRUE(pending->Write(bytes).ok());
    return pending->Stage().ValueOrDie();
  }

  /// Position of the first call of that name and path at or after `from`; the end if
  /// there is none.
  size_t Find(const std::string& name, const std::string& path, size_t from = 0) {
    const auto calls = script_.Calls();
    const auto begin =
        calls.begin() + static_cast<std::ptrdiff_t>(std::min(from, calls.size()));
    return static_cast<size_t>(std::find(begin, calls.end(), SystemCall{name, path}) -
                               calls.begin());
  }
  bool Happened(size_t position) { return position < script_.Calls().size(); }

  /// Every name that came or went is durable in its folder afterwards.
  void ExpectNamesAreDurable() {
    const auto calls = script_.Calls();
    for (size_t i = 0; i < calls.size(); ++i) {
      const auto& [name, path] = calls[i];
      if (name == "fsync") continue;
      std::string folder = path;
      bool durable = false;
      // A folder that was removed itself is durable in the folder above.
      while (!durable && !folder.empty()) {
        const size_t slash = folder.rfind('/');
        folder = slash == std::string::npos ? "" : folder.substr(0, slash);
        durable = Happened(Find("fsync", folder, i));
        if (!Happened(Find("unlink", folder, i))) break;
      }
      EXPECT_TRUE(durable) << name << " " << path;
    }
  }

  void FailEvery(const std::string& name, int error) {
    script_.FailBy([=](const SystemCall& call) { return call.name == name ? error : 0; });
  }

  ScratchFolder folder_{ScratchPlace::kMemory};
  std::unique_ptr<Store> store_ = OpenLocalStore(folder_.path()).ValueOrDie();
  SystemCallScript script_{folder_.path()};
};

TEST_F(LocalDurability, AStagedFileIsSyncedThenItsNameAndEveryFolderMade) {
  Stage("rows");
  const size_t file = Find("fsync", kTarget.staging_path);
  EXPECT_TRUE(Happened(file));
  EXPECT_TRUE(Happened(Find("fsync", "m/t/_sluice/staging/L", file)));
  ExpectNamesAreDurable();
}

TEST_F(LocalDurability, APublishedNameIsSyncedAfterItIsLinked) {
  const StagedObject staged = Stage("rows");
  ASSERT_TRUE(store_->Publish(staged).ok());
  const size_t link = Find("link", kTarget.path);
  EXPECT_LT(Find("fsync", kTarget.staging_path), link);
  EXPECT_TRUE(Happened(Find("fsync", "m/t/L", link)));
  ASSERT_TRUE(store_->Abort(staged).ok());
  ASSERT_TRUE(store_->Delete(kTarget.path).ok());
  ExpectNamesAreDurable();
}

TEST_F(LocalDurability, AnAdoptedNameIsSyncedToo) {
  const StagedObject staged = Stage("rows");
  ASSERT_TRUE(store_->Publish(staged).ok());
  const size_t before = script_.Calls().size();
  // Another process: the one that published may have died before it was durable.
  const auto other = OpenLocalStore(folder_.path()).ValueOrDie();
  ASSERT_TRUE(other->Publish(staged).ok());
  EXPECT_TRUE(Happened(Find("fsync", kTarget.path, before)));
  EXPECT_TRUE(Happened(Find("fsync", "m/t/L", before)));
  EXPECT_TRUE(Happened(Find("fsync", "m/t", before)));
}

TEST_F(LocalDurability, AFolderIsMadeDurableOnceAndAgainWhenItIsMadeAnew) {
  ASSERT_TRUE(store_->Put("m/t/1", "x", PutMode::kCreateOnly).ok());
  size_t before = script_.Calls().size();
  ASSERT_TRUE(store_->Put("m/t/2", "x", PutMode::kCreateOnly).ok());
  EXPECT_FALSE(Happened(Find("fsync", "m", before)));
  EXPECT_TRUE(Happened(Find("fsync", "m/t", before)));
  std::filesystem::remove_all(folder_.path() + "/m/t");
  before = script_.Calls().size();
  ASSERT_TRUE(store_->Put("m/t/3", "x", PutMode::kCreateOnly).ok());
  EXPECT_TRUE(Happened(Find("fsync", "m", before)));
  // A name that could not be synced is not remembered as if it had been.
  script_.FailBy([](const SystemCall& call) {
    return call.name == "fsync" && call.path == "n" ? EIO : 0;
  });
  EXPECT_FALSE(store_->Put("n/t/1", "x", PutMode::kCreateOnly).ok());
  FailEvery("fsync", 0);
  before = script_.Calls().size();
  ASSERT_TRUE(store_->Put("n/t/1", "x", PutMode::kCreateOnly).ok());
  EXPECT_TRUE(Happened(Find("fsync", "n", before)));
}

TEST_F(LocalDurability, AnObjectIsPutWholeAndSyncedOrNotAtAll) {
  for (const PutMode mode : {PutMode::kCreateOnly, PutMode::kOverwrite}) {
    const std::string named = mode == PutMode::kCreateOnly ? "link" : "rename";
    ASSERT_TRUE(store_->Put("t/_sluice/L.json", "{}", mode).ok());
    const size_t link = Find(named, "t/_sluice/L.json");
    const auto calls = script_.Calls();
    const auto file =
        std::find_if(calls.begin(), calls.end(), [](const SystemCall& call) {
          return call.name == "fsync" &&
                 call.path.starts_with("t/_sluice/staging/L/put-");
        });
    EXPECT_LT(static_cast<size_t>(file - calls.begin()), link);
    EXPECT_TRUE(Happened(Find("fsync", "t/_sluice", link)));
  }
  ExpectNamesAreDurable();
}

TEST_F(LocalDurability, ANameThatWasThereIsSyncedBeforeAnybodyActsOnIt) {
  ASSERT_TRUE(store_->Put("t/_sluice/L.json", "{}", PutMode::kCreateOnly).ok());
  const size_t before = script_.Calls().size();
  ASSERT_EQ(*store_->Put("t/_sluice/L.json", "{}", PutMode::kCreateOnly),
            PutOutcome::kExists);
  EXPECT_TRUE(Happened(Find("fsync", "t/_sluice", before)));
}

TEST_F(LocalDurability, AFileThatCannotBeSyncedIsNotStaged) {
  auto pending = store_->Begin(kTarget).ValueOrDie();
  ASSERT_TRUE(pending->Write("rows").ok());
  FailEvery("fsync", EIO);
  const auto staged = pending->Stage();
  EXPECT_EQ(KindOf(staged.status()), ErrorKind::kDestination)
      << staged.status().ToString();
  // The kernel says it once: a second sync would be believed wrongly.
  FailEvery("fsync", 0);
  EXPECT_FALSE(pending->Stage().ok());
  pending.reset();
  EXPECT_TRUE(store_->List("")->empty());
  EXPECT_TRUE(folder_.Tree().empty());
}

TEST_F(LocalDurability, AFolderThatCannotBeSyncedIsAnErrorToo) {
  auto pending = store_->Begin(kTarget).ValueOrDie();
  script_.FailBy([](const SystemCall& call) {
    return call.name == "fsync" && call.path == "m/t/_sluice/staging/L" ? EIO : 0;
  });
  EXPECT_FALSE(pending->Stage().ok());
  pending.reset();
  FailEvery("fsync", 0);
  const StagedObject staged = Stage("rows");
  script_.FailBy([](const SystemCall& call) {
    return call.name == "fsync" && call.path == "m/t/L" ? EIO : 0;
  });
  EXPECT_FALSE(store_->Publish(staged).ok());
  EXPECT_FALSE(store_->Publish(staged).ok()) << "visible, and not known to be durable";
  FailEvery("fsync", 0);
  EXPECT_TRUE(store_->Publish(staged).ok());
}

TEST_F(LocalDurability, ADiskThatFillsUpOnlyAtTheSyncIsFull) {
  auto pending = store_->Begin(kTarget).ValueOrDie();
  ASSERT_TRUE(pending->Write("rows").ok());
  FailEvery("fsync", EDQUOT);
  const Status status = pending->Stage().status();
  EXPECT_EQ(IdOf(status), "store.disk-full");
  EXPECT_NE(status.message().find("quota"), std::string::npos) << status.message();
}

TEST_F(LocalDurability, ShortAndInterruptedWritesAreCompleted) {
  script_.WriteInPieces(1000);
  std::string bytes;
  for (int i = 0; i < 50'000; ++i) bytes += std::to_string(i);
  const StagedObject staged = Stage(bytes);
  EXPECT_EQ(staged.size, static_cast<int64_t>(bytes.size()));
  ASSERT_TRUE(store_->Publish(staged).ok());
  EXPECT_TRUE(*store_->Get(kTarget.path, 1 << 30) == bytes);
}

TEST_F(LocalDurability, AnErrorOfTheDiskIsTheDestinationsFault) {
  const auto ref = store_->Publish(Stage("rows"));
  ASSERT_TRUE(ref.ok());
  const auto file = store_->Read(*ref).ValueOrDie();
  FailEvery("read", EIO);
  EXPECT_EQ(KindOf(file->ReadAt(0, 4).status()), ErrorKind::kDestination);
  EXPECT_EQ(KindOf(store_->Get(kTarget.path, 100).status()), ErrorKind::kDestination);
  const std::pair<int, const char*> errors[] = {
      {ENOSPC, "store.disk-full"},  {EDQUOT, "store.disk-full"},
      {EROFS, "store.read-only"},   {EIO, "store.vanished"},
      {ESTALE, "store.vanished"},   {ENODEV, "store.vanished"},
      {EACCES, "store.permission"}, {EFBIG, "store.file-too-large"},
      {EINVAL, "store.refused"}};
  for (const auto& [error, id] : errors) {
    FailEvery("write", error);
    const Status status = store_->Put("x", "bytes", PutMode::kCreateOnly).status();
    EXPECT_EQ(IdOf(status), id) << status.ToString();
    EXPECT_EQ(KindOf(status), ErrorKind::kDestination);
    EXPECT_NE(status.message().find(folder_.path()), std::string::npos)
        << status.message();
  }
}

TEST_F(LocalDurability, AFilesystemThatCannotCreateOnlyIsFoundOutAndNeverOverwrites) {
  script_.FailBy([](const SystemCall& call) {
    return call.name == "link" ? EOPNOTSUPP : call.name == "rename" ? EINVAL : 0;
  });
  const auto verdict = store_->Probe();
  ASSERT_TRUE(verdict.ok()) << verdict.status().ToString();
  EXPECT_FALSE(verdict->Enforced());
  EXPECT_TRUE(folder_.Tree().empty());
  EXPECT_FALSE(store_->Put("x", "x", PutMode::kCreateOnly).ok());
  EXPECT_FALSE(store_->Publish(Stage("rows")).ok());
  EXPECT_TRUE(store_->List("")->empty());
}

TEST_F(LocalDurability, AFilesystemThatReplacesOrRacesIsFoundOut) {
  FailEvery("link", EPERM);
  script_.RenameBy(RenameWay::kReplaces);
  const auto replaces = store_->Probe();
  ASSERT_TRUE(replaces.ok()) << replaces.status().ToString();
  EXPECT_FALSE(replaces->create_only) << replaces->detail;
  script_.RenameBy(RenameWay::kLooksFirst);
  const auto races = store_->Probe();
  ASSERT_TRUE(races.ok()) << races.status().ToString();
  EXPECT_TRUE(races->create_only) << races->detail;
  EXPECT_FALSE(races->atomic) << races->detail;
  EXPECT_TRUE(folder_.Tree().empty());
}

TEST_F(LocalDurability, AProbeThatFailsLeavesNothing) {
  std::atomic<int> links = 0;
  script_.FailBy([&](const SystemCall& call) {
    return call.name == "link" && ++links > 10 ? ENOSPC : 0;
  });
  EXPECT_EQ(IdOf(store_->Probe().status()), "store.disk-full");
  EXPECT_TRUE(folder_.Tree().empty());
}

TEST_F(LocalDurability, AProbeSaysWhenFoldersCannotBeSynced) {
  script_.FailBy([](const SystemCall& call) {
    return call.name == "fsync" && call.path.find('.') == std::string::npos &&
                   !call.path.ends_with("first")
               ? EINVAL
               : 0;
  });
  const auto verdict = store_->Probe();
  ASSERT_TRUE(verdict.ok()) << verdict.status().ToString();
  EXPECT_TRUE(verdict->Enforced());
  EXPECT_FALSE(verdict->durable) << verdict->detail;
  EXPECT_TRUE(store_->Put("x", "x", PutMode::kCreateOnly).ok());
}

/// A filesystem without hard links: published by rename.
class LinklessFixture final : public StoreFixture {
 public:
  LinklessFixture() {
    script_.FailBy(
        [](const SystemCall& call) { return call.name == "link" ? EPERM : 0; });
  }
  std::unique_ptr<Store> Open() override {
    return OpenLocalStore(folder_.path()).ValueOrDie();
  }

 private:
  ScratchFolder folder_{ScratchPlace::kMemory};
  SystemCallScript script_{folder_.path()};
};

INSTANTIATE_TEST_SUITE_P(LocalWithoutLinks, StoreConformance,
                         ::testing::Values(StoreMaker([] {
                           return std::make_unique<LinklessFixture>();
                         })));

}  // namespace
}  // namespace sluice
