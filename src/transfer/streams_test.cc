// Many streams of one run, side by side over the run's sessions.

#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "arrow/util/cancel.h"
#include "base/uuid.h"
#include "destination/object_store.h"
#include "sluice/transfer.h"
#include "state/sqlite_state.h"
#include "testing/fake_clock.h"
#include "testing/memory_store.h"
#include "testing/scratch_folder.h"
#include "testing/scripted_source.h"

namespace sluice {
namespace {

class Recorder : public Notifier {
 public:
  void On(const Event& event) override {
    const std::lock_guard lock(mutex_);
    if (event.kind == EventKind::kStreamStarted) ++running_;
    if (event.kind == EventKind::kStreamFinished) --running_;
    most_ = std::max(most_, running_);
  }
  int most() const { return most_; }

 private:
  std::mutex mutex_;
  int running_ = 0, most_ = 0;  // guarded by mutex_
};

class Streams : public ::testing::Test {
 protected:
  void Create(int tables, int rows, const std::string& prefix = "t") {
    for (int i = 0; i < tables; ++i) {
      const std::string name = prefix + std::to_string(i);
      database_.Create(name, MakeRows(1, rows, 1));
      StreamSpec stream;
      stream.name = name;
      stream.relation.name = {"main", name};
      stream.definition = "{}";
      stream.verify = VerifyDepth::kContent;
      spec_.streams.push_back(stream);
    }
  }

  TransferReport Run(int connections) {
    FakeClock clock;
    ScriptedSource source(database_);
    if (arrange_) arrange_(source);
    const auto destination = MakeObjectStoreDestination(store_.Open());
    SqliteStateOptions options;
    options.path = folder_.path() + "/state.db";
    const auto state = OpenSqliteState(options).ValueOrDie();
    spec_.job = "job";
    spec_.run = NewUuidV7(1);
    spec_.limits.connections = connections;
    spec_.limits.lease_ttl_millis = 0;
    spec_.limits.chunk_rows = 3;
    return RunTransfer(spec_, {source, *destination, *state, clock, recorder_},
                       stop_.token(), never_.token());
  }

  /// Keys of the one committed load of a table.
  int64_t CommittedRows(const std::string& table) {
    const auto destination = MakeObjectStoreDestination(store_.Open());
    int64_t rows = -1;
    for (const LoadEntry& entry : destination->Loads({"main", table}).ValueOrDie()) {
      if (entry.outcome != Outcome::kCommitted) continue;
      EXPECT_EQ(rows, -1) << "two loads of " << table;
      rows = entry.rows;
    }
    return rows;
  }

  ScratchFolder folder_{ScratchPlace::kMemory};
  ScriptedDatabase database_;
  MemoryStore store_;
  Recorder recorder_;
  TransferSpec spec_;
  arrow::StopSource stop_, never_;
  std::function<void(ScriptedSource&)> arrange_;
};

TEST_F(Streams, RunSideBySideEachOnce) {
  Create(/*tables=*/12, /*rows=*/10);
  const TransferReport report = Run(4);
  ASSERT_EQ(report.exit_code, 0) << report.status.ToString();
  ASSERT_EQ(report.streams.size(), 12U);
  for (size_t i = 0; i < report.streams.size(); ++i) {
    EXPECT_EQ(report.streams[i].stream, spec_.streams[i].name) << "in the job's order";
    EXPECT_EQ(report.streams[i].phase, Phase::kCleaned);
    EXPECT_EQ(report.streams[i].chunks, 4);
    EXPECT_EQ(CommittedRows(spec_.streams[i].name), 10);
  }
  EXPECT_LE(recorder_.most(), 4);
  EXPECT_EQ(store_.staged(), 0);
}

TEST_F(Streams, OneTableHasEverySession) {
  Create(/*tables=*/1, /*rows=*/60);
  const TransferReport report = Run(4);
  ASSERT_EQ(report.exit_code, 0) << report.status.ToString();
  EXPECT_EQ(CommittedRows("t0"), 60);
}

TEST_F(Streams, OneThatFailsLeavesTheOthersWhole) {
  Create(/*tables=*/6, /*rows=*/10);
  spec_.streams[2].relation.name.table = "gone";
  const TransferReport report = Run(3);
  EXPECT_EQ(report.exit_code, ExitCodeOf(report.streams[2].status));
  EXPECT_NE(report.exit_code, 0);
  for (const int i : {0, 1, 3, 4, 5})
    EXPECT_EQ(CommittedRows("t" + std::to_string(i)), 10);
}

const Status kLost = Error(ErrorKind::kTransient, "source.lost", "the server is gone");

TEST_F(Streams, ALivingSessionTakesTheChunkOfOneThatWasLost) {
  for (const SourceCall call :
       {SourceCall::kDescribe, SourceCall::kLastKey, SourceCall::kRead,
        SourceCall::kBatch, SourceCall::kBound, SourceCall::kCheckUnchanged}) {
    for (int64_t nth = 1; nth <= 12; ++nth) {
      const std::string name = "call" + std::to_string(static_cast<int>(call)) + "at" +
                               std::to_string(nth) + "_";
      SCOPED_TRACE(name);
      spec_.streams.clear();
      Create(/*tables=*/1, /*rows=*/40, name);
      arrange_ = [&](ScriptedSource& source) { source.FailAt(call, nth, kLost); };
      const TransferReport report = Run(2);
      ASSERT_EQ(report.exit_code, 0) << report.streams[0].status.ToString();
      EXPECT_EQ(CommittedRows(name + "0"), 40);
    }
  }
}

TEST_F(Streams, AStreamThatLostItsSessionWaitsForOneOfAnother) {
  Create(/*tables=*/6, /*rows=*/20);
  arrange_ = [](ScriptedSource& source) { source.FailAt(SourceCall::kRead, 4, kLost); };
  const TransferReport report = Run(2);
  ASSERT_EQ(report.exit_code, 0) << report.status.ToString();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(CommittedRows("t" + std::to_string(i)), 20);
}

TEST_F(Streams, WhereNoSessionLivesEveryStreamSaysSo) {
  Create(/*tables=*/4, /*rows=*/20);
  arrange_ = [](ScriptedSource& source) {
    source.FailAt(SourceCall::kRead, 3, kLost, 1'000);
  };
  const TransferReport report = Run(3);
  EXPECT_EQ(report.exit_code, ExitCodeOf(kLost));
  ASSERT_EQ(report.streams.size(), 4U);
  arrange_ = {};
  EXPECT_EQ(Run(3).exit_code, 0);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(CommittedRows("t" + std::to_string(i)), 20);
}

TEST_F(Streams, ATableThatVanishedSinceTheRunBeganIsAChangeOfTheSource) {
  Create(/*tables=*/2, /*rows=*/10);
  spec_.streams[1].relation.name.table = "gone";
  const TransferReport report = Run(2);
  EXPECT_EQ(KindOf(report.streams[1].status), ErrorKind::kSource);
  EXPECT_EQ(IdOf(report.streams[1].status), "source.changed");
}

TEST_F(Streams, NoneIsBegunOnceTheRunIsAskedToStop) {
  Create(/*tables=*/5, /*rows=*/10);
  stop_.RequestStop();
  const TransferReport report = Run(3);
  ASSERT_EQ(report.streams.size(), 5U);
  for (const StreamReport& stream : report.streams)
    EXPECT_EQ(IdOf(stream.status), "run.drained");
}

}  // namespace
}  // namespace sluice
