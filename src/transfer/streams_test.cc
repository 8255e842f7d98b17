// Many streams of one run, side by side over the run's sessions.

#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "arrow/util/cancel.h"
#include "base/crash_point.h"
#include "base/uuid.h"
#include "destination/object_store.h"
#include "sluice/transfer.h"
#include "state/sqlite_state.h"
#include "testing/fake_clock.h"
#include "testing/faulty_store.h"
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
    if (event.kind == EventKind::kBatch && on_batch) on_batch(event);
    if (event.kind == EventKind::kWaiting) ++waits;
    if (event.kind == EventKind::kWaiting && on_wait) on_wait();
    most_ = std::max(most_, running_);
  }
  int most() const { return most_; }

  std::function<void(const Event&)> on_batch;
  std::function<void()> on_wait;
  int waits = 0;

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
    // Ids of loads sort by time: no two runs begin at one moment.
    clock_.Advance(std::chrono::seconds(1));
    Clock& clock = on_the_wall_ ? SystemClock() : clock_;
    ScriptedSource source(database_);
    if (arrange_) arrange_(source);
    const auto destination = MakeObjectStoreDestination(store_.Open());
    SqliteStateOptions options;
    options.path = folder_.path() + "/state.db";
    const auto state = OpenSqliteState(options).ValueOrDie();
    spec_.job = "job";
    spec_.run = NewUuidV7(clock.NowMicros());
    spec_.limits.connections = connections;
    spec_.limits.lease_ttl_millis = on_the_wall_ ? 60'000 : 0;
    spec_.limits.chunk_rows = 3;
    return RunTransfer(spec_, {source, *destination, *state, clock, recorder_},
                       stop_.token(), stop_now_.token());
  }

  /// Keys of the one committed load of a table.
  int64_t CommittedRows(const std::string& table) { return CommittedRows(table, store_); }
  static int64_t CommittedRows(const std::string& table, const MemoryStore& store) {
    const auto destination = MakeObjectStoreDestination(store.Open());
    int64_t rows = -1;
    for (const LoadEntry& entry : destination->Loads({"main", table}).ValueOrDie()) {
      if (entry.outcome != Outcome::kCommitted) continue;
      EXPECT_EQ(rows, -1) << "two loads of " << table;
      rows = entry.rows;
    }
    return rows;
  }

  /// Ids of the loads of a table that nobody replaced or dropped, oldest first.
  std::vector<std::string> CurrentLoads(const std::string& table) {
    const auto destination = MakeObjectStoreDestination(store_.Open());
    std::vector<std::string> loads;
    std::set<std::string> replaced;
    const auto entries = destination->Loads({"main", table}).ValueOrDie();
    for (const LoadEntry& entry : entries)
      replaced.insert(entry.replaces.begin(), entry.replaces.end());
    for (const LoadEntry& entry : entries) {
      // What a dropped load had replaced is not told any more.
      EXPECT_TRUE(entry.dropped || !replaced.contains(entry.load));
      if (!entry.dropped && entry.outcome == Outcome::kCommitted)
        loads.push_back(entry.load);
    }
    return loads;
  }

  FakeClock clock_;
  ScratchFolder folder_{ScratchPlace::kMemory};
  ScriptedDatabase database_;
  MemoryStore store_;
  Recorder recorder_;
  TransferSpec spec_;
  arrow::StopSource stop_, stop_now_;
  bool on_the_wall_ = false;  ///< no fake clock, and a watch
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

TEST_F(Streams, EachGoesToItsOwnDestination) {
  Create(/*tables=*/3, /*rows=*/10);
  MemoryStore other;
  const auto elsewhere = MakeObjectStoreDestination(other.Open());
  spec_.streams[1].destination = elsewhere.get();
  for (int run = 0; run < 2; ++run) {
    const TransferReport report = Run(2);
    ASSERT_EQ(report.exit_code, 0) << report.status.ToString();
    EXPECT_TRUE(report.warnings.empty()) << report.warnings[0];
  }
  EXPECT_EQ(CurrentLoads("t0").size(), 1U);
  EXPECT_TRUE(CurrentLoads("t1").empty());
  for (const auto& [path, bytes] : store_.Objects())
    EXPECT_NE(path.substr(0, 8), "main/t1/") << path;
  for (const auto& [path, bytes] : other.Objects())
    EXPECT_EQ(path.substr(0, 8), "main/t1/") << path;
  // Two slots, a mark of what was dropped, and the parts of one load.
  EXPECT_EQ(other.Objects().size(), 3U + 4U);
  EXPECT_EQ(other.staged(), 0);
}

TEST_F(Streams, ADestinationThatDoesNotEnforceMarksTheNamesThereOnly) {
  Create(/*tables=*/2, /*rows=*/4);
  MemoryStore lax({.create_only = false});
  const auto elsewhere = MakeObjectStoreDestination(lax.Open());
  spec_.streams[1].destination = elsewhere.get();
  const TransferReport report = Run(1);
  ASSERT_EQ(report.exit_code, 0) << report.status.ToString();
  EXPECT_EQ(report.warnings.size(), 1U);
  EXPECT_EQ(CommittedRows("t0"), 4);
  EXPECT_EQ(CommittedRows("t1", lax), 4);
  const auto parts_with_attempts = [](const MemoryStore& store) {
    int count = 0;
    for (const auto& [path, bytes] : store.Objects())
      count += path.ends_with(".parquet") && path.find('.') + 8 != path.size() ? 1 : 0;
    return count;
  };
  EXPECT_EQ(parts_with_attempts(store_), 0);
  EXPECT_EQ(parts_with_attempts(lax), 2);
}

TEST_F(Streams, OneDestinationThatDoesNotAnswerFailsItsStreamsOnly) {
  Create(/*tables=*/3, /*rows=*/4);
  MemoryStore broken;
  const auto script = std::make_shared<FaultScript>();
  script->Add({.call = StoreCall::kProbe, .kind = FaultKind::kErrorBefore});
  const auto elsewhere =
      MakeObjectStoreDestination(NewFaultyStore(broken.Open(), script));
  spec_.streams[1].destination = elsewhere.get();
  const TransferReport report = Run(2);
  EXPECT_NE(report.exit_code, 0);
  EXPECT_TRUE(report.status.ok()) << report.status.ToString();
  EXPECT_FALSE(report.streams[1].status.ok());
  EXPECT_EQ(CommittedRows("t0"), 4);
  EXPECT_EQ(CommittedRows("t2"), 4);
  EXPECT_TRUE(broken.Objects().empty());
}

TEST_F(Streams, AsManyVersionsStayAsAreKept) {
  Create(/*tables=*/2, /*rows=*/5);
  spec_.keep_versions = 2;
  spec_.streams[1].keep_versions = 3;
  std::vector<std::string> newest;
  for (int run = 1; run <= 5; ++run) {
    database_.Put("t0", run, {"changed", 1.0 * run});
    const TransferReport report = Run(2);
    ASSERT_EQ(report.exit_code, 0) << report.status.ToString();
    newest.push_back(report.streams[1].load);
    EXPECT_EQ(CurrentLoads("t0").size(), static_cast<size_t>(std::min(run, 2)));
    EXPECT_EQ(CurrentLoads("t1").size(), static_cast<size_t>(std::min(run, 3)));
  }
  EXPECT_EQ(CurrentLoads("t1"), std::vector<std::string>(newest.end() - 3, newest.end()));
  // Fewer from now on: all that are too many go at once.
  spec_.streams[1].keep_versions = 1;
  const TransferReport report = Run(2);
  EXPECT_EQ(CurrentLoads("t1"), std::vector<std::string>{report.streams[1].load});
}

TEST_F(Streams, VersionsThatWereToGoGoAfterADeathInTheMiddle) {
  Create(/*tables=*/1, /*rows=*/5);
  spec_.keep_versions = 3;
  for (int run = 0; run < 3; ++run) ASSERT_EQ(Run(1).exit_code, 0);
  spec_.keep_versions = 1;
  SetCrashHook([](CrashPoint at) {
    return at == CrashPoint::kCleanUpHalf ? Error(ErrorKind::kTransient, "test.dead", "")
                                          : Status::OK();
  });
  EXPECT_NE(Run(1).exit_code, 0);
  SetCrashHook(nullptr);
  // What goes was fixed with the slot: a larger number now brings nothing back.
  spec_.keep_versions = 3;
  const TransferReport report = Run(1);
  ASSERT_EQ(report.exit_code, 0) << report.status.ToString();
  EXPECT_TRUE(report.streams[0].resumed);
  EXPECT_EQ(CurrentLoads("t0"), std::vector<std::string>{report.streams[0].load});
}

TEST_F(Streams, WhatNobodyMayAskForIsRefusedBeforeAnythingIsWritten) {
  Create(/*tables=*/1, /*rows=*/5);
  const auto refused = [&](const char* id) {
    const TransferReport report = Run(1);
    EXPECT_EQ(report.exit_code, 2);
    EXPECT_EQ(IdOf(report.status), id);
    EXPECT_TRUE(store_.Objects().empty());
  };
  spec_.streams[0].keep_versions = 0;
  refused("run.keep-versions");
  spec_.streams[0].keep_versions.reset();
  spec_.streams[0].path = "{schema}/{table}";
  refused("path.template");
  spec_.streams[0].path = "";
  spec_.limits.bytes_per_second = -1;
  refused("run.rate");
}

TEST_F(Streams, FilesLieWhereTheTemplateSays) {
  Create(/*tables=*/1, /*rows=*/10);
  spec_.streams[0].path = "{schema}/{table}/{job}/dt={date}/load={load}";
  TransferReport report = Run(2);
  ASSERT_EQ(report.exit_code, 0) << report.streams[0].status.ToString();
  const std::string first = report.streams[0].load;
  EXPECT_EQ(report.streams[0].location, "main/t0/job/dt=2026-01-01/load=" + first);
  EXPECT_EQ(store_.Objects().size(), 1U + 4U);
  EXPECT_EQ(CommittedRows("t0"), 10);
  report = Run(2);
  ASSERT_EQ(report.exit_code, 0) << report.streams[0].status.ToString();
  for (const auto& [path, bytes] : store_.Objects())
    EXPECT_TRUE(!path.ends_with(".parquet") || path.find(first) == std::string::npos)
        << path << " was replaced";
  EXPECT_EQ(CurrentLoads("t0"), std::vector<std::string>{report.streams[0].load});
}

TEST_F(Streams, AResumedLoadStaysInItsFolderWhateverTheTimeIs) {
  Create(/*tables=*/1, /*rows=*/10);
  spec_.streams[0].path = "{schema}/{table}/{date}T{hour}/{load}";
  SetCrashHook([](CrashPoint at) {
    return at == CrashPoint::kStagedRecorded ? Error(ErrorKind::kUsage, "test.dead", "")
                                             : Status::OK();
  });
  EXPECT_NE(Run(1).exit_code, 0);
  SetCrashHook(nullptr);
  clock_.Advance(std::chrono::hours(30));
  const TransferReport report = Run(1);
  ASSERT_EQ(report.exit_code, 0) << report.streams[0].status.ToString();
  EXPECT_TRUE(report.streams[0].resumed);
  EXPECT_EQ(report.streams[0].location,
            "main/t0/2026-01-01T00/" + report.streams[0].load);
}

TEST_F(Streams, TheRateHoldsOverAllSessions) {
  Create(/*tables=*/3, /*rows=*/60);
  ASSERT_EQ(Run(3).exit_code, 0);
  EXPECT_EQ(clock_.slept().count(), 0);
  int64_t bytes = 0;
  recorder_.on_batch = [&bytes](const Event& event) { bytes += event.source_bytes; };
  spec_.limits.bytes_per_second = 50;
  ASSERT_EQ(Run(1).exit_code, 0);
  ASSERT_GT(bytes, 1'000);
  // All but the second that is saved up.
  const double seconds = std::chrono::duration<double>(clock_.slept()).count();
  EXPECT_NEAR(seconds, static_cast<double>(bytes) / 50 - 1, 0.01);
  EXPECT_GT(recorder_.waits, 0);
}

TEST_F(Streams, WhoWaitsForTheRateWakesUpToStop) {
  Create(/*tables=*/1, /*rows=*/60);
  spec_.limits.bytes_per_second = 1;
  on_the_wall_ = true;
  recorder_.on_wait = [this] { stop_now_.RequestStop(); };
  const TransferReport report = Run(1);
  EXPECT_EQ(IdOf(report.status.ok() ? report.streams[0].status : report.status),
            "run.stopped");
}

}  // namespace
}  // namespace sluice
