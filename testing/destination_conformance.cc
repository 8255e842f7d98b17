#include "testing/destination_conformance.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "arrow/array/array_dict.h"
#include "arrow/record_batch.h"
#include "arrow/scalar.h"
#include "arrow/type.h"
#include "arrow/util/cancel.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const char kLoad[] = "01900000-0000-7000-8000-000000000001";
const char kNext[] = "01900000-0000-7000-8000-000000000002";

arrow::StopToken Unstoppable() { return arrow::StopToken::Unstoppable(); }

void ExpectOk(const Status& status) { EXPECT_TRUE(status.ok()) << status.ToString(); }

}  // namespace

// A linker may take this suite along for a template it happens to hold; without a
// destination there is nothing to run.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DestinationConformance);

DestinationMaker::DestinationMaker(
    std::function<std::unique_ptr<DestinationFixture>()> make)
    : make_(std::move(make)) {}

DestinationConformance::DestinationConformance()
    : schema_(arrow::schema({arrow::field("id", arrow::int64(), /*nullable=*/false),
                             arrow::field("name", arrow::utf8())})),
      fixture_(GetParam().Make()),
      destination_(fixture_->Open()),
      other_(fixture_->Open()) {}
DestinationConformance::~DestinationConformance() = default;

LoadSpec DestinationConformance::Spec(const std::string& load) const {
  LoadSpec spec;
  spec.load = load;
  spec.job = "nightly";
  spec.run = "r1";
  spec.stream = "orders";
  spec.relation.name = table_;
  spec.key = {"id"};
  spec.schema = schema_;
  spec.source = "scripted:";
  return spec;
}

std::unique_ptr<Load> DestinationConformance::OpenLoad(Destination& destination,
                                                       const std::string& load) {
  auto opened = destination.Open(Spec(load));
  EXPECT_TRUE(opened.ok()) << opened.status().ToString();
  return opened.ok() ? std::move(*opened) : nullptr;
}

std::shared_ptr<arrow::RecordBatchReader> DestinationConformance::Rows(
    int64_t ordinal, int64_t count) const {
  std::string json;
  for (int64_t i = 0; i < count; ++i) {
    auto id = std::to_string(10 * ordinal + i);
    json += (i == 0 ? "[" : ",[") + id + ", " +
            (i % 3 == 2 ? "null" : "\"n" + id + "\"") + "]";
  }
  return ReaderOf(schema_, "[" + json + "]");
}

Chunk DestinationConformance::ChunkAt(int64_t ordinal, bool last) const {
  Chunk chunk;
  chunk.ordinal = ordinal;
  chunk.last = last;
  if (ordinal > 1)
    chunk.range.after = Key{std::make_shared<arrow::Int64Scalar>(10 * ordinal - 1)};
  if (!last)
    chunk.range.upto = Key{std::make_shared<arrow::Int64Scalar>(10 * ordinal + 9)};
  return chunk;
}

ChunkReceipt DestinationConformance::Prepared(Load& load, int64_t ordinal,
                                              const std::string& attempt, int64_t count,
                                              DigestKind digest) {
  PrepareContext context;
  context.chunk = ChunkAt(ordinal);
  context.attempt = attempt;
  context.digest = digest;
  auto receipt = load.Prepare(context, Rows(ordinal, count));
  EXPECT_TRUE(receipt.ok()) << receipt.status().ToString();
  return receipt.ok() ? *receipt : ChunkReceipt();
}

std::vector<ChunkReceipt> DestinationConformance::Published(
    Load& load, const std::vector<ChunkReceipt>& winners) {
  auto published = load.Publish(winners, Unstoppable());
  EXPECT_TRUE(published.ok()) << published.status().ToString();
  return published.ok() ? *published : std::vector<ChunkReceipt>();
}

ManifestFacts DestinationConformance::Facts(int64_t chunks) const {
  ManifestFacts facts;
  for (int64_t i = 1; i <= chunks; ++i) facts.chunks.push_back(ChunkAt(i, i == chunks));
  facts.positions = {"p1"};
  return facts;
}

std::vector<ChunkReceipt> DestinationConformance::Committed(const std::string& load) {
  auto handle = OpenLoad(*destination_, load);
  auto published =
      Published(*handle, {Prepared(*handle, 1, "a1"), Prepared(*handle, 2, "a2")});
  auto slot = handle->Commit(published, Facts(2));
  EXPECT_TRUE(slot.ok()) << slot.status().ToString();
  EXPECT_TRUE(slot.ok() && slot->outcome == Outcome::kCommitted);
  ExpectOk(handle->CleanUp());
  return published;
}

std::vector<Row> DestinationConformance::ReadBack(Load& load,
                                                  const ChunkReceipt& receipt) {
  auto reader = load.ReadBack(receipt);
  EXPECT_TRUE(reader.ok()) << reader.status().ToString();
  if (!reader.ok()) return {};
  EXPECT_TRUE((*reader)->schema()->Equals(*schema_));
  auto rows = ReadRows(**reader);
  EXPECT_TRUE(rows.ok()) << rows.status().ToString();
  return rows.ok() ? *rows : std::vector<Row>();
}

Outcome DestinationConformance::OutcomeOf(const std::string& load) {
  auto slot = OpenLoad(*other_, load)->FindSlot();
  EXPECT_TRUE(slot.ok()) << slot.status().ToString();
  return slot.ok() ? slot->outcome : Outcome::kUndecided;
}

LoadEntry DestinationConformance::EntryOf(const std::string& load) {
  auto entries = other_->Loads(table_);
  EXPECT_TRUE(entries.ok()) << entries.status().ToString();
  if (!entries.ok()) return {};
  for (const auto& entry : *entries) {
    if (entry.load == load) return entry;
  }
  ADD_FAILURE() << "no entry for load " << load;
  return {};
}

TEST_P(DestinationConformance, ALoadHasANameAndATable) {
  LoadSpec nameless = Spec("");
  LoadSpec tableless = Spec(kLoad);
  tableless.relation.name.table.clear();
  for (const LoadSpec& spec : {nameless, tableless}) {
    const Status refused = destination_->Open(spec).status();
    EXPECT_EQ(KindOf(refused), ErrorKind::kUsage);
    EXPECT_EQ(IdOf(refused), "load.name");
  }
}

TEST_P(DestinationConformance, PreparedIsInvisibleAndCountsEveryRow) {
  auto load = OpenLoad(*destination_, kLoad);
  auto receipt = Prepared(*load, 1, "a1", 5);
  EXPECT_EQ(receipt.load, kLoad);
  EXPECT_EQ(receipt.ordinal, 1);
  EXPECT_EQ(receipt.attempt, "a1");
  EXPECT_EQ(receipt.rows, 5);
  EXPECT_EQ(receipt.digest.kind, DigestKind::kNone);
  int64_t rows = 0;
  int64_t size = 0;
  for (const auto& object : receipt.staged) {
    rows += object.rows;
    size += object.size;
  }
  EXPECT_EQ(rows, 5);
  EXPECT_EQ(receipt.cost.rows, 5);
  EXPECT_EQ(receipt.cost.encoded_bytes, size);
  EXPECT_THAT(fixture_->Visible(), IsEmpty());
  EXPECT_EQ(OutcomeOf(kLoad), Outcome::kUndecided);
}

TEST_P(DestinationConformance, AFailedReadLeavesNothingVisibleOrStaged) {
  auto load = OpenLoad(*destination_, kLoad);
  PrepareContext context;
  context.chunk = ChunkAt(1);
  context.attempt = "a1";
  auto batch = BatchOf(schema_, R"([[1, "a"]])");
  auto broken = ReaderThatFails(schema_, {batch},
                                Error(ErrorKind::kSource, "test.page", "a corrupt page"));
  auto receipt = load->Prepare(context, broken);
  ASSERT_FALSE(receipt.ok());
  EXPECT_EQ(KindOf(receipt.status()), ErrorKind::kSource) << receipt.status().ToString();
  EXPECT_EQ(IdOf(receipt.status()), "test.page");
  EXPECT_THAT(fixture_->Visible(), IsEmpty());
  auto entries = other_->Loads(table_);
  ASSERT_TRUE(entries.ok());
  for (const auto& entry : *entries) EXPECT_EQ(entry.staged, 0);
}

TEST_P(DestinationConformance, AStopEndsAPrepareAndLeavesNothing) {
  auto load = OpenLoad(*destination_, kLoad);
  arrow::StopSource source;
  auto token = source.token();
  PrepareContext context;
  context.chunk = ChunkAt(1);
  context.attempt = "a1";
  context.stop = &token;
  source.RequestStop();
  EXPECT_EQ(KindOf(load->Prepare(context, Rows(1, 3)).status()), ErrorKind::kCancelled);
  EXPECT_THAT(fixture_->Visible(), IsEmpty());
}

TEST_P(DestinationConformance, PublishedIsVisibleReadableAndNotCommitted) {
  auto load = OpenLoad(*destination_, kLoad);
  auto published =
      Published(*load, {Prepared(*load, 1, "a1"), Prepared(*load, 2, "a2", 4)});
  ASSERT_THAT(published, SizeIs(2));
  EXPECT_THAT(fixture_->Visible(),
              SizeIs(published[0].objects.size() + published[1].objects.size()));
  for (const auto& receipt : published) {
    EXPECT_EQ(receipt.objects.size(), receipt.staged.size());
    ExpectOk(load->CheckStored(receipt, Unstoppable()));
  }
  auto wanted = *ReadRows(*Rows(2, 4));
  EXPECT_EQ(ReadBack(*load, published[1]), wanted);
  EXPECT_EQ(OutcomeOf(kLoad), Outcome::kUndecided);
}

TEST_P(DestinationConformance, PublishingAgainChangesNothing) {
  auto load = OpenLoad(*destination_, kLoad);
  std::vector<ChunkReceipt> winners = {Prepared(*load, 1, "a1")};
  auto once = Published(*load, winners);
  auto visible = fixture_->Visible();
  auto again = Published(*load, winners);
  auto with_objects = Published(*load, once);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].objects, once[0].objects);
  EXPECT_EQ(with_objects[0].objects, once[0].objects);
  EXPECT_EQ(fixture_->Visible(), visible);
}

TEST_P(DestinationConformance, AnyProcessPublishesAndCommitsFromTheReceipts) {
  auto winners = {Prepared(*OpenLoad(*destination_, kLoad), 1, "a1")};
  destination_.reset();
  auto load = OpenLoad(*other_, kLoad);
  auto published = Published(*load, winners);
  EXPECT_EQ(ReadBack(*load, published[0]), *ReadRows(*Rows(1, 3)));
  auto slot = load->Commit(published, Facts(1));
  ASSERT_TRUE(slot.ok()) << slot.status().ToString();
  EXPECT_EQ(slot->outcome, Outcome::kCommitted);
}

TEST_P(DestinationConformance, OfTwoAttemptsOnlyTheWinnerIsVisible) {
  auto load = OpenLoad(*destination_, kLoad);
  auto loser = Prepared(*load, 1, "a1");
  auto winner = Prepared(*load, 1, "b1", 2);
  auto published = Published(*load, {winner});
  ExpectOk(load->Retire(loser));
  EXPECT_THAT(fixture_->Visible(), SizeIs(published[0].objects.size()));
  EXPECT_THAT(ReadBack(*load, published[0]), SizeIs(2));
  ExpectOk(load->CheckStored(published[0], Unstoppable()));
}

TEST_P(DestinationConformance, WhatIsNotPublishedCannotBeReadBack) {
  auto load = OpenLoad(*destination_, kLoad);
  const ChunkReceipt staged = Prepared(*load, 1, "a1");
  EXPECT_EQ(IdOf(load->ReadBack(staged).status()), "load.not-published");
  EXPECT_EQ(IdOf(load->CheckStored(staged, Unstoppable())), "load.not-published");
}

TEST_P(DestinationConformance, WhatIsRetiredCannotBePublished) {
  auto load = OpenLoad(*destination_, kLoad);
  auto receipt = Prepared(*load, 1, "a1");
  ExpectOk(load->Retire(receipt));
  ExpectOk(load->Retire(receipt));
  EXPECT_FALSE(load->Publish({receipt}, Unstoppable()).ok());
  EXPECT_THAT(fixture_->Visible(), IsEmpty());
}

TEST_P(DestinationConformance, StoredBytesThatAreNotTheReceiptsAreAMismatch) {
  auto load = OpenLoad(*destination_, kLoad);
  auto receipt = Published(*load, {Prepared(*load, 1, "a1")})[0];
  auto other_crc = receipt;
  other_crc.objects[0].crc32c ^= 1;
  other_crc.staged[0].crc32c ^= 1;
  auto other_rows = receipt;
  other_rows.staged[0].rows += 1;
  auto other_size = receipt;
  other_size.objects[0].size += 1;
  other_size.staged[0].size += 1;
  for (const auto& wrong : {other_crc, other_rows, other_size}) {
    EXPECT_EQ(KindOf(load->CheckStored(wrong, Unstoppable())), ErrorKind::kMismatch);
  }
}

TEST_P(DestinationConformance, ATableWithoutRowsHasItsSchema) {
  auto load = OpenLoad(*destination_, kLoad);
  auto published =
      Published(*load, {Prepared(*load, 1, "a1", 0), Prepared(*load, 2, "a2", 0)});
  EXPECT_THAT(fixture_->Visible(), SizeIs(1));
  EXPECT_THAT(ReadBack(*load, published[0]), IsEmpty());
  EXPECT_THAT(ReadBack(*load, published[1]), IsEmpty());
  ExpectOk(load->CheckStored(published[1], Unstoppable()));
  auto slot = load->Commit(published, Facts(2));
  ASSERT_TRUE(slot.ok()) << slot.status().ToString();
  EXPECT_EQ(EntryOf(kLoad).files, 1);
  EXPECT_EQ(EntryOf(kLoad).rows, 0);
}

TEST_P(DestinationConformance, DictionariesArriveAsTheirValues) {
  auto texts =
      BatchOf(arrow::schema({arrow::field("v", arrow::utf8())}), R"([["x"], ["y"]])");
  auto ids =
      BatchOf(arrow::schema({arrow::field("i", arrow::int64())}), "[[1], [2], [3]]");
  auto indices =
      BatchOf(arrow::schema({arrow::field("i", arrow::int32())}), "[[1], [null], [0]]");
  auto encoded =
      arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::int32(), arrow::utf8()),
                                         indices->column(0), texts->column(0))
          .ValueOrDie();
  auto memo = arrow::RecordBatch::Make(
      arrow::schema({schema_->field(0), schema_->field(1)->WithType(encoded->type())}), 3,
      {ids->column(0), encoded});
  auto plain = BatchOf(schema_, R"([[4, "y"], [5, "z"]])");
  auto load = OpenLoad(*destination_, kLoad);
  PrepareContext context;
  context.chunk = ChunkAt(1);
  context.attempt = "a1";
  auto receipt = load->Prepare(context, ReaderOf(schema_, {memo, plain, memo}));
  ASSERT_TRUE(receipt.ok()) << receipt.status().ToString();
  auto rows = ReadBack(*load, Published(*load, {*receipt})[0]);
  ASSERT_THAT(rows, SizeIs(8));
  EXPECT_THAT(rows[0], ElementsAre("1", "y"));
  EXPECT_THAT(rows[1], ElementsAre("2", std::nullopt));
  EXPECT_THAT(rows[4], ElementsAre("5", "z"));
  EXPECT_THAT(rows[7], ElementsAre("3", "x"));
}

TEST_P(DestinationConformance, TheDigestIsOfTheRowsNotOfTheAttempt) {
  auto load = OpenLoad(*destination_, kLoad);
  auto one = Prepared(*load, 1, "a1", 5, DigestKind::kClient);
  auto two = Prepared(*load, 1, "b1", 5, DigestKind::kClient);
  auto fewer = Prepared(*load, 1, "c1", 4, DigestKind::kClient);
  EXPECT_EQ(one.digest.kind, DigestKind::kClient);
  EXPECT_EQ(one.digest.rows, 5);
  EXPECT_EQ(one.digest.hashed, 5);
  EXPECT_EQ(one.digest, two.digest);
  EXPECT_FALSE(one.digest.high == fewer.digest.high);
}

TEST_P(DestinationConformance, CommitDecidesOnceAndIsSeenByAll) {
  auto load = OpenLoad(*destination_, kLoad);
  auto published = Published(*load, {Prepared(*load, 1, "a1")});
  auto slot = load->Commit(published, Facts(1));
  ASSERT_TRUE(slot.ok()) << slot.status().ToString();
  EXPECT_EQ(slot->outcome, Outcome::kCommitted);
  auto facts = Facts(1);
  facts.positions = {"another"};
  auto again = OpenLoad(*other_, kLoad)->Commit(published, facts);
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ(again->json, slot->json) << "a slot is never rewritten";
  EXPECT_EQ(again->path, slot->path);
  auto found = OpenLoad(*other_, kLoad)->FindSlot();
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->json, slot->json);
}

TEST_P(DestinationConformance, CommitTakesOneReceiptForEachChunkOrNothing) {
  auto load = OpenLoad(*destination_, kLoad);
  auto one = Prepared(*load, 1, "a1");
  auto published = Published(*load, {one});
  EXPECT_FALSE(load->Commit(published, Facts(2)).ok()) << "a chunk is missing";
  EXPECT_FALSE(load->Commit({published[0], published[0]}, Facts(1)).ok())
      << "one too many";
  EXPECT_FALSE(load->Commit({one}, Facts(1)).ok()) << "not published";
  EXPECT_FALSE(load->Commit({}, Facts(0)).ok()) << "no chunk at all";
  EXPECT_EQ(OutcomeOf(kLoad), Outcome::kUndecided);
}

TEST_P(DestinationConformance, DiscardedLeavesNothingBehindButItsSlot) {
  auto load = OpenLoad(*destination_, kLoad);
  auto published = Published(*load, {Prepared(*load, 1, "a1")});
  Prepared(*load, 2, "a2");
  ExpectOk(load->Discard());
  EXPECT_THAT(fixture_->Visible(), IsEmpty());
  EXPECT_EQ(EntryOf(kLoad).outcome, Outcome::kDiscarded);
  EXPECT_EQ(EntryOf(kLoad).staged, 0);
  ExpectOk(OpenLoad(*other_, kLoad)->Discard());
  auto late = load->Commit(published, Facts(1));
  ASSERT_TRUE(late.ok()) << late.status().ToString();
  EXPECT_EQ(late->outcome, Outcome::kDiscarded);
}

TEST_P(DestinationConformance, ADiscardedLoadIsNotPublished) {
  auto load = OpenLoad(*destination_, kLoad);
  auto winners = {Prepared(*load, 1, "a1")};
  ExpectOk(OpenLoad(*other_, kLoad)->Discard());
  auto late = load->Publish(winners, Unstoppable());
  EXPECT_EQ(KindOf(late.status()), ErrorKind::kHeld) << late.status().ToString();
  EXPECT_EQ(IdOf(late.status()), "load.discarded");
  EXPECT_THAT(fixture_->Visible(), IsEmpty());
}

TEST_P(DestinationConformance, ACommittedLoadIsNeverDiscarded) {
  Committed(kLoad);
  auto visible = fixture_->Visible();
  auto refused = OpenLoad(*other_, kLoad)->Discard();
  EXPECT_EQ(KindOf(refused), ErrorKind::kHeld);
  EXPECT_EQ(IdOf(refused), "load.committed");
  EXPECT_EQ(fixture_->Visible(), visible);
  EXPECT_EQ(OutcomeOf(kLoad), Outcome::kCommitted);
}

TEST_P(DestinationConformance, CommitAndDiscardAtOnceHaveOneOutcome) {
  for (int round = 0; round < 8; ++round) {
    auto id = std::string(kLoad).substr(0, 34) + std::to_string(10 + round);
    auto mine = OpenLoad(*destination_, id);
    auto theirs = OpenLoad(*other_, id);
    auto published = Published(*mine, {Prepared(*mine, 1, "a1")});
    std::atomic<bool> go = false;
    Status discarded;
    std::thread rival([&] {
      while (!go) std::this_thread::yield();
      discarded = theirs->Discard();
    });
    go = true;
    auto slot = mine->Commit(published, Facts(1));
    rival.join();
    ASSERT_TRUE(slot.ok()) << slot.status().ToString();
    ASSERT_NE(slot->outcome, Outcome::kUndecided);
    EXPECT_EQ(OutcomeOf(id), slot->outcome);
    bool committed = slot->outcome == Outcome::kCommitted;
    EXPECT_EQ(committed, !discarded.ok()) << discarded.ToString();
    EXPECT_EQ(IdOf(discarded), committed ? "load.committed" : "");
  }
}

TEST_P(DestinationConformance, CleanUpNeedsADecisionAndTakesLeftoversOnly) {
  auto load = OpenLoad(*destination_, kLoad);
  Prepared(*load, 1, "dead");
  auto published = Published(*load, {Prepared(*load, 1, "a1")});
  EXPECT_EQ(IdOf(load->CleanUp()), "load.undecided");
  ASSERT_TRUE(load->Commit(published, Facts(1)).ok());
  ExpectOk(load->CleanUp());
  ExpectOk(load->CleanUp());
  EXPECT_EQ(EntryOf(kLoad).staged, 0);
  EXPECT_EQ(ReadBack(*load, published[0]), *ReadRows(*Rows(1, 3)));
}

TEST_P(DestinationConformance, ManyThreadsPrepareAtOnce) {
  auto load = OpenLoad(*destination_, kLoad);
  std::vector<ChunkReceipt> receipts(8);
  std::vector<std::thread> threads;
  for (int64_t i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      receipts[static_cast<size_t>(i)] =
          Prepared(*load, i + 1, "a" + std::to_string(i), i + 1);
    });
  }
  for (auto& thread : threads) thread.join();
  auto published = Published(*load, receipts);
  ASSERT_THAT(published, SizeIs(8));
  for (int64_t i = 0; i < 8; ++i) {
    EXPECT_EQ(ReadBack(*load, published[static_cast<size_t>(i)]),
              *ReadRows(*Rows(i + 1, i + 1)));
  }
}

TEST_P(DestinationConformance, LoadsAreListedWithTheirDecision) {
  Committed(kLoad);
  auto load = OpenLoad(*destination_, kNext);
  auto staged = Prepared(*load, 1, "a1");
  EXPECT_EQ(EntryOf(kNext).outcome, Outcome::kUndecided);
  EXPECT_GE(EntryOf(kNext).staged, 1);
  Published(*load, {staged});
  EXPECT_GE(EntryOf(kNext).files, 1);
  EXPECT_EQ(EntryOf(kNext).outcome, Outcome::kUndecided);
  auto entry = EntryOf(kLoad);
  EXPECT_EQ(entry.table, table_);
  EXPECT_EQ(entry.outcome, Outcome::kCommitted);
  EXPECT_FALSE(entry.dropped);
  EXPECT_EQ(entry.job, "nightly");
  EXPECT_EQ(entry.stream, "orders");
  EXPECT_EQ(entry.rows, 6);
  EXPECT_EQ(entry.files, 2);
  EXPECT_EQ(entry.staged, 0);
  EXPECT_GT(entry.size, 0);
  EXPECT_GT(entry.modified_micros, 0);
  EXPECT_THAT(*other_->Tables(), ElementsAre(table_));
}

TEST_P(DestinationConformance, ADroppedLoadKeepsItsSlotAndLosesItsObjects) {
  Committed(kLoad);
  Committed(kNext);
  auto both = fixture_->Visible().size();
  ExpectOk(destination_->Drop(table_, kLoad));
  ExpectOk(other_->Drop(table_, kLoad));
  EXPECT_EQ(fixture_->Visible().size() * 2, both);
  EXPECT_TRUE(EntryOf(kLoad).dropped);
  EXPECT_EQ(EntryOf(kLoad).outcome, Outcome::kCommitted);
  EXPECT_FALSE(EntryOf(kNext).dropped);
}

TEST_P(DestinationConformance, OnlyACommittedLoadIsDropped) {
  auto load = OpenLoad(*destination_, kLoad);
  Published(*load, {Prepared(*load, 1, "a1")});
  EXPECT_EQ(IdOf(destination_->Drop(table_, kLoad)), "load.not-committed");
  ExpectOk(load->Discard());
  Published(*OpenLoad(*destination_, kNext),
            {Prepared(*OpenLoad(*destination_, kNext), 1, "a1")});
  EXPECT_EQ(IdOf(destination_->Drop(table_, kLoad)), "load.not-committed");
  EXPECT_THAT(fixture_->Visible(), SizeIs(1));
}

TEST_P(DestinationConformance, CollectDiscardsWhatNobodyDecided) {
  auto load = OpenLoad(*destination_, kLoad);
  auto published = Published(*load, {Prepared(*load, 1, "a1")});
  Prepared(*load, 2, "a2");
  auto removed = other_->Collect(table_, kLoad);
  ASSERT_TRUE(removed.ok()) << removed.status().ToString();
  EXPECT_GE(*removed, 2);
  EXPECT_THAT(fixture_->Visible(), IsEmpty());
  EXPECT_EQ(OutcomeOf(kLoad), Outcome::kDiscarded);
  EXPECT_EQ(*other_->Collect(table_, kLoad), 0);
}

TEST_P(DestinationConformance, CollectTakesLeftoversOfACommittedLoadOnly) {
  Committed(kLoad);
  auto visible = fixture_->Visible();
  auto load = OpenLoad(*destination_, kLoad);
  Prepared(*load, 1, "late");
  EXPECT_GE(*other_->Collect(table_, kLoad), 1);
  EXPECT_EQ(fixture_->Visible(), visible);
  EXPECT_EQ(EntryOf(kLoad).staged, 0);
  EXPECT_EQ(OutcomeOf(kLoad), Outcome::kCommitted);
}

TEST_P(DestinationConformance, NamesComeBackAsTheyAre) {
  std::vector<TableName> names = {{"main", "a b"},       {"main", "Grüße 🦆"},
                                  {"main", "quote\"'`"}, {"main", "line\nend"},
                                  {"main", "a.b/c\\d"},  {"main", "_hidden"},
                                  {"main", "100%"},      {"x.y", "select"}};
  for (const auto& name : names) {
    auto spec = Spec(kLoad);
    spec.relation.name = name;
    auto load = destination_->Open(spec);
    ASSERT_TRUE(load.ok()) << load.status().ToString();
    Published(**load, {Prepared(**load, 1, "a1")});
    auto entries = other_->Loads(name);
    ASSERT_TRUE(entries.ok()) << entries.status().ToString();
    ASSERT_THAT(*entries, SizeIs(1));
    EXPECT_EQ(entries->front().load, kLoad);
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(*other_->Tables(), names);
}

TEST_P(DestinationConformance, AnEmptyDestinationHasNothing) {
  EXPECT_THAT(*destination_->Tables(), IsEmpty());
  EXPECT_THAT(*destination_->Loads(table_), IsEmpty());
  EXPECT_EQ(OutcomeOf(kLoad), Outcome::kUndecided);
}

}  // namespace sluice
