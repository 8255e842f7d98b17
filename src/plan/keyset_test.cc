#include "plan/keyset.h"

#include <gtest/gtest.h>

#include "arrow/record_batch.h"
#include "arrow/scalar.h"
#include "testing/scripted_source.h"

namespace sluice {
namespace {

TableInfo TableOf(int64_t rows, int64_t row_bytes) {
  TableInfo table;
  table.key = {"id"};
  table.estimated_rows = rows;
  table.estimated_bytes = rows * row_bytes;
  return table;
}

KeysetPlanner PlannerOf(const TableInfo& table, const PlanOptions& options = {}) {
  return KeysetPlanner(table, std::nullopt, {}, options);
}

TEST(KeysetPlanner, ALargeTableGivesEachWorkerTwoChunks) {
  EXPECT_EQ(PlannerOf(TableOf(200'000, 100), {.workers = 2}).rows_wanted(), 50'000);
  EXPECT_EQ(PlannerOf(TableOf(200'000, 100), {.workers = 5}).rows_wanted(), 20'000);
}

TEST(KeysetPlanner, AChunkIsNeverSmallerThanTenThousandRowsOfAnOrdinaryTable) {
  EXPECT_EQ(PlannerOf(TableOf(200'000, 100), {.workers = 64}).rows_wanted(), 10'000);
  EXPECT_EQ(PlannerOf(TableOf(50'000, 100), {.target_encoded_bytes = 1000}).rows_wanted(),
            10'000);
}

TEST(KeysetPlanner, RowsThatAreLargeMakeAChunkOfFewerRows) {
  EXPECT_EQ(PlannerOf(TableOf(1'000'000, 1 << 20), {.target_encoded_bytes = 1 << 20})
                .rows_wanted(),
            32);
}

TEST(KeysetPlanner, AFirstChunkIsNoLargerThanItsFileWouldBeWithoutCompression) {
  const PlanOptions options{.target_encoded_bytes = 100 << 20,
                            .memory = int64_t{1} << 40};
  EXPECT_NEAR(
      static_cast<double>(PlannerOf(TableOf(100'000'000, 1000), options).rows_wanted()),
      0.9 * (100 << 20) / 1000, 1);
}

TEST(KeysetPlanner, AChunkAtMostDoublesAndShrinksAtOnce) {
  const TableInfo unknown = TableOf(0, 0);
  KeysetPlanner planner = PlannerOf(unknown, {.target_encoded_bytes = 100'000'000});
  const int64_t first = planner.rows_wanted();
  planner.Observe({.rows = first,
                   .source_bytes = first * 100,
                   .encoded_bytes = 1000,
                   .seconds = 0.1});
  EXPECT_EQ(planner.rows_wanted(), 2 * first);
  planner.Observe({.rows = 2 * first,
                   .source_bytes = first,
                   .encoded_bytes = 180'000'000,
                   .seconds = 1});
  EXPECT_EQ(planner.rows_wanted(), first);
}

TEST(KeysetPlanner, AChunkThatTakesTooLongMakesTheNextOneSmaller) {
  KeysetPlanner planner = PlannerOf(TableOf(0, 0));
  planner.Observe({.rows = 100'000,
                   .source_bytes = 10'000'000,
                   .encoded_bytes = 1000,
                   .seconds = 80});
  EXPECT_EQ(planner.rows_wanted(), 25'000);
}

TEST(KeysetPlanner, ATableBeyondItsEstimateIsNoLongerHeldBackByIt) {
  ScriptedDatabase database;
  database.Create("t", MakeRows(0, 260'000));
  ScriptedSource source(database);
  SessionSet set = source.Open(Consistency::kSnapshot, 1).ValueOrDie();
  Relation relation;
  relation.name = {"main", "t"};
  TableInfo table = set.sessions[0]->Describe(relation).ValueOrDie();
  table.estimated_rows = 200'000;
  table.estimated_bytes = 200'000 * 100;
  const auto last = set.sessions[0]->LastKey(table).ValueOrDie();
  KeysetPlanner planner(table, last, {}, {.workers = 10});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(planner.rows_wanted(), 10'000);
    ASSERT_TRUE(planner.Next(*set.sessions[0]).ValueOrDie());
    planner.Observe(
        {.rows = 10'000, .source_bytes = 1'000'000, .encoded_bytes = 9, .seconds = 0.1});
  }
  EXPECT_EQ(planner.rows_wanted(), 20'000);
}

}  // namespace
}  // namespace sluice
