#include <gtest/gtest.h>

#include "arrow/record_batch.h"
#include "arrow/scalar.h"
#include "arrow/type.h"
#include "arrow/util/cancel.h"
#include "testing/batches.h"
#include "testing/fake_clock.h"
#include "testing/scripted_source.h"

namespace sluice {
namespace {

using std::chrono_literals::operator""s;

Key KeyOf(int64_t id) { return {std::make_shared<arrow::Int64Scalar>(id)}; }
int64_t IdIn(const Key& key) {
  return static_cast<const arrow::Int64Scalar&>(*key[0]).value;
}

class ScriptedSourceTest : public ::testing::Test {
 protected:
  std::unique_ptr<Session> Open(Consistency wanted = Consistency::kSnapshot) {
    return std::move(source_.Open(wanted, 1).ValueOrDie().sessions[0]);
  }
  Result<std::vector<Row>> Read(Session& session, const KeyRange& range,
                                ReadContext context = {}) {
    ARROW_ASSIGN_OR_RAISE(const TableInfo info, session.Describe(table_));
    ARROW_ASSIGN_OR_RAISE(const auto reader, session.Read(info, range, context));
    return ReadRows(*reader);
  }

  const Relation table_{{"main", "orders"}, {}, "", OnTypeMismatch::kError};
  ScriptedDatabase database_;
  ScriptedSource source_{database_};
};

TEST_F(ScriptedSourceTest, ReadsARangeOpenBelowAndClosedAbove) {
  database_.Create("orders", MakeRows(5, 4));
  const auto session = Open();
  ReadTally tally;
  const auto rows =
      Read(*session, {KeyOf(5), KeyOf(7)}, {.batch_rows = 1, .tally = &tally});
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(*rows,
            (std::vector<Row>{{"6", "row 6", "1.5"}, {"7", "row 7", std::nullopt}}));
  EXPECT_EQ(tally.rows, 2);
  EXPECT_EQ(Read(*session, {})->size(), 4u);
  EXPECT_EQ(Read(*session, {KeyOf(7), KeyOf(3)})->size(), 0u);
  EXPECT_EQ(Read(*session, {KeyOf(100), KeyOf(50)})->size(), 0u);
  EXPECT_EQ(source_.rows_read(), 6);
}

TEST_F(ScriptedSourceTest, AnswersLastKeyAndBounds) {
  database_.Create("orders", MakeRows(10, 10, 10));
  const auto session = Open();
  const TableInfo info = session->Describe(table_).ValueOrDie();
  EXPECT_EQ(IdIn(**session->LastKey(info)), 100);
  EXPECT_EQ(IdIn(**session->Bound(info, {}, 3)), 30);
  EXPECT_EQ(IdIn(**session->Bound(info, {KeyOf(30), KeyOf(60)}, 3)), 60);
  EXPECT_EQ(*session->Bound(info, {KeyOf(30), KeyOf(60)}, 4), std::nullopt);
  database_.Create("empty", {});
  const TableInfo empty = Open()->Describe({{"main", "empty"}, {}, "", {}}).ValueOrDie();
  EXPECT_EQ(*Open()->LastKey(empty), std::nullopt);
}

TEST_F(ScriptedSourceTest, ASnapshotStaysWhileTheDatabaseChanges) {
  database_.Create("orders", MakeRows(1, 2));
  const auto before = source_.Open(Consistency::kSnapshot, 2).ValueOrDie();
  const auto live = Open(Consistency::kPerChunk);
  database_.Put("orders", 3, {"new", std::nullopt});
  const auto after = source_.Open(Consistency::kSnapshot, 1).ValueOrDie();
  EXPECT_EQ(Read(*before.sessions[1], {})->size(), 2u);
  EXPECT_EQ(Read(*live, {})->size(), 3u);
  EXPECT_EQ(Read(*after.sessions[0], {})->size(), 3u);
  EXPECT_NE(before.position, after.position);
  const TableInfo info = live->Describe(table_).ValueOrDie();
  EXPECT_TRUE(live->CheckUnchanged(info).ok());
  database_.Alter("orders");
  EXPECT_EQ(IdOf(live->CheckUnchanged(info)), "source.table-changed");
  database_.Drop("orders");
  EXPECT_EQ(IdOf(live->CheckUnchanged(info)), "source.table-gone");
}

TEST_F(ScriptedSourceTest, FailsWhereItIsToldAndDiesWhenKilled) {
  database_.Create("orders", MakeRows(1, 3));
  source_.FailAt(SourceCall::kBatch, 2,
                 Error(ErrorKind::kTransient, "source.locked", "locked"));
  const auto session = Open();
  EXPECT_EQ(IdOf(Read(*session, {}, {.batch_rows = 1}).status()), "source.locked");
  EXPECT_EQ(Read(*session, {}, {.batch_rows = 1})->size(), 3u);
  EXPECT_EQ(IdOf(Read(*session, {}, {.row_bytes_max = 10}).status()),
            "source.row-too-large");
  ASSERT_TRUE(session->Cancel().ok());
  source_.Kill();
  EXPECT_EQ(IdOf(Read(*session, {}).status()), "fault.dead");
  EXPECT_EQ(IdOf(source_.Open(Consistency::kSnapshot, 1).status()), "fault.dead");
  EXPECT_TRUE(ScriptedSource(database_).Open(Consistency::kSnapshot, 1).ok());
}

TEST(FakeClock, SleepsAtOnceUnlessItIsStopped) {
  FakeClock clock;
  const int64_t before = clock.NowMicros();
  arrow::StopSource stop;
  EXPECT_TRUE(clock.Sleep(3s, stop.token()).ok());
  clock.Advance(2s);
  EXPECT_EQ(clock.NowMicros() - before, 5'000'000);
  EXPECT_EQ(clock.slept(), 3s);
  stop.RequestStop();
  EXPECT_EQ(KindOf(clock.Sleep(3s, stop.token())), ErrorKind::kCancelled);
  EXPECT_EQ(clock.sleeps(), 1);
}

TEST(Batches, ComeFromLiteralsAndGoBackToThem) {
  const auto schema = arrow::schema(
      {arrow::field("id", arrow::int64(), false), arrow::field("text", arrow::utf8()),
       arrow::field("code", arrow::dictionary(arrow::int32(), arrow::utf8()))});
  const auto batch = BatchOf(schema, R"([[1, "a", "x"], [2, null, "y"]])");
  const std::vector<Row> rows = {{"1", "a", "x"}, {"2", std::nullopt, "y"}};
  EXPECT_EQ(RowsOf(*batch), rows);
  EXPECT_EQ(*ReadRows(*ReaderOf(schema, R"([[1, "a", "x"], [2, null, "y"]])")), rows);
  const auto failing = ReaderThatFails(schema, {batch}, Status::IOError("lost"));
  EXPECT_EQ(ReadRows(*failing).status().message(), "lost");
}

}  // namespace
}  // namespace sluice
