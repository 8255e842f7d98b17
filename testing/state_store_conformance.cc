#include "testing/state_store_conformance.h"

#include <algorithm>
#include <thread>
#include <tuple>
#include <utility>

#include "testing/state_samples.h"

// The ids are part of what a store promises: each says which rule of the order of writes was broken.
#define EXPECT_CONTRADICTION(expression, id) \
  EXPECT_REFUSED(expression, ErrorKind::kFailed, id)

namespace sluice {

// Programs that test something else may be linked with this file.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StateStoreConformance);

std::string StateStoreCaseName(const testing::TestParamInfo<StateStoreCase>& info) {
  return info.param.name;
}

void StateStoreConformance::SetUp() {
  world_ = GetParam().make();
  store_ = Another();
  ASSERT_NE(store_, nullptr);
}

std::unique_ptr<StateStore> StateStoreConformance::Another() {
  auto opened = world_->Open();
  EXPECT_TRUE(opened.ok()) << opened.status().ToString();
  return opened.ok() ? *std::move(opened) : nullptr;
}

LoadState StateStoreConformance::MustFind(StateStore& store, const std::string& load) {
  auto found = store.FindLoad(load);
  EXPECT_TRUE(found.ok() && found->has_value()) << found.status().ToString();
  return found.ok() && *found ? **found : LoadState{};
}

void StateStoreConformance::MustOpen(const Lease& lease, const std::string& load,
                                     const std::string& stream) {
  EXPECT_OK(store_->OpenLoad(lease, NewLoad(lease.job, load, stream)));
}

void StateStoreConformance::MustPlan(const Lease& lease, const std::string& load,
                                     int count, bool staged) {
  for (int ordinal = 1; ordinal <= count; ++ordinal) {
    EXPECT_OK(store_->AddChunk(lease, load, ChunkAt(ordinal, ordinal == count)));
    if (!staged) continue;
    EXPECT_OK(store_->BeginAttempt(lease, load, ordinal, "a"));
    EXPECT_OK(store_->MarkStaged(lease, ReceiptOf(load, ordinal, "a")));
  }
}

void StateStoreConformance::MustReach(const Lease& lease, const std::string& load,
                                      Phase phase) {
  MustOpen(lease, load);
  MustPlan(lease, load, 2);
  if (phase == Phase::kDiscarded) {
    EXPECT_OK(store_->Advance(lease, load, Phase::kCopying, phase, {}, {}));
    return;
  }
  const std::vector<ChunkReceipt> published = {Published(ReceiptOf(load, 1, "a")),
                                               Published(ReceiptOf(load, 2, "a"))};
  for (int i = 0; i < static_cast<int>(phase); ++i) {
    const Phase to = static_cast<Phase>(i + 1);
    EXPECT_OK(store_->Advance(
        lease, load, static_cast<Phase>(i), to,
        to == Phase::kPublished ? published : std::vector<ChunkReceipt>{}, {}));
  }
}

TEST_P(StateStoreConformance, EverythingOfALoadIsFoundAgainByAnotherProcess) {
  const Lease lease = MustAcquire(*store_);
  LoadState wanted = NewLoad("job", "load-1", "orders");
  EXPECT_OK(store_->OpenLoad(lease, wanted));
  ExpectSame(MustFind(*store_), wanted);
  const Chunk chunks[] = {
      {.ordinal = 1, .range = {.after = std::nullopt, .upto = WeirdKey()}},
      {.ordinal = 2, .range = {.after = WeirdKey(), .upto = IntKey(7)}, .last = true}};
  for (const Chunk& chunk : chunks) EXPECT_OK(store_->AddChunk(lease, "load-1", chunk));
  EXPECT_OK(store_->BeginAttempt(lease, "load-1", 2, "a"));
  EXPECT_OK(store_->MarkStaged(lease, ReceiptOf("load-1", 2, "a")));
  wanted.chunks = {{.chunk = chunks[0], .staged = {}},
                   {.chunk = chunks[1], .staged = ReceiptOf("load-1", 2, "a")}};
  store_.reset();
  auto other = Another();
  ExpectSame(MustFind(*other), wanted);
  ExpectSame(other->OpenLoadOf("job", "orders")->value(), wanted);
  EXPECT_FALSE(other->FindLoad("load-9")->has_value());
}

TEST_P(StateStoreConformance, TheOpenLoadIsTheNewestThatIsNeitherCleanedNorDiscarded) {
  const Lease lease = MustAcquire(*store_);
  EXPECT_FALSE(store_->OpenLoadOf("job", "orders")->has_value());
  MustReach(lease, "load-1", Phase::kCleaned);
  EXPECT_FALSE(store_->OpenLoadOf("job", "orders")->has_value());
  MustReach(lease, "load-2", Phase::kCommitted);
  EXPECT_EQ(store_->OpenLoadOf("job", "orders")->value().spec.load, "load-2");
  MustReach(lease, "load-3", Phase::kDiscarded);
  EXPECT_EQ(store_->OpenLoadOf("job", "orders")->value().spec.load, "load-2");
  MustOpen(lease, "load-0");  // Newest by when it was opened, not by name.
  EXPECT_EQ(store_->OpenLoadOf("job", "orders")->value().spec.load, "load-0");
  MustOpen(lease, "load-5", "customers");
  EXPECT_EQ(store_->OpenLoadOf("job", "orders")->value().spec.load, "load-0");
  EXPECT_FALSE(store_->OpenLoadOf("another job", "orders")->has_value());
}

TEST_P(StateStoreConformance, LoadsAreListedNewestFirst) {
  const Lease lease = MustAcquire(*store_);
  for (const char* load : {"load-1", "load-3", "load-2"}) MustOpen(lease, load);
  MustOpen(MustAcquire(*store_, "another job"), "load-4");
  const auto names = [&](const std::string& job, int count) {
    std::vector<std::string> found;
    for (const LoadState& load : *store_->Loads(job, count))
      found.push_back(load.spec.load);
    return found;
  };
  EXPECT_EQ(names("job", 9), (std::vector<std::string>{"load-2", "load-3", "load-1"}));
  EXPECT_EQ(names("job", 2), (std::vector<std::string>{"load-2", "load-3"}));
  EXPECT_EQ(names("", 2), (std::vector<std::string>{"load-4", "load-2"}));
  EXPECT_TRUE(names("nobody's", 9).empty());
}

TEST_P(StateStoreConformance, ALoadBelongsToItsJob) {
  const Lease lease = MustAcquire(*store_);
  MustOpen(lease);
  const Lease other = MustAcquire(*store_, "another job");
  EXPECT_CONTRADICTION(store_->AddChunk(other, "load-1", ChunkAt(1, true)),
                       "state.no-load");
  EXPECT_CONTRADICTION(store_->AddChunk(lease, "load-9", ChunkAt(1, true)),
                       "state.no-load");
  EXPECT_CONTRADICTION(store_->OpenLoad(other, NewLoad("job", "load-2", "orders")),
                       "state.load-not-new");
  EXPECT_CONTRADICTION(store_->OpenLoad(lease, NewLoad("job", "load-1", "customers")),
                       "state.load-exists");
  ExpectSame(MustFind(*store_), NewLoad("job", "load-1", "orders"));
}

TEST_P(StateStoreConformance, ALoadOpensWithoutChunksAndBeforeItsFirstPhaseEnds) {
  const Lease lease = MustAcquire(*store_);
  LoadState planned = NewLoad("job", "load-1", "orders");
  planned.chunks = {{.chunk = ChunkAt(1, true), .staged = {}}};
  LoadState beyond = NewLoad("job", "load-1", "orders");
  beyond.phase = Phase::kPublishing;
  LoadState beaten = NewLoad("job", "load-1", "orders");
  beaten.losers = {ReceiptOf("load-1", 1, "a")};
  for (const LoadState& load : {planned, beyond, beaten}) {
    EXPECT_CONTRADICTION(store_->OpenLoad(lease, load), "state.load-not-new");
  }
  EXPECT_FALSE(store_->FindLoad("load-1")->has_value());
}

TEST_P(StateStoreConformance, ChunksAreDenseAdjoiningAndImmutable) {
  const Lease lease = MustAcquire(*store_);
  MustOpen(lease);
  EXPECT_CONTRADICTION(store_->AddChunk(lease, "load-1", ChunkAt(2, false)),
                       "state.chunk-order");
  EXPECT_OK(store_->AddChunk(lease, "load-1", ChunkAt(1, false)));
  EXPECT_CONTRADICTION(store_->AddChunk(lease, "load-1", ChunkAt(3, false)),
                       "state.chunk-order");
  EXPECT_CONTRADICTION(store_->AddChunk(lease, "load-1", ChunkAt(1, true)),
                       "state.chunk-differs");
  Chunk gap = ChunkAt(2, false);
  gap.range.after = IntKey(101);
  EXPECT_CONTRADICTION(store_->AddChunk(lease, "load-1", gap), "state.chunk-gap");
  EXPECT_OK(store_->AddChunk(lease, "load-1", ChunkAt(2, true)));
  EXPECT_CONTRADICTION(store_->AddChunk(lease, "load-1", ChunkAt(3, true)),
                       "state.plan-complete");
  EXPECT_EQ(MustFind(*store_).chunks.size(), 2u);
}

TEST_P(StateStoreConformance, TheNewestStagedAttemptWinsAndTheOthersAreLosers) {
  const Lease lease = MustAcquire(*store_);
  MustOpen(lease);
  MustPlan(lease, "load-1", 2, /*staged=*/false);
  for (const char* attempt : {"z", "a", "m", "f"}) {
    EXPECT_OK(store_->BeginAttempt(lease, "load-1", 1, attempt));
  }
  EXPECT_OK(store_->MarkStaged(lease, ReceiptOf("load-1", 1, "z")));
  EXPECT_OK(store_->MarkStaged(lease, ReceiptOf("load-1", 1, "a")));
  EXPECT_OK(store_->FailAttempt(lease, "load-1", 1, "f", "no 'reason'\n"));
  EXPECT_OK(store_->FailAttempt(lease, "load-1", 1, "f", "said twice"));
  const LoadState load = MustFind(*store_);
  ASSERT_TRUE(load.chunks[0].staged.has_value());
  ExpectSame(*load.chunks[0].staged, ReceiptOf("load-1", 1, "a"));
  EXPECT_EQ(load.chunks[0].failures, 1);
  EXPECT_FALSE(load.chunks[1].staged.has_value());
  std::vector<std::string> losers;
  for (const ChunkReceipt& loser : load.losers) losers.push_back(loser.attempt);
  EXPECT_EQ(losers.size(), 2u);
  for (const ChunkReceipt& loser : load.losers) {
    EXPECT_EQ(loser.load, "load-1");
    EXPECT_EQ(loser.ordinal, 1);
    if (loser.attempt == "z") ExpectSame(loser, ReceiptOf("load-1", 1, "z"));
  }
  EXPECT_EQ(std::count(losers.begin(), losers.end(), "m"), 1);
}

TEST_P(StateStoreConformance, AnAttemptIsRecordedBeforeItIsStaged) {
  const Lease lease = MustAcquire(*store_);
  MustOpen(lease);
  EXPECT_CONTRADICTION(store_->BeginAttempt(lease, "load-1", 1, "a"), "state.no-chunk");
  MustPlan(lease, "load-1", 1, /*staged=*/false);
  EXPECT_CONTRADICTION(store_->MarkStaged(lease, ReceiptOf("load-1", 1, "a")),
                       "state.no-attempt");
  EXPECT_CONTRADICTION(store_->FailAttempt(lease, "load-1", 1, "a", "why"),
                       "state.no-attempt");
  EXPECT_OK(store_->BeginAttempt(lease, "load-1", 1, "a"));
  EXPECT_OK(store_->MarkStaged(lease, ReceiptOf("load-1", 1, "a")));
  ChunkReceipt other = ReceiptOf("load-1", 1, "a");
  other.rows = 99;
  EXPECT_CONTRADICTION(store_->MarkStaged(lease, other), "state.attempt-differs");
  EXPECT_OK(store_->BeginAttempt(lease, "load-1", 1, "b"));
  EXPECT_OK(store_->FailAttempt(lease, "load-1", 1, "b", "why"));
  EXPECT_CONTRADICTION(store_->MarkStaged(lease, ReceiptOf("load-1", 1, "b")),
                       "state.attempt-ended");
  for (const char* ended : {"a", "b"}) {
    EXPECT_CONTRADICTION(store_->BeginAttempt(lease, "load-1", 1, ended),
                         "state.attempt-ended");
  }
  ExpectSame(*MustFind(*store_).chunks[0].staged, ReceiptOf("load-1", 1, "a"));
}

TEST_P(StateStoreConformance, PublishingNeedsTheWholePlanStaged) {
  const Lease lease = MustAcquire(*store_);
  const auto publish = [&] {
    return store_->Advance(lease, "load-1", Phase::kCopying, Phase::kPublishing, {},
                           {"load-0"});
  };
  MustOpen(lease);
  EXPECT_CONTRADICTION(publish(), "state.plan-incomplete");
  EXPECT_OK(store_->AddChunk(lease, "load-1", ChunkAt(1, false)));
  EXPECT_OK(store_->BeginAttempt(lease, "load-1", 1, "a"));
  EXPECT_OK(store_->MarkStaged(lease, ReceiptOf("load-1", 1, "a")));
  EXPECT_CONTRADICTION(publish(), "state.plan-incomplete");
  EXPECT_OK(store_->AddChunk(lease, "load-1", ChunkAt(2, true)));
  EXPECT_OK(store_->BeginAttempt(lease, "load-1", 2, "a"));
  EXPECT_CONTRADICTION(publish(), "state.not-staged");
  EXPECT_TRUE(MustFind(*store_).replaces.empty());
  EXPECT_OK(store_->MarkStaged(lease, ReceiptOf("load-1", 2, "a")));
  EXPECT_OK(publish());
  EXPECT_EQ(MustFind(*store_).replaces, std::vector<std::string>{"load-0"});
}

TEST_P(StateStoreConformance, OncePublishingTheWinnersAreFrozen) {
  const Lease lease = MustAcquire(*store_);
  MustOpen(lease);
  MustPlan(lease, "load-1", 1);
  EXPECT_OK(store_->BeginAttempt(lease, "load-1", 1, "late"));
  EXPECT_OK(store_->Advance(lease, "load-1", Phase::kCopying, Phase::kPublishing, {},
                            {"load-0"}));
  const LoadState frozen = MustFind(*store_);
  EXPECT_CONTRADICTION(store_->MarkStaged(lease, ReceiptOf("load-1", 1, "late")),
                       "state.phase");
  EXPECT_CONTRADICTION(store_->BeginAttempt(lease, "load-1", 1, "later"), "state.phase");
  EXPECT_CONTRADICTION(store_->FailAttempt(lease, "load-1", 1, "a", "why"),
                       "state.phase");
  EXPECT_CONTRADICTION(store_->AddChunk(lease, "load-1", ChunkAt(2, true)),
                       "state.phase");
  EXPECT_OK(store_->Advance(lease, "load-1", Phase::kCopying, Phase::kPublishing, {},
                            {"other"}));
  ExpectSame(MustFind(*store_), frozen);
}

TEST_P(StateStoreConformance, PhasesGoDownOneByOneOrToDiscardedBeforeTheCommit) {
  const Lease lease = MustAcquire(*store_);
  for (int from = 0; from <= static_cast<int>(Phase::kDiscarded); ++from) {
    for (int to = 0; to <= static_cast<int>(Phase::kDiscarded); ++to) {
      // The step to published needs receipts and has its own test; MustReach takes it.
      if (from == to || static_cast<Phase>(to) == Phase::kPublished) continue;
      SCOPED_TRACE(std::string(ToString(static_cast<Phase>(from))) + " to " +
                   ToString(static_cast<Phase>(to)));
      const std::string load = "load-" + std::to_string(from) + "-" + std::to_string(to);
      MustReach(lease, load, static_cast<Phase>(from));
      const bool discards = static_cast<Phase>(to) == Phase::kDiscarded &&
                            static_cast<Phase>(from) < Phase::kCommitted;
      const bool next = to == from + 1 && static_cast<Phase>(to) != Phase::kDiscarded;
      const Status status = store_->Advance(lease, load, static_cast<Phase>(from),
                                            static_cast<Phase>(to), {}, {});
      EXPECT_EQ(status.ok(), next || discards) << status.ToString();
      if (!status.ok()) EXPECT_CONTRADICTION(status, "state.phase");
      EXPECT_EQ(MustFind(*store_, load).phase,
                static_cast<Phase>(status.ok() ? to : from));
    }
  }
}

TEST_P(StateStoreConformance,
       AnAdvanceFromAPhaseTheLoadIsNotInIsRefusedUnlessItIsThereAlready) {
  const Lease lease = MustAcquire(*store_);
  MustReach(lease, "load-1", Phase::kPublished);
  EXPECT_CONTRADICTION(
      store_->Advance(lease, "load-1", Phase::kVerified, Phase::kCommitted, {}, {}),
      "state.phase");
  EXPECT_CONTRADICTION(
      store_->Advance(lease, "load-1", Phase::kCopying, Phase::kDiscarded, {}, {}),
      "state.phase");
  const LoadState before = MustFind(*store_);
  EXPECT_OK(
      store_->Advance(lease, "load-1", Phase::kPublishing, Phase::kPublished, {}, {}));
  ExpectSame(MustFind(*store_), before);
}

TEST_P(StateStoreConformance, PublishedReceiptsAreThoseOfTheWinnersWithTheirObjects) {
  const Lease lease = MustAcquire(*store_);
  MustReach(lease, "load-1", Phase::kPublishing);
  const ChunkReceipt one = Published(ReceiptOf("load-1", 1, "a"));
  const ChunkReceipt two = Published(ReceiptOf("load-1", 2, "a"));
  const auto take = [&](const std::vector<ChunkReceipt>& receipts) {
    return store_->Advance(lease, "load-1", Phase::kPublishing, Phase::kPublished,
                           receipts, {});
  };
  EXPECT_CONTRADICTION(take({}), "state.receipts");
  EXPECT_CONTRADICTION(take({one}), "state.receipts");
  EXPECT_CONTRADICTION(take({one, one}), "state.receipts");
  EXPECT_CONTRADICTION(take({one, two, two}), "state.receipts");
  EXPECT_CONTRADICTION(take({one, Published(ReceiptOf("load-1", 2, "b"))}),
                       "state.receipts");
  EXPECT_CONTRADICTION(take({one, Published(ReceiptOf("load-2", 2, "a"))}),
                       "state.receipts");
  EXPECT_EQ(MustFind(*store_).phase, Phase::kPublishing);
  EXPECT_TRUE(MustFind(*store_).chunks[0].staged->objects.empty());
  EXPECT_OK(take({two, one}));
  const LoadState load = MustFind(*store_);
  ExpectSame(*load.chunks[0].staged, one);
  ExpectSame(*load.chunks[1].staged, two);
}

TEST_P(StateStoreConformance, PositionsAreDistinctAndInOrder) {
  const Lease lease = MustAcquire(*store_);
  MustOpen(lease);
  for (const char* position : {"z", "a", "17:0", "z", ""}) {
    EXPECT_OK(store_->AddPosition(lease, "load-1", position));
  }
  EXPECT_EQ(MustFind(*store_).positions,
            (std::vector<std::string>{"17:0", "z", "a", ""}));
}

TEST_P(StateStoreConformance, NothingIsReadForALoadThatIsDecided) {
  const Lease lease = MustAcquire(*store_);
  MustReach(lease, "load-1", Phase::kCommitted);
  EXPECT_CONTRADICTION(store_->AddPosition(lease, "load-1", "18:0"), "state.phase");
  EXPECT_EQ(MustFind(*store_).positions, std::vector<std::string>{"17:0"});
}

TEST_P(StateStoreConformance, EveryWriteMayBeRepeated) {
  const Lease lease = MustAcquire(*store_);
  for (int i = 0; i < 2; ++i) {
    MustOpen(lease);
    EXPECT_OK(store_->AddChunk(lease, "load-1", ChunkAt(1, true)));
    if (i == 0) EXPECT_OK(store_->BeginAttempt(lease, "load-1", 1, "a"));
    if (i == 0) EXPECT_OK(store_->BeginAttempt(lease, "load-1", 1, "a"));
    EXPECT_OK(store_->MarkStaged(lease, ReceiptOf("load-1", 1, "a")));
    EXPECT_OK(store_->BeginRun(lease, {.run = "run-1", .job = "job"}));
    EXPECT_OK(store_->EndRun(lease, "run-1", i, "{}"));
  }
  EXPECT_EQ(MustFind(*store_).chunks.size(), 1u);
  EXPECT_TRUE(MustFind(*store_).losers.empty());
  EXPECT_EQ(store_->Runs("job", 9)->at(0).exit_code, 0);
}

TEST_P(StateStoreConformance, ALoadTellsWhenItLastChanged) {
  const Lease lease = MustAcquire(*store_);
  MustOpen(lease);
  const int64_t opened = MustFind(*store_).updated_millis;
  world_->AdvanceClock(1234);
  EXPECT_EQ(MustFind(*store_).updated_millis, opened);
  EXPECT_OK(store_->AddChunk(lease, "load-1", ChunkAt(1, true)));
  EXPECT_EQ(MustFind(*store_).updated_millis, opened + 1234);
}

TEST_P(StateStoreConformance, RunsAreRememberedNewestFirst) {
  const Lease lease = MustAcquire(*store_);
  const RunRecord first{.run = "run-1",
                        .job = "job",
                        .host = "h",
                        .version = "0.1.0",
                        .definition = "{}",
                        .pid = 42};
  EXPECT_OK(store_->BeginRun(lease, first));
  world_->AdvanceClock(500);
  EXPECT_OK(store_->EndRun(lease, "run-1", 5, R"({"rows":1})"));
  EXPECT_OK(store_->BeginRun(lease, {.run = "run-0", .job = "job"}));
  EXPECT_CONTRADICTION(store_->EndRun(lease, "run-9", 0, "{}"), "state.no-run");
  const auto runs = *Another()->Runs("job", 9);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].run, "run-0");
  EXPECT_EQ(runs[0].ended_millis, 0);
  EXPECT_EQ(runs[0].exit_code, -1);
  EXPECT_EQ(std::tie(runs[1].run, runs[1].job, runs[1].host, runs[1].version,
                     runs[1].definition),
            std::tie(first.run, first.job, first.host, first.version, first.definition));
  EXPECT_EQ(runs[1].pid, 42);
  EXPECT_EQ(runs[1].exit_code, 5);
  EXPECT_EQ(runs[1].summary, R"({"rows":1})");
  EXPECT_EQ(runs[1].ended_millis - runs[1].started_millis, 500);
  EXPECT_EQ(store_->Runs("job", 1)->size(), 1u);
  EXPECT_EQ(store_->Runs("", 9)->size(), 2u);
  EXPECT_TRUE(store_->Runs("another job", 9)->empty());
}

TEST_P(StateStoreConformance, TheLastProbeIsFoundWithItsAge) {
  EXPECT_FALSE(store_->LastProbe("file:///a")->has_value());
  EXPECT_OK(store_->SaveProbe("file:///a", {.detail = "not yet"}));
  world_->AdvanceClock(10);
  const ProbeVerdict verdict{
      .create_only = true, .atomic = true, .durable = true, .detail = "ok"};
  EXPECT_OK(store_->SaveProbe("file:///a", verdict));
  world_->AdvanceClock(1500);
  const auto found = *Another()->LastProbe("file:///a");
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->first.Enforced() && found->first.durable);
  EXPECT_EQ(found->first.detail, "ok");
  EXPECT_EQ(found->second, 1500);
  EXPECT_FALSE(store_->LastProbe("file:///b")->has_value());
}

TEST_P(StateStoreConformance, ManyThreadsStageChunksOfOneLoad) {
  constexpr int kThreads = 4, kChunks = 24;
  const Lease lease = MustAcquire(*store_);
  MustOpen(lease);
  MustPlan(lease, "load-1", kChunks, /*staged=*/false);
  auto other = Another();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    // Half of them reach the state through another handle: leases know no handles.
    StateStore& store = thread % 2 == 0 ? *store_ : *other;
    threads.emplace_back([&store, &lease, thread] {
      for (int ordinal = 1 + thread; ordinal <= kChunks; ordinal += kThreads) {
        EXPECT_OK(store.BeginAttempt(lease, "load-1", ordinal, "a"));
        EXPECT_OK(store.MarkStaged(lease, ReceiptOf("load-1", ordinal, "a")));
        EXPECT_OK(store.Renew(lease));
        EXPECT_TRUE(store.FindLoad("load-1").ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const LoadState load = MustFind(*store_);
  for (const ChunkState& chunk : load.chunks) EXPECT_TRUE(chunk.staged.has_value());
  EXPECT_TRUE(load.losers.empty());
}

}  // namespace sluice
