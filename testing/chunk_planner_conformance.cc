#include "testing/chunk_planner_conformance.h"

#include <random>
#include <string>
#include <utility>

#include "arrow/record_batch.h"
#include "testing/batches.h"

namespace sluice {
namespace {

constexpr int kChunksMax = 100'000;

}  // namespace

ChunkPlannerMaker::ChunkPlannerMaker(ChunkPlannerSort sort) : sort_(std::move(sort)) {}

ChunkPlannerConformance::ChunkPlannerConformance() = default;
ChunkPlannerConformance::~ChunkPlannerConformance() = default;

void ChunkPlannerConformance::Have(ScriptedRows rows) {
  const bool keyed = GetParam().sort().keyed;
  rows_ = rows;
  database_.Create("t", std::move(rows), keyed);
  set_.sessions.clear();
  source_ = std::make_unique<ScriptedSource>(database_);
  set_ = source_->Open(Consistency::kSnapshot, 1).ValueOrDie();
  Relation relation;
  relation.name = {"main", "t"};
  table_ = set_.sessions[0]->Describe(relation).ValueOrDie();
  last_key_.reset();
  if (keyed) last_key_ = set_.sessions[0]->LastKey(table_).ValueOrDie();
}

std::unique_ptr<ChunkPlanner> ChunkPlannerConformance::Planner(
    const std::vector<Chunk>& planned) {
  return GetParam().sort().make(table_, last_key_, planned);
}

std::vector<Chunk> ChunkPlannerConformance::Plan(
    ChunkPlanner& planner, const std::function<void(ChunkPlanner&)>& between) {
  std::vector<Chunk> chunks;
  while (chunks.size() < kChunksMax) {
    auto chunk = planner.Next(*set_.sessions[0]).ValueOrDie();
    if (!chunk) return chunks;
    chunks.push_back(*chunk);
    if (between) between(planner);
  }
  ADD_FAILURE() << "the plan does not end";
  return chunks;
}

void ChunkPlannerConformance::ExpectWhole(const std::vector<Chunk>& chunks) {
  ASSERT_FALSE(chunks.empty());
  std::vector<std::optional<std::string>> read, wanted;
  for (const auto& [id, row] : rows_) wanted.push_back(std::to_string(id));
  for (size_t i = 0; i < chunks.size(); ++i) {
    EXPECT_EQ(chunks[i].ordinal, static_cast<int64_t>(i) + 1);
    EXPECT_EQ(chunks[i].last, i + 1 == chunks.size());
    auto reader = set_.sessions[0]->Read(table_, chunks[i].range, {}).ValueOrDie();
    for (Row& row : ReadRows(*reader).ValueOrDie()) read.push_back(row[0]);
  }
  EXPECT_EQ(read, wanted);
}

// The library is linked where other suites are used, too.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ChunkPlannerConformance);

TEST_P(ChunkPlannerConformance, EveryRowIsInOneChunk) {
  for (const int64_t rows : {1, 2, 99, 5'000}) {
    for (const int64_t step : {1, 1'000}) {
      SCOPED_TRACE(std::to_string(rows) + " rows, step " + std::to_string(step));
      Have(MakeRows(-50, rows, step));
      ExpectWhole(Plan(*Planner()));
    }
  }
}

TEST_P(ChunkPlannerConformance, ATableWithoutRowsGivesOneChunkAndItIsTheLast) {
  Have({});
  const std::vector<Chunk> chunks = Plan(*Planner());
  EXPECT_EQ(chunks.size(), 1u);
  ExpectWhole(chunks);
}

TEST_P(ChunkPlannerConformance, WhatChunksCostNeverBreaksThePlan) {
  std::mt19937_64 random(4711);
  for (int round = 0; round < 50; ++round) {
    SCOPED_TRACE(round);
    Have(MakeRows(0, 3'000, 3));
    ExpectWhole(Plan(*Planner(), [&](ChunkPlanner& planner) {
      for (uint64_t i = random() % 3; i > 0; --i) {
        const auto some = [&]() -> int64_t {
          return random() % 4 == 0
                     ? 0
                     : static_cast<int64_t>(random() >> (random() % 62 + 1));
        };
        planner.Observe({some(), some(), some(), static_cast<double>(some()) / 1000});
      }
    }));
  }
}

TEST_P(ChunkPlannerConformance, ALaterRunGoesOnWhereTheRecordedPlanEnds) {
  Have(MakeRows(0, 4'000));
  const std::vector<Chunk> plan = Plan(*Planner());
  for (size_t kept = 0; kept <= plan.size(); kept += 1 + plan.size() / 20) {
    SCOPED_TRACE(kept);
    std::vector<Chunk> chunks(plan.begin(), plan.begin() + static_cast<int64_t>(kept));
    for (const Chunk& chunk : Plan(*Planner(chunks))) chunks.push_back(chunk);
    ExpectWhole(chunks);
  }
}

TEST_P(ChunkPlannerConformance, APlanThatIsCompleteGivesNothingMore) {
  Have(MakeRows(0, 1'000));
  const std::vector<Chunk> plan = Plan(*Planner());
  auto planner = Planner(plan);
  EXPECT_FALSE(planner->Next(*set_.sessions[0]).ValueOrDie());
  EXPECT_FALSE(planner->Next(*set_.sessions[0]).ValueOrDie());
}

TEST_P(ChunkPlannerConformance, RowsBehindTheLastKeyAreNotPlanned) {
  if (!GetParam().sort().keyed) return;  // Nothing is behind a whole table.
  Have(MakeRows(0, 500));
  const ScriptedRows planned = rows_;
  const std::optional<Key> last_key = last_key_;
  ScriptedRows more = MakeRows(0, 900);
  Have(more);
  rows_ = planned;
  last_key_ = last_key;
  ExpectWhole(Plan(*Planner()));
}

TEST_P(ChunkPlannerConformance, AFailedQuestionIsReturnedAndMayBeAskedAgain) {
  Have(MakeRows(0, 3'000));
  source_->FailAt(SourceCall::kBound, 2,
                  Error(ErrorKind::kTransient, "source.locked", "locked"));
  auto planner = Planner();
  std::vector<Chunk> chunks;
  int failures = 0;
  while (chunks.size() < kChunksMax) {
    const auto chunk = planner->Next(*set_.sessions[0]);
    if (!chunk.ok()) {
      EXPECT_EQ(KindOf(chunk.status()), ErrorKind::kTransient);
      ASSERT_LE(++failures, 1);
      continue;
    }
    if (!*chunk) break;
    chunks.push_back(**chunk);
  }
  ExpectWhole(chunks);
}

}  // namespace sluice
