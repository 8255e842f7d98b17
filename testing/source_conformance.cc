#include "testing/source_conformance.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>
#include <utility>

#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/util/cancel.h"

namespace sluice {
namespace {

SampleTable Orders() {
  return {"orders", {{"id"}, {"note", SampleType::kText, true}}, {"id"}};
}

Row OrderRow(int64_t id) {
  const std::string text = std::to_string(id);
  if (id % 5 == 0) return {text, std::nullopt};
  return {text, "note " + text};
}

std::vector<Row> OrderRows(int64_t first, int64_t count, int64_t step = 1) {
  std::vector<Row> rows;
  for (int64_t i = 0; i < count; ++i) rows.push_back(OrderRow(first + i * step));
  return rows;
}

struct KeySample {
  std::string what;
  SampleTable table;
  std::vector<Row> rows;
};

/// Tables whose keys are of every sort that a planner must cut.
std::vector<KeySample> KeySamples() {
  std::vector<KeySample> samples;
  samples.push_back({"dense integers", Orders(), OrderRows(1, 100)});
  samples.push_back({"sparse integers", Orders(), OrderRows(3, 100, 1'000'003)});
  std::vector<Row> clustered = OrderRows(-1'000'000'000'000, 40);
  for (Row& row : OrderRows(-5, 30)) clustered.push_back(row);
  for (Row& row : OrderRows(1'000'000'000'000, 30)) clustered.push_back(row);
  samples.push_back({"clustered and negative integers", Orders(), clustered});
  samples.push_back({"one row", Orders(), OrderRows(7, 1)});

  const SampleTable lines{"lines",
                          {{"tenant"}, {"line"}, {"note", SampleType::kText, true}},
                          {"tenant", "line"}};
  std::vector<Row> few_tenants, many_tenants;
  for (int i = 0; i < 100; ++i) {
    few_tenants.push_back({std::to_string(i / 90), std::to_string(i), "x"});
    many_tenants.push_back({std::to_string(i / 3), std::to_string(i % 3), std::nullopt});
  }
  samples.push_back({"composite, nearly one leading value", lines, few_tenants});
  samples.push_back({"composite, many leading values", lines, many_tenants});

  const SampleTable words{"words", {{"word", SampleType::kText}, {"n"}}, {"word"}};
  std::vector<Row> word_rows = {{"", "0"},
                                {"it's", "1"},
                                {"zürich", "2"},
                                {"Zebra", "3"},
                                {"\xF0\x9F\x8C\x8A", "4"}};
  for (int i = 0; i < 60; ++i)
    word_rows.push_back({"w" + std::to_string(i * 7919 % 1000), std::to_string(i)});
  samples.push_back({"text", words, word_rows});
  return samples;
}

std::multiset<Row> AsSet(const std::vector<Row>& rows) {
  return {rows.begin(), rows.end()};
}

void ExpectUsage(const Status& status) {
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(KindOf(status), ErrorKind::kUsage) << status.ToString();
}

}  // namespace

SourceMaker::SourceMaker(std::function<std::unique_ptr<SourceWorld>()> make)
    : make_(std::move(make)) {}

SourceConformance::SourceConformance() : world_(GetParam().Make()) {}
SourceConformance::~SourceConformance() = default;

SessionSet SourceConformance::OpenSessions(int count, Consistency wanted) {
  source_ = world_->Open().ValueOrDie();
  SessionSet set = source_->Open(wanted, count).ValueOrDie();
  EXPECT_GE(set.sessions.size(), 1u);
  EXPECT_LE(set.sessions.size(), static_cast<size_t>(count));
  return set;
}

Relation SourceConformance::RelationOf(const SampleTable& table) const {
  Relation relation;
  relation.name = {world_->schema(), table.name};
  return relation;
}

Result<TableInfo> SourceConformance::TryDescribe(Session& session,
                                                 const Relation& relation) {
  return session.Describe(relation);
}

TableInfo SourceConformance::Described(Session& session, const SampleTable& table) {
  return TryDescribe(session, RelationOf(table)).ValueOrDie();
}

std::vector<Row> SourceConformance::Read(Session& session, const TableInfo& table,
                                         const KeyRange& range,
                                         const ReadContext& context) {
  return ReadRows(*session.Read(table, range, context).ValueOrDie()).ValueOrDie();
}

std::vector<KeyRange> SourceConformance::Cut(Session& session, const TableInfo& table,
                                             int64_t rows_wanted) {
  std::vector<KeyRange> ranges;
  KeyRange within{std::nullopt, session.LastKey(table).ValueOrDie()};
  while (ranges.size() < 1000) {
    const auto bound = session.Bound(table, within, rows_wanted).ValueOrDie();
    ranges.push_back({within.after, bound ? bound : within.upto});
    if (!bound) return ranges;
    within.after = bound;
  }
  ADD_FAILURE() << "bounds do not end";
  return ranges;
}

// The library is linked where other suites are used, too.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SourceConformance);

TEST_P(SourceConformance, TablesAreListedByName) {
  world_->Create(Orders(), {});
  world_->Create({"other", {{"id"}}, {}}, {});
  auto set = OpenSessions();
  auto all = set.sessions[0]->List({}).ValueOrDie();
  std::sort(all.begin(), all.end());
  const std::string schema = world_->schema();
  EXPECT_EQ(all, (std::vector<TableName>{{schema, "orders"}, {schema, "other"}}));
  const auto some = set.sessions[0]->List({.glob = "ord*"}).ValueOrDie();
  EXPECT_EQ(some, (std::vector<TableName>{{schema, "orders"}}));
  EXPECT_TRUE(set.sessions[0]->List({.glob = "ORD*"}).ValueOrDie().empty());
}

TEST_P(SourceConformance, ATableIsDescribedWithItsColumnsInOrderAndItsKey) {
  world_->Create(Orders(), OrderRows(1, 3));
  auto set = OpenSessions();
  const TableInfo table = Described(*set.sessions[0], Orders());
  EXPECT_EQ(table.relation.name, (TableName{world_->schema(), "orders"}));
  EXPECT_EQ(table.schema->field_names(), (std::vector<std::string>{"id", "note"}));
  EXPECT_EQ(table.key, std::vector<std::string>{"id"});
  EXPECT_FALSE(table.fingerprint.empty());
  EXPECT_TRUE(table.schema->field(1)->nullable());
}

TEST_P(SourceConformance, ATableWithoutAKeyIsReadAsAWhole) {
  SampleTable keyless = Orders();
  keyless.key.clear();
  world_->Create(keyless, OrderRows(1, 20));
  auto set = OpenSessions();
  const TableInfo table = Described(*set.sessions[0], keyless);
  EXPECT_TRUE(table.key.empty());
  EXPECT_EQ(AsSet(Read(*set.sessions[0], table)), AsSet(OrderRows(1, 20)));
}

TEST_P(SourceConformance, ColumnsComeAsAskedAndTheKeyNeedNotBeAmongThem) {
  world_->Create(Orders(), OrderRows(1, 7));
  auto set = OpenSessions();
  Relation relation = RelationOf(Orders());
  relation.columns = {"note"};
  const TableInfo notes = TryDescribe(*set.sessions[0], relation).ValueOrDie();
  EXPECT_EQ(notes.key, std::vector<std::string>{"id"});
  EXPECT_EQ(Read(*set.sessions[0], notes)[1], Row{"note 2"});
  EXPECT_EQ(Cut(*set.sessions[0], notes, 3).size(), 3u);
  relation.columns = {"note", "id"};
  const TableInfo swapped = TryDescribe(*set.sessions[0], relation).ValueOrDie();
  EXPECT_EQ(Read(*set.sessions[0], swapped)[1], (Row{"note 2", "2"}));
}

TEST_P(SourceConformance, WhatIsNotThereIsUsage) {
  world_->Create(Orders(), {});
  auto set = OpenSessions();
  Relation relation = RelationOf(Orders());
  relation.name.table = "order";
  const Status no_table = TryDescribe(*set.sessions[0], relation).status();
  ExpectUsage(no_table);
  EXPECT_NE((no_table.message() + std::string(HintOf(no_table))).find("orders"),
            std::string::npos);
  relation = RelationOf(Orders());
  relation.name.schema += "_elsewhere";
  ExpectUsage(TryDescribe(*set.sessions[0], relation).status());
  relation = RelationOf(Orders());
  relation.columns = {"notes"};
  const Status no_column = TryDescribe(*set.sessions[0], relation).status();
  ExpectUsage(no_column);
  EXPECT_NE((no_column.message() + std::string(HintOf(no_column))).find("note"),
            std::string::npos);
}

TEST_P(SourceConformance, AWhereSelectsRowsAndOneThatCannotIsUsage) {
  world_->Create(Orders(), OrderRows(1, 20));
  auto set = OpenSessions();
  Relation relation = RelationOf(Orders());
  relation.where = "id > 17 OR note = 'note 3'";
  const TableInfo some = TryDescribe(*set.sessions[0], relation).ValueOrDie();
  std::vector<Row> wanted = OrderRows(3, 1);
  for (Row& row : OrderRows(18, 3)) wanted.push_back(row);
  EXPECT_EQ(Read(*set.sessions[0], some), wanted);
  for (const char* bad :
       {"id >", "id = 1) OR (1 = 1", "1; DROP TABLE orders", "no_such_column = 1"}) {
    relation.where = bad;
    ExpectUsage(TryDescribe(*set.sessions[0], relation).status());
  }
}

TEST_P(SourceConformance, ATableWithoutRowsHasNoLastKeyAndNoBatch) {
  world_->Create(Orders(), {});
  auto set = OpenSessions();
  const TableInfo table = Described(*set.sessions[0], Orders());
  EXPECT_FALSE(set.sessions[0]->LastKey(table).ValueOrDie());
  EXPECT_FALSE(set.sessions[0]->Bound(table, {}, 10).ValueOrDie());
  auto reader = set.sessions[0]->Read(table, {}, {}).ValueOrDie();
  EXPECT_TRUE(reader->schema()->Equals(*table.schema));
  EXPECT_TRUE(ReadRows(*reader).ValueOrDie().empty());
}

TEST_P(SourceConformance, BoundsCutEveryTableIntoRangesThatCoverEachRowOnce) {
  for (const KeySample& sample : KeySamples()) {
    SCOPED_TRACE(sample.what);
    world_->Create(sample.table, sample.rows);
    auto set = OpenSessions();
    Session& session = *set.sessions[0];
    const TableInfo table = Described(session, sample.table);
    const std::vector<Row> all = Read(session, table);
    EXPECT_EQ(AsSet(all), AsSet(sample.rows));
    for (const int64_t rows_wanted : {1, 7, 40, 1000}) {
      SCOPED_TRACE(rows_wanted);
      std::vector<Row> joined;
      for (const KeyRange& range : Cut(session, table, rows_wanted))
        for (Row& row : Read(session, table, range)) joined.push_back(std::move(row));
      // In key order too: the whole table read at once has the same one.
      EXPECT_EQ(joined, all);
    }
    set.sessions.clear();
    world_->Drop(sample.table);
  }
}

TEST_P(SourceConformance, ABoundHasAboutAsManyRowsBelowItAsWereWanted) {
  for (const KeySample& sample : KeySamples()) {
    SCOPED_TRACE(sample.what);
    world_->Create(sample.table, sample.rows);
    auto set = OpenSessions();
    Session& session = *set.sessions[0];
    const TableInfo table = Described(session, sample.table);
    const int64_t rows = static_cast<int64_t>(sample.rows.size());
    for (const KeyRange& range : Cut(session, table, 10))
      EXPECT_LE(static_cast<int64_t>(Read(session, table, range).size()), 20);
    EXPECT_LE(static_cast<int64_t>(Cut(session, table, 10).size()), rows / 5 + 1);
    set.sessions.clear();
    world_->Drop(sample.table);
  }
}

TEST_P(SourceConformance, ARangeIsOpenBelowAndClosedAbove) {
  world_->Create(Orders(), OrderRows(10, 10, 10));
  auto set = OpenSessions();
  Session& session = *set.sessions[0];
  const TableInfo table = Described(session, Orders());
  const auto ranges = Cut(session, table, 5);
  ASSERT_GE(ranges.size(), 2u);
  const KeyRange& first = ranges[0];
  const std::vector<Row> below = Read(session, table, first);
  ASSERT_FALSE(below.empty());
  const std::vector<Row> above = Read(session, table, {first.upto, std::nullopt});
  EXPECT_EQ(below.size() + above.size(), 10u);
  EXPECT_EQ(below, OrderRows(10, static_cast<int64_t>(below.size()), 10));
  EXPECT_TRUE(Read(session, table, {first.upto, first.upto}).empty());
}

TEST_P(SourceConformance, TheLastKeyIsThatOfTheLastRow) {
  for (const KeySample& sample : KeySamples()) {
    SCOPED_TRACE(sample.what);
    world_->Create(sample.table, sample.rows);
    auto set = OpenSessions();
    Session& session = *set.sessions[0];
    const TableInfo table = Described(session, sample.table);
    const auto last = session.LastKey(table).ValueOrDie();
    ASSERT_TRUE(last);
    EXPECT_EQ(last->size(), table.key.size());
    EXPECT_EQ(Read(session, table, {std::nullopt, last}).size(), sample.rows.size());
    EXPECT_TRUE(Read(session, table, {last, std::nullopt}).empty());
    set.sessions.clear();
    world_->Drop(sample.table);
  }
}

TEST_P(SourceConformance, BatchesKeepToTheirLimits) {
  world_->Create(Orders(), OrderRows(1, 1000));
  auto set = OpenSessions();
  const TableInfo table = Described(*set.sessions[0], Orders());
  ReadTally tally;
  auto reader =
      set.sessions[0]->Read(table, {}, {.batch_rows = 64, .tally = &tally}).ValueOrDie();
  std::shared_ptr<arrow::RecordBatch> batch;
  int64_t rows = 0;
  while (true) {
    ASSERT_TRUE(reader->ReadNext(&batch).ok());
    if (!batch) break;
    EXPECT_GT(batch->num_rows(), 0);
    EXPECT_LE(batch->num_rows(), 64);
    EXPECT_TRUE(batch->ValidateFull().ok());
    rows += batch->num_rows();
  }
  EXPECT_EQ(rows, 1000);
  EXPECT_EQ(tally.rows, 1000);
  EXPECT_GT(tally.source_bytes, 0);

  auto small = set.sessions[0]->Read(table, {}, {.batch_bytes = 1}).ValueOrDie();
  ASSERT_TRUE(small->ReadNext(&batch).ok());
  EXPECT_LE(batch->num_rows(), 2);
}

TEST_P(SourceConformance,
       ARowAboveTheLimitIsAResourceErrorThatNamesItAndTheMemoryThatWouldDo) {
  std::vector<Row> rows = OrderRows(1, 3);
  rows.push_back({"4711", std::string(3 << 20, 'x')});
  world_->Create(Orders(), rows);
  auto set = OpenSessions();
  const TableInfo table = Described(*set.sessions[0], Orders());
  auto reader = set.sessions[0]->Read(table, {}, {.row_bytes_max = 1 << 20}).ValueOrDie();
  const Status status = ReadRows(*reader).status();
  EXPECT_EQ(KindOf(status), ErrorKind::kResource) << status.ToString();
  for (const char* word : {"orders", "4711", "note"})
    EXPECT_NE(status.message().find(word), std::string::npos) << status.message();
  EXPECT_NE(HintOf(status).find("--memory"), std::string::npos) << HintOf(status);
  reader.reset();
  EXPECT_EQ(Read(*set.sessions[0], table, {}, {.row_bytes_max = 4 << 20}).size(), 4u);
}

TEST_P(SourceConformance, AReadStopsWhenAsked) {
  world_->Create(Orders(), OrderRows(1, 100));
  auto set = OpenSessions();
  const TableInfo table = Described(*set.sessions[0], Orders());
  arrow::StopSource stop;
  const arrow::StopToken token = stop.token();
  auto reader =
      set.sessions[0]->Read(table, {}, {.batch_rows = 10, .stop = &token}).ValueOrDie();
  std::shared_ptr<arrow::RecordBatch> batch;
  ASSERT_TRUE(reader->ReadNext(&batch).ok());
  stop.RequestStop();
  const Status status = reader->ReadNext(&batch);
  EXPECT_EQ(KindOf(status), ErrorKind::kCancelled) << status.ToString();
}

TEST_P(SourceConformance, CancelFromAnotherThreadEndsACall) {
  world_->Create(Orders(), OrderRows(1, 5000));
  auto set = OpenSessions();
  Session& session = *set.sessions[0];
  const TableInfo table = Described(session, Orders());
  std::atomic<bool> ended = false;
  Status status;
  std::thread worker([&] {
    for (int i = 0; i < 10'000 && status.ok(); ++i) {
      auto reader = session.Read(table, {}, {});
      status = reader.ok() ? ReadRows(**reader).status() : reader.status();
    }
    ended = true;
  });
  while (!ended) EXPECT_TRUE(session.Cancel().ok());
  worker.join();
  EXPECT_EQ(KindOf(status), ErrorKind::kCancelled) << status.ToString();
  // And the session is as good as before.
  EXPECT_EQ(Read(session, table).size(), 5000u);
}

TEST_P(SourceConformance, SessionsOfASnapshotSeeOneStateWhateverIsCommitted) {
  world_->Create(Orders(), OrderRows(1, 50));
  auto set = OpenSessions(3);
  if (set.kind == Consistency::kPerChunk) return;  // It says that it cannot.
  const TableInfo table = Described(*set.sessions[0], Orders());
  world_->Insert(Orders(), OrderRows(51, 10));
  for (const auto& session : set.sessions) {
    EXPECT_EQ(Read(*session, table).size(), 50u);
    EXPECT_TRUE(session->CheckUnchanged(table).ok());
  }
  auto later = OpenSessions();
  EXPECT_EQ(Read(*later.sessions[0], table).size(), 60u);
}

TEST_P(SourceConformance, SessionsReadAtTheSameTime) {
  world_->Create(Orders(), OrderRows(1, 2000));
  auto set = OpenSessions(2);
  const TableInfo table = Described(*set.sessions[0], Orders());
  const auto ranges = Cut(*set.sessions[0], table, 100);
  std::vector<size_t> rows(set.sessions.size());
  std::vector<std::thread> threads;
  for (size_t s = 0; s < set.sessions.size(); ++s)
    threads.emplace_back([&, s] {
      for (size_t i = s; i < ranges.size(); i += set.sessions.size())
        rows[s] += Read(*set.sessions[s], table, ranges[i]).size();
    });
  for (std::thread& thread : threads) thread.join();
  size_t sum = 0;
  for (const size_t count : rows) sum += count;
  EXPECT_EQ(sum, 2000u);
}

TEST_P(SourceConformance, APositionStaysWhileNothingIsCommittedAndMovesWhenSomethingIs) {
  world_->Create(Orders(), OrderRows(1, 5));
  const std::string before = OpenSessions().position;
  if (before.empty()) return;  // It has none.
  EXPECT_EQ(OpenSessions(2).position, before);
  world_->Insert(Orders(), OrderRows(6, 1));
  EXPECT_NE(OpenSessions().position, before);
}

TEST_P(SourceConformance, AChangedDefinitionHasAnotherFingerprintAndIsNoticed) {
  world_->Create(Orders(), OrderRows(1, 5));
  TableInfo before;
  {
    auto set = OpenSessions();
    before = Described(*set.sessions[0], Orders());
    EXPECT_EQ(Described(*set.sessions[0], Orders()).fingerprint, before.fingerprint);
  }
  world_->Insert(Orders(), OrderRows(6, 1));
  {
    auto set = OpenSessions();
    EXPECT_EQ(Described(*set.sessions[0], Orders()).fingerprint, before.fingerprint);
    EXPECT_TRUE(set.sessions[0]->CheckUnchanged(before).ok());
  }
  world_->AddColumn(Orders(), {"more", SampleType::kText, true});
  auto set = OpenSessions();
  EXPECT_NE(Described(*set.sessions[0], Orders()).fingerprint, before.fingerprint);
  EXPECT_EQ(KindOf(set.sessions[0]->CheckUnchanged(before)), ErrorKind::kSource);
}

TEST_P(SourceConformance, ADroppedTableIsNoticed) {
  world_->Create(Orders(), OrderRows(1, 5));
  TableInfo table;
  {
    auto set = OpenSessions();
    table = Described(*set.sessions[0], Orders());
  }
  world_->Drop(Orders());
  auto set = OpenSessions();
  EXPECT_EQ(KindOf(set.sessions[0]->CheckUnchanged(table)), ErrorKind::kSource);
  const auto reader = set.sessions[0]->Read(table, {}, {});
  const Status status = reader.ok() ? ReadRows(**reader).status() : reader.status();
  EXPECT_EQ(KindOf(status), ErrorKind::kSource) << status.ToString();
}

TEST_P(SourceConformance, OddNamesAreNames) {
  for (const std::string odd :
       {"a \"quoted\" one", "it's", "with.dot", "new\nline", "\xF0\x9F\x8C\x8A", "select",
        "semi;colon", "tick`[x]", "%s%n"}) {
    SCOPED_TRACE(odd);
    if (!world_->CanName(odd)) continue;
    const SampleTable table{odd, {{"id"}, {odd, SampleType::kText, true}}, {"id"}};
    world_->Create(table, OrderRows(1, 12));
    auto set = OpenSessions();
    const TableInfo info = Described(*set.sessions[0], table);
    EXPECT_EQ(info.schema->field(1)->name(), odd);
    EXPECT_EQ(Cut(*set.sessions[0], info, 5).size(), 3u);
    EXPECT_EQ(Read(*set.sessions[0], info), OrderRows(1, 12));
    set.sessions.clear();
    world_->Drop(table);
  }
}

}  // namespace sluice
