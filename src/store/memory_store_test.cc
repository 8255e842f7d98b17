#include "testing/memory_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "testing/faulty_store.h"
#include "testing/store_conformance.h"

namespace sluice {
namespace {

class MemoryFixture final : public StoreFixture {
 public:
  std::unique_ptr<Store> Open() override { return store_.Open(); }

 private:
  MemoryStore store_;
};

class UnfaultyFixture final : public StoreFixture {
 public:
  std::unique_ptr<Store> Open() override {
    return NewFaultyStore(store_.Open(), std::make_shared<FaultScript>());
  }

 private:
  MemoryStore store_;
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance, ::testing::Values(StoreMaker([] {
                           return std::make_unique<MemoryFixture>();
                         })));
INSTANTIATE_TEST_SUITE_P(Unfaulty, StoreConformance, ::testing::Values(StoreMaker([] {
                           return std::make_unique<UnfaultyFixture>();
                         })));

StagedObject StageIn(Store& store, const std::string& path, const std::string& attempt) {
  auto pending =
      store.Begin({path, "_sluice/staging/" + attempt + ".tmp", attempt}).ValueOrDie();
  EXPECT_TRUE(pending->Write(attempt).ok());
  return pending->Stage().ValueOrDie();
}

TEST(MemoryStore, RemembersWhatAListerCouldSee) {
  MemoryStore memory;
  const auto store = memory.Open();
  ASSERT_TRUE(store->Publish(StageIn(*store, "t/part", "a1")).ok());
  ASSERT_TRUE(store->Put("t/head", "1", PutMode::kOverwrite).ok());
  ASSERT_TRUE(store->Put("t/head", "22", PutMode::kOverwrite).ok());
  ASSERT_TRUE(store->Delete("t/part").ok());
  using Change = Sighting::Change;
  const std::vector<Sighting> wanted = {{Change::kAppeared, "t/part", "a1", 2, true},
                                        {Change::kAppeared, "t/head", "", 1, true},
                                        {Change::kReplaced, "t/head", "", 2, true},
                                        {Change::kRemoved, "t/part", "", 0, true}};
  EXPECT_EQ(memory.Sightings(), wanted);
}

TEST(MemoryStore, CanBeAStoreThatCreatesOnlyInName) {
  MemoryStore memory({.create_only = false});
  const auto store = memory.Open();
  EXPECT_EQ(*store->Put("x", "1", PutMode::kCreateOnly), PutOutcome::kCreated);
  EXPECT_EQ(*store->Put("x", "2", PutMode::kCreateOnly), PutOutcome::kCreated);
  EXPECT_EQ(memory.Objects()["x"], "2");
  EXPECT_FALSE(store->Probe()->Enforced());
  EXPECT_FALSE(MemoryStore({.atomic = false}).Open()->Probe()->Enforced());
}

TEST(MemoryStore, CallsWhereARealStoreCouldDie) {
  MemoryStore memory;
  int half = 0, staged = 0;
  memory.OnUpload(
      [&] {
        ++half;
        return Status::OK();
      },
      [&] {
        ++staged;
        return Status::Cancelled("dead");
      });
  const auto store = memory.Open();
  auto pending = store->Begin({"x", "_sluice/staging/x.tmp", "a1"}).ValueOrDie();
  EXPECT_TRUE(pending->Write("").ok());
  EXPECT_EQ(half, 0);
  EXPECT_TRUE(pending->Write("1").ok());
  EXPECT_TRUE(pending->Write("2").ok());
  EXPECT_EQ(half, 1);
  EXPECT_FALSE(pending->Stage().ok());
  pending.reset();
  EXPECT_EQ(staged, 1);
  EXPECT_EQ(memory.staged(), 1) << "staged, and nobody knows";
}

TEST(FaultyStore, AnErrorBeforeHasNoEffectAndAnErrorAfterHasIt) {
  MemoryStore memory;
  const auto script = std::make_shared<FaultScript>();
  const auto store = NewFaultyStore(memory.Open(), script);
  script->Add({.call = StoreCall::kPut, .nth = 1, .kind = FaultKind::kErrorBefore});
  script->Add({.call = StoreCall::kPut, .nth = 2, .kind = FaultKind::kErrorAfter});
  script->Add({.call = StoreCall::kPut, .nth = 3, .kind = FaultKind::kLostRequest});
  script->Add({.call = StoreCall::kPut, .nth = 4, .kind = FaultKind::kLostReply});
  const auto put = [&](const char* path) {
    return KindOf(store->Put(path, "x", PutMode::kCreateOnly).status());
  };
  EXPECT_EQ(put("1"), ErrorKind::kTransient);
  EXPECT_EQ(put("2"), ErrorKind::kTransient);
  EXPECT_EQ(put("3"), ErrorKind::kCommitUnknown);
  EXPECT_EQ(put("4"), ErrorKind::kCommitUnknown);
  EXPECT_TRUE(store->Put("5", "x", PutMode::kCreateOnly).ok());
  const auto objects = memory.Objects();
  EXPECT_FALSE(objects.contains("1") || objects.contains("3"));
  EXPECT_TRUE(objects.contains("2") && objects.contains("4") && objects.contains("5"));
}

TEST(FaultyStore, AKilledProcessLeavesItsHalfWrittenObjectAndDoesNothingMore) {
  MemoryStore memory;
  const auto script = std::make_shared<FaultScript>();
  const auto store = NewFaultyStore(memory.Open(), script);
  auto pending = store->Begin({"x", "_sluice/staging/x.a1.tmp", "a1"}).ValueOrDie();
  ASSERT_TRUE(pending->Write("half").ok());
  script->Kill();
  EXPECT_FALSE(pending->Write("more").ok());
  EXPECT_EQ(IdOf(pending->Stage().status()), "fault.dead");
  EXPECT_EQ(IdOf(store->Put("y", "y", PutMode::kOverwrite).status()), "fault.dead");
  pending.reset();
  const auto survivor = memory.Open();
  const auto orphans = survivor->ListStaged("").ValueOrDie();
  ASSERT_EQ(orphans.size(), 1u);
  EXPECT_EQ(orphans[0].size, 4);
  EXPECT_TRUE(memory.Objects().empty());
}

TEST(FaultyStore, AHangEndsWhenItIsReleasedOrTheProcessDies) {
  MemoryStore memory;
  const auto script = std::make_shared<FaultScript>();
  const auto store = NewFaultyStore(memory.Open(), script);
  script->Add({.call = StoreCall::kList, .kind = FaultKind::kHang});
  std::thread waiter([&] { EXPECT_EQ(IdOf(store->List("").status()), "fault.hang"); });
  script->ReleaseHangs();
  waiter.join();
  EXPECT_TRUE(store->List("").ok());
}

TEST(FaultyStore, AShortReadGivesHalf) {
  MemoryStore memory;
  const auto script = std::make_shared<FaultScript>();
  const auto store = NewFaultyStore(memory.Open(), script);
  ASSERT_TRUE(store->Put("x", "123456", PutMode::kOverwrite).ok());
  script->Add({.call = StoreCall::kGet, .kind = FaultKind::kShortRead});
  EXPECT_EQ(*store->Get("x", 100), "123");
  EXPECT_EQ(*store->Get("x", 100), "123456");
}

}  // namespace
}  // namespace sluice
