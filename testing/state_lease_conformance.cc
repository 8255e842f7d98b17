// The half of the suite that is about who may write.
#include <string_view>
#include <utility>
#include <vector>

#include "testing/state_samples.h"
#include "testing/state_store_conformance.h"

namespace sluice {
namespace {

constexpr int64_t kTtl = 60'000;

/// Every fenced call, each of which would succeed under a good lease.
struct NamedWrite {
  const char* name;
  std::function<Status(StateStore&, const Lease&)> act;
};
const std::vector<NamedWrite>& FencedWrites() {
  static const std::vector<NamedWrite> writes = {
      {"Renew", [](auto& s, auto& l) { return s.Renew(l); }},
      {"OpenLoad",
       [](auto& s, auto& l) { return s.OpenLoad(l, NewLoad("job", "load-2", "s")); }},
      {"AddChunk",
       [](auto& s, auto& l) { return s.AddChunk(l, "load-1", ChunkAt(2, true)); }},
      {"BeginAttempt",
       [](auto& s, auto& l) { return s.BeginAttempt(l, "load-1", 1, "b"); }},
      {"MarkStaged",
       [](auto& s, auto& l) { return s.MarkStaged(l, ReceiptOf("load-1", 1, "a")); }},
      {"FailAttempt",
       [](auto& s, auto& l) { return s.FailAttempt(l, "load-1", 1, "a", "why"); }},
      {"AddPosition",
       [](auto& s, auto& l) { return s.AddPosition(l, "load-1", "18:0"); }},
      {"Advance",
       [](auto& s, auto& l) {
         return s.Advance(l, "load-1", Phase::kCopying, Phase::kDiscarded, {}, {});
       }},
      {"BeginRun",
       [](auto& s, auto& l) { return s.BeginRun(l, {.run = "run-2", .job = "job"}); }},
      {"EndRun", [](auto& s, auto& l) { return s.EndRun(l, "run-1", 0, "{}"); }},
  };
  return writes;
}

}  // namespace

Lease StateStoreConformance::MustAcquire(StateStore& store, const std::string& job) {
  auto lease = store.Acquire(job, {.ttl_millis = kTtl, .run = "run-1"});
  EXPECT_TRUE(lease.ok()) << lease.status().ToString();
  return lease.ValueOr(Lease{});
}

TEST_P(StateStoreConformance, ALeaseIsGrantedAndShown) {
  const Lease lease = MustAcquire(*store_);
  EXPECT_EQ(lease.job, "job");
  EXPECT_GT(lease.epoch, 0);
  EXPECT_FALSE(lease.nonce.empty());
  const auto holder = *Another()->Holder("job");
  ASSERT_TRUE(holder.has_value());
  EXPECT_TRUE(holder->held);
  EXPECT_EQ(holder->epoch, lease.epoch);
  EXPECT_EQ(holder->run, "run-1");
  EXPECT_GT(holder->pid, 0);
  EXPECT_FALSE(holder->host.empty());
  EXPECT_EQ(holder->expires_in_millis, kTtl);
  EXPECT_FALSE(store_->Holder("another job")->has_value());
}

TEST_P(StateStoreConformance, ALeaseIsOfSomeJobAndForSomeTime) {
  EXPECT_REFUSED(store_->Acquire("", {.ttl_millis = kTtl}).status(), ErrorKind::kFailed,
                 "state.lease");
  for (const int64_t ttl : {int64_t{0}, int64_t{-1}}) {
    EXPECT_REFUSED(store_->Acquire("job", {.ttl_millis = ttl}).status(),
                   ErrorKind::kFailed, "state.lease");
  }
  EXPECT_TRUE(store_->Jobs(nullptr)->empty());
}

TEST_P(StateStoreConformance, AHeldJobIsRefusedAndTheErrorSaysByWhom) {
  MustAcquire(*store_);
  auto other = Another();
  // The holder's own handle is no exception: two runs in one process are two owners.
  for (StateStore* store : {other.get(), store_.get()}) {
    const Status status =
        store->Acquire("job", {.ttl_millis = kTtl, .run = "run-2"}).status();
    EXPECT_REFUSED(status, ErrorKind::kHeld, "state.held");
    EXPECT_NE(status.message().find("run-1"), std::string::npos) << status.message();
    EXPECT_NE(status.message().find("60 s"), std::string::npos) << status.message();
    EXPECT_FALSE(HintOf(status).empty());
  }
  MustAcquire(*other, "another job");
}

TEST_P(StateStoreConformance, ALivingHolderKeepsTheJobUntilItsLeaseRunsOut) {
  const Lease first = MustAcquire(*store_);
  auto other = Another();
  world_->AdvanceClock(kTtl - 1);
  EXPECT_REFUSED(other->Acquire("job", {}).status(), ErrorKind::kHeld, "state.held");
  world_->AdvanceClock(1);
  EXPECT_FALSE((*other->Holder("job"))->held);
  const Lease second = MustAcquire(*other);
  EXPECT_GT(second.epoch, first.epoch);
  EXPECT_NE(second.nonce, first.nonce);
}

TEST_P(StateStoreConformance, ARenewedLeaseLivesOn) {
  const Lease lease = MustAcquire(*store_);
  auto other = Another();
  for (int i = 0; i < 3; ++i) {
    world_->AdvanceClock(kTtl - 1);
    EXPECT_OK(store_->Renew(lease));
    EXPECT_EQ((*other->Holder("job"))->expires_in_millis, kTtl);
  }
  world_->AdvanceClock(kTtl - 1);
  EXPECT_REFUSED(other->Acquire("job", {}).status(), ErrorKind::kHeld, "state.held");
}

TEST_P(StateStoreConformance, AnExpiredLeaseThatNobodyTookMayBeRenewedAndWrites) {
  const Lease lease = MustAcquire(*store_);
  world_->AdvanceClock(10 * kTtl);
  MustOpen(lease);
  EXPECT_OK(store_->Renew(lease));
  EXPECT_REFUSED(Another()->Acquire("job", {}).status(), ErrorKind::kHeld, "state.held");
}

TEST_P(StateStoreConformance, ADeadHolderIsReplacedAtOnce) {
  auto other = Another();
  const Lease first = MustAcquire(*other);
  other.reset();
  EXPECT_FALSE((*store_->Holder("job"))->held);
  const Lease second = MustAcquire(*store_);
  EXPECT_GT(second.epoch, first.epoch);
}

TEST_P(StateStoreConformance, AReleasedJobIsFreeAndItsNextEpochIsGreater) {
  const Lease first = MustAcquire(*store_);
  EXPECT_OK(store_->Release(first));
  EXPECT_FALSE((*store_->Holder("job"))->held);
  EXPECT_LE((*store_->Holder("job"))->expires_in_millis, 0);
  EXPECT_OK(store_->Release(first));
  const Lease second = MustAcquire(*Another());
  EXPECT_GT(second.epoch, first.epoch);
}

TEST_P(StateStoreConformance, AFencedReleaseIsFineAndDoesNotFreeTheNewHolder) {
  const Lease old = MustAcquire(*store_);
  world_->AdvanceClock(kTtl);
  auto other = Another();
  const Lease lease = MustAcquire(*other);
  EXPECT_OK(store_->Release(old));
  EXPECT_TRUE((*store_->Holder("job"))->held);
  EXPECT_OK(other->Renew(lease));
}

TEST_P(StateStoreConformance, JobsAreListedWithTheirHolders) {
  MustAcquire(*store_, "b \"quoted\"/…");
  EXPECT_OK(store_->Release(MustAcquire(*store_, "a")));
  std::vector<std::string> names;
  const auto holders = *store_->Jobs(&names);
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b \"quoted\"/…"}));
  ASSERT_EQ(holders.size(), 2u);
  EXPECT_FALSE(holders[0].held);
  EXPECT_TRUE(holders[1].held);
}

TEST_P(StateStoreConformance, AfterATakeoverEveryWriteOfTheOldHolderIsFenced) {
  const Lease old = MustAcquire(*store_);
  MustOpen(old);
  EXPECT_OK(store_->AddChunk(old, "load-1", ChunkAt(1, false)));
  EXPECT_OK(store_->BeginAttempt(old, "load-1", 1, "a"));
  EXPECT_OK(store_->BeginRun(old, {.run = "run-1", .job = "job"}));
  const LoadState before = MustFind(*store_);
  world_->AdvanceClock(kTtl);
  auto other = Another();
  const Lease lease = MustAcquire(*other);
  for (const NamedWrite& write : FencedWrites()) {
    SCOPED_TRACE(write.name);
    EXPECT_REFUSED(write.act(*store_, old), ErrorKind::kHeld, "state.fenced");
    EXPECT_REFUSED(write.act(*store_, {"job", lease.epoch, old.nonce}), ErrorKind::kHeld,
                   "state.fenced");
    EXPECT_REFUSED(write.act(*store_, {"nobody's", 1, old.nonce}), ErrorKind::kHeld,
                   "state.fenced");
  }
  ExpectSame(MustFind(*other), before);
  EXPECT_FALSE(other->FindLoad("load-2")->has_value());
  EXPECT_EQ(other->Runs("job", 9)->size(), 1u);
  for (const NamedWrite& write : FencedWrites()) {
    SCOPED_TRACE(write.name);
    if (write.name != std::string_view("FailAttempt"))
      EXPECT_OK(write.act(*other, lease));
  }
}

TEST_P(StateStoreConformance, AfterTheReleaseEveryWriteIsFenced) {
  const Lease lease = MustAcquire(*store_);
  EXPECT_OK(store_->Release(lease));
  for (const NamedWrite& write : FencedWrites()) {
    SCOPED_TRACE(write.name);
    EXPECT_REFUSED(write.act(*store_, lease), ErrorKind::kHeld, "state.fenced");
  }
}

}  // namespace sluice
