// A ledger: who gets a job, what a lost connection does, what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <filesystem>
#include <optional>
#include <thread>
#include <vector>

#include "commit_cutter.h"
#include "mysql_state_world.h"
#include "sql/ledger.h"
#include "state/child_process_test.h"
#include "state/run_table.h"
#include "testing/state_samples.h"

namespace sluice {
namespace {

constexpr int64_t kTtl = 60'000;

class MysqlState : public testing::TestWithParam<ServerKind> {
 protected:
  std::unique_ptr<StateStore> Open() {
    auto store = world_.Open();
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    return store.ok() ? *std::move(store) : nullptr;
  }
  void Execute(const std::string& sql) { world_.database().Execute(sql); }
  std::string Answer(const std::string& sql) {
    return world_.database().Query(sql).ValueOrDie().at(0).at(0).value_or("NULL");
  }
  std::string Table(std::string_view name) {
    return ledger::NameIn(world_.database().name(), name);
  }

  MysqlStateWorld world_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Servers, MysqlState,
                         testing::Values(ServerKind::kMysql, ServerKind::kMariaDb),
                         [](const auto& kind) { return NameOf(kind.param); });

// ---- who gets a job

TEST_P(MysqlState, OfManyConnectionsThatWantANewJobOneGetsIt) {
  constexpr int kThreads = 6, kRounds = 12;
  // Half of them on one host, where the lock file decides; each other on one of its own.
  std::vector<std::unique_ptr<StateStore>> stores;
  for (int i = 0; i < kThreads; ++i) {
    MysqlStateOptions options = world_.options();
    const std::string host = "host " + std::to_string(std::min(i, kThreads / 2));
    options.host = host;
    options.lock_dir = world_.folder().Path(host);
    stores.push_back(*OpenMysqlState(options));
  }
  std::barrier together(kThreads);
  std::vector<std::atomic<int>> winners(kRounds);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        together.arrive_and_wait();
        const auto lease =
            stores[i]->Acquire("job " + std::to_string(round), {.ttl_millis = kTtl});
        if (lease.ok())
          ++winners[round];
        else
          EXPECT_EQ(IdOf(lease.status()), "state.held") << lease.status().ToString();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const auto& count : winners) EXPECT_EQ(count, 1);
}

TEST_P(MysqlState, OfManyConnectionsThatTakeOverOneGetsIt) {
  constexpr int kThreads = 6;
  auto old = Open();
  const Lease lost = *old->Acquire("job", {.ttl_millis = kTtl});
  world_.AdvanceClock(kTtl);
  // No lock file decides: each is a host of its own.
  MysqlStateOptions options = world_.options();
  options.lock_dir = "";
  std::vector<std::unique_ptr<StateStore>> stores;
  for (int i = 0; i < kThreads; ++i) stores.push_back(*OpenMysqlState(options));
  std::barrier together(kThreads);
  std::atomic<int> winners = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      together.arrive_and_wait();
      if (stores[i]->Acquire("job", {.ttl_millis = kTtl}).ok()) ++winners;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(winners, 1);
  EXPECT_EQ(Answer("SELECT epoch FROM " + Table(ledger::kJobs)), "2");
  EXPECT_REFUSED(old->OpenLoad(lost, NewLoad("job", "load-1", "orders")),
                 ErrorKind::kHeld, "state.fenced");
  EXPECT_EQ(Answer("SELECT COUNT(*) FROM " + Table(ledger::kLoads)), "0");
}

TEST_P(MysqlState, ManyConnectionsMakeOneLedgerTogether) {
  constexpr int kThreads = 6;
  std::barrier together(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      together.arrive_and_wait();
      const auto store = world_.Open();
      ASSERT_TRUE(store.ok()) << store.status().ToString();
      EXPECT_OK((*store)->Acquire("job " + std::to_string(i), {}).status());
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Open()->Jobs(nullptr)->size(), static_cast<size_t>(kThreads));
  EXPECT_EQ(Answer("SELECT COUNT(*) FROM " + Table(ledger::kAbout)), "3");
}

TEST_P(MysqlState, AKilledProcessOfThisHostIsReplacedAtOnce) {
  Gate held;
  Child child([&] {
    auto store = world_.Open();
    if (!store.ok() || !(*store)->Acquire("job", {.ttl_millis = kTtl}).ok()) return 1;
    held.Open();
    return pause();
  });
  held.Wait();
  auto store = Open();
  const Status refused = store->Acquire("job", {}).status();
  EXPECT_REFUSED(refused, ErrorKind::kHeld, "state.held");
  EXPECT_NE(refused.message().find("pid " + std::to_string(child.pid())),
            std::string::npos);
  child.End(SIGKILL);
  EXPECT_FALSE((*store->Holder("job"))->held);
  const auto lease = store->Acquire("job", {.ttl_millis = kTtl});
  ASSERT_TRUE(lease.ok()) << lease.status().ToString();
  EXPECT_EQ(lease->epoch, 2);
}

TEST_P(MysqlState, AStoppedProcessKeepsItsLeaseAndIsFencedOnceItRanOut) {
  Gate held, go_on;
  Child child([&] {
    auto store = *world_.Open();
    const auto lease = store->Acquire("job", {.ttl_millis = kTtl});
    if (!lease.ok()) return 1;
    if (!store->OpenLoad(*lease, NewLoad("job", "load-1", "orders")).ok()) return 2;
    held.Open();
    go_on.Wait();
    const Status late = store->AddChunk(*lease, "load-1", ChunkAt(1, true));
    return IdOf(late) == "state.fenced" && store->Release(*lease).ok() ? 42 : 3;
  });
  held.Wait();
  child.Stop();
  auto store = Open();
  world_.AdvanceClock(kTtl - 1);
  EXPECT_REFUSED(store->Acquire("job", {}).status(), ErrorKind::kHeld, "state.held");
  world_.AdvanceClock(1);
  const auto lease = store->Acquire("job", {.ttl_millis = kTtl});
  ASSERT_TRUE(lease.ok()) << lease.status().ToString();
  EXPECT_OK(store->AddChunk(*lease, "load-1", ChunkAt(1, false)));
  go_on.Open();
  child.Signal(SIGCONT);
  EXPECT_EQ(child.Wait(), 42);
  const LoadState load = **store->FindLoad("load-1");
  ASSERT_EQ(load.chunks.size(), 1u);
  EXPECT_FALSE(load.chunks[0].chunk.last);
  EXPECT_OK(store->Renew(*lease));
}

TEST_P(MysqlState, AHolderOfAnotherHostIsNeverTakenForDead) {
  MysqlStateOptions elsewhere = world_.options();
  elsewhere.host = "elsewhere";
  ASSERT_TRUE((*OpenMysqlState(elsewhere))->Acquire("job", {.ttl_millis = kTtl}).ok());
  auto store = Open();
  EXPECT_REFUSED(store->Acquire("job", {}).status(), ErrorKind::kHeld, "state.held");
  world_.AdvanceClock(kTtl);
  EXPECT_OK(store->Acquire("job", {}).status());
}

TEST_P(MysqlState, WithoutAFolderForLockFilesALeaseLivesByTimeAlone) {
  MysqlStateOptions options = world_.options();
  options.lock_dir = "";
  ASSERT_TRUE((*OpenMysqlState(options))->Acquire("job", {.ttl_millis = kTtl}).ok());
  auto store = *OpenMysqlState(options);
  EXPECT_REFUSED(store->Acquire("job", {}).status(), ErrorKind::kHeld, "state.held");
  world_.AdvanceClock(kTtl);
  EXPECT_OK(store->Acquire("job", {}).status());
}

TEST_P(MysqlState, WhoFencesWithASharedLockKeepsATakeoverOutAndOthersOfItsKindNot) {
  auto store = Open();
  ASSERT_TRUE(store->Acquire("job", {.ttl_millis = kTtl}).ok());
  world_.AdvanceClock(kTtl);
  const std::string fence =
      ledger::FenceStatement(world_.database().name(), "job", ledger::FenceLock::kShared);
  auto one = *mysql::Connection::Open(world_.database().options());
  auto other = *mysql::Connection::Open(world_.database().options());
  for (mysql::Connection* each : {one.get(), other.get()}) {
    EXPECT_OK(each->Execute("BEGIN"));
    const auto rows = each->Query(fence);
    ASSERT_TRUE(rows.ok()) << rows.status().ToString();
    EXPECT_EQ(rows->at(0).at(0), "1");
  }
  auto thief = Open();
  EXPECT_REFUSED(thief->Acquire("job", {}).status(), ErrorKind::kTransient, "state.busy");
  EXPECT_OK(one->Execute("COMMIT"));
  EXPECT_OK(other->Execute("COMMIT"));
  EXPECT_EQ(thief->Acquire("job", {})->epoch, 2);
}

TEST_P(MysqlState, NamesThatTheServerTakesForOneAreRefused) {
  auto store = Open();
  ASSERT_TRUE(store->Acquire("job", {}).ok());
  EXPECT_REFUSED(store->Acquire("job ", {}).status(), ErrorKind::kUsage,
                 "state.job-name");
  EXPECT_REFUSED(store->Acquire(std::string(256, 'x'), {}).status(), ErrorKind::kUsage,
                 "state.too-long");
  EXPECT_OK(store->Acquire("JOB", {}).status());
}

TEST_P(MysqlState, ARowThatIsThereAndAValueThatDoesNotFitAreToldApart) {
  auto plain = *mysql::Connection::Open(world_.database().options());
  EXPECT_OK(plain->Execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES'"));
  EXPECT_OK(plain->Execute("CREATE TABLE t (name VARCHAR(2) PRIMARY KEY)"));
  EXPECT_OK(plain->Execute("INSERT INTO t VALUES ('ab')"));
  EXPECT_REFUSED(plain->Execute("INSERT INTO t VALUES ('ab')"), ErrorKind::kFailed,
                 "mysql.duplicate");
  EXPECT_REFUSED(plain->Execute("INSERT INTO t VALUES ('abc')"), ErrorKind::kFailed,
                 "mysql.too-long");
}

// ---- connections that are lost

TEST_P(MysqlState, AConnectionLostBetweenCallsIsReplacedUnseen) {
  auto store = Open();
  const Lease lease = *store->Acquire("job", {.ttl_millis = kTtl});
  world_.KillOnce("1 = 1");
  EXPECT_OK(store->OpenLoad(lease, NewLoad("job", "load-1", "orders")));
  world_.KillOnce("1 = 1");
  EXPECT_TRUE((*store->FindLoad("load-1")).has_value());
  world_.KillOnce("1 = 1");
  EXPECT_OK(store->Renew(lease));
}

TEST_P(MysqlState, AConnectionLostWithinACallLeavesNothingAndTheNextCallGoesOn) {
  auto store = Open();
  const Lease lease = *store->Acquire("job", {.ttl_millis = kTtl});
  Execute("BEGIN");
  Execute(ledger::FenceStatement(world_.database().name(), "job",
                                 ledger::FenceLock::kExclusive));
  Status status;
  std::thread writer(
      [&] { status = store->OpenLoad(lease, NewLoad("job", "load-1", "orders")); });
  world_.KillOnce("INFO LIKE '%FOR UPDATE%'");
  writer.join();
  Execute("ROLLBACK");
  EXPECT_REFUSED(status, ErrorKind::kTransient, "state.unreachable");
  EXPECT_FALSE((*store->FindLoad("load-1")).has_value());
  EXPECT_OK(store->OpenLoad(lease, NewLoad("job", "load-1", "orders")));
}

TEST_P(MysqlState, ACommitWithoutAnAnswerSaysThatItIsUnknownAndTheNextCallReadsIt) {
  using Cut = CommitCutter::Cut;
  // Whoever was let in over TLS may come without it: the server has kept its proof.
  EXPECT_NE(Open(), nullptr);
  CommitCutter wire(world_.database().options().port);
  MysqlStateOptions options = world_.options();
  options.server.port = wire.port();
  options.server.tls = mysql::Tls::kDisabled;
  auto opened = OpenMysqlState(options);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  StateStore& store = **opened;
  const Lease lease = *store.Acquire("job", {.ttl_millis = kTtl});
  for (const Cut cut : {Cut::kBeforeTheServer, Cut::kBehindTheServer}) {
    const bool was_done = cut == Cut::kBehindTheServer;
    const std::string load = was_done ? "done" : "undone";
    wire.CutNext(cut);
    EXPECT_REFUSED(store.OpenLoad(lease, NewLoad("job", load, "orders")),
                   ErrorKind::kTransient, "state.commit-unknown");
    EXPECT_EQ(store.FindLoad(load)->has_value(), was_done);
    EXPECT_OK(store.OpenLoad(lease, NewLoad("job", load, "orders")));
  }
  EXPECT_EQ(Answer("SELECT COUNT(*) FROM " + Table(ledger::kLoads)), "2");
}

TEST_P(MysqlState, TheServerEndsASessionThatIsSilentForAsLongAsItsLease) {
  auto store = Open();
  const Lease lease = *store->Acquire("job", {.ttl_millis = 1'000});
  EXPECT_EQ(world_.Connections().size(), 1u);
  while (!world_.Connections().empty()) std::this_thread::yield();
  EXPECT_OK(store->Renew(lease));
}

// ---- what is found there

TEST_P(MysqlState, OpenedForReadingItMakesNothingAndRefusesWrites) {
  MysqlStateOptions options = world_.options();
  options.read_only = true;
  EXPECT_REFUSED(OpenMysqlState(options).status(), ErrorKind::kUsage,
                 "state.no-such-file");
  MysqlStateOptions no_create = world_.options();
  no_create.create = false;
  EXPECT_REFUSED(OpenMysqlState(no_create).status(), ErrorKind::kUsage,
                 "state.no-such-file");
  EXPECT_EQ(Answer("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = "
                   "DATABASE()"),
            "1");
  EXPECT_TRUE(world_.folder().Tree().empty());
  auto writer = Open();
  const Lease lease = *writer->Acquire("job", {});
  EXPECT_OK(writer->OpenLoad(lease, NewLoad("job", "load-1", "orders")));
  options.lock_dir = world_.folder().Path("nobody made it");
  auto reader = *OpenMysqlState(options);
  EXPECT_FALSE(std::filesystem::exists(options.lock_dir));
  EXPECT_TRUE((*reader->FindLoad("load-1")).has_value());
  EXPECT_REFUSED(reader->Renew(lease), ErrorKind::kUsage, "state.opened-read-only");
  EXPECT_REFUSED(reader->SaveProbe("file:///a", {}), ErrorKind::kUsage,
                 "state.opened-read-only");
}

TEST_P(MysqlState, ALedgerThatWasHalfMadeIsMadeWhole) {
  for (const ledger::Table& table : ledger::Tables()) {
    Execute(ledger::CreateStatement(world_.database().name(), table));
    if (table.name == ledger::kRuns) break;
  }
  EXPECT_OK(Open()->Acquire("job", {}).status());
}

TEST_P(MysqlState, ALedgerOfANewerVersionIsRefusedAndSaysWhichProgramReadsIt) {
  EXPECT_NE(Open(), nullptr);
  Execute("UPDATE " + Table(ledger::kAbout) + " SET value = '2' WHERE name = 'version'");
  Execute("UPDATE " + Table(ledger::kAbout) +
          " SET value = '7.8.9' WHERE name = 'sluice_version'");
  const Status status = world_.Open().status();
  EXPECT_REFUSED(status, ErrorKind::kUsage, "state.newer");
  EXPECT_NE(std::string(HintOf(status)).find("sluice 7.8.9"), std::string::npos);
}

TEST_P(MysqlState, TablesThatAreNotWhatTheyMustBeAreCorrupt) {
  const std::string probes = Table(ledger::kProbes), jobs = Table(ledger::kJobs),
                    replaces = Table(ledger::kReplaces);
  const auto made = std::find_if(
      ledger::Tables().begin(), ledger::Tables().end(),
      [](const ledger::Table& table) { return table.name == ledger::kProbes; });
  struct Damage {
    std::string act, word, undo;
  };
  const Damage damages[] = {
      {"ALTER TABLE " + replaces + " ENGINE = MyISAM", "myisam",
       "ALTER TABLE " + replaces + " ENGINE = InnoDB"},
      {"ALTER TABLE " + probes + " MODIFY verdict TEXT NOT NULL", "verdict text",
       "ALTER TABLE " + probes + " MODIFY verdict LONGTEXT NOT NULL"},
      {"DROP TABLE " + probes, "_sluice_ledger_probes is not there",
       ledger::CreateStatement(world_.database().name(), *made)},
      {"ALTER TABLE " + jobs + " MODIFY epoch INT NOT NULL", "epoch int",
       "ALTER TABLE " + jobs + " MODIFY epoch BIGINT NOT NULL"},
      {"ALTER TABLE " + jobs + " DROP PRIMARY KEY", "primary key;",
       "ALTER TABLE " + jobs + " ADD PRIMARY KEY (job)"},
      {"ALTER TABLE " + jobs +
           " MODIFY job VARCHAR(255) NOT NULL COLLATE utf8mb4_general_ci",
       "general_ci",
       "ALTER TABLE " + jobs + " MODIFY job VARCHAR(255) NOT NULL COLLATE utf8mb4_bin"},
  };
  EXPECT_NE(Open(), nullptr);
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.act);
    Execute(damage.act);
    const Status status = world_.Open().status();
    EXPECT_REFUSED(status, ErrorKind::kSource, "state.corrupt");
    EXPECT_NE(status.message().find(damage.word), std::string::npos) << status.ToString();
    Execute(damage.undo);
  }
  EXPECT_NE(Open(), nullptr);
}

TEST_P(MysqlState, MalformedContentIsCorruptAndNamesTheLedger) {
  auto store = Open();
  const Lease lease = *store->Acquire("job", {});
  EXPECT_OK(store->OpenLoad(lease, NewLoad("job", "load-1", "orders")));
  Execute("UPDATE " + Table(ledger::kLoads) + " SET spec = '{'");
  const Status status = store->FindLoad("load-1").status();
  EXPECT_REFUSED(status, ErrorKind::kSource, "state.corrupt");
  EXPECT_NE(status.message().find(store->Describe()), std::string::npos);
  EXPECT_NE(status.message().find("load-1"), std::string::npos);
}

TEST_P(MysqlState, TheHintIsTheGrantThatIsMissing) {
  const std::string& schema = world_.database().name();
  const std::string user = "u" + schema;
  Execute("CREATE USER '" + user +
          "'@'%' IDENTIFIED BY 'pw-of-a-test';\nGRANT SELECT ON `" + schema + "`.* TO '" +
          user + "'@'%'");
  MysqlStateOptions options = world_.options();
  options.server.user = user;
  options.server.password = "pw-of-a-test";
  const Status status = OpenMysqlState(options).status();
  EXPECT_REFUSED(status, ErrorKind::kSource, "state.missing-grant");
  const std::string hint(HintOf(status));
  const size_t grant = hint.find("GRANT ");
  ASSERT_NE(grant, std::string::npos) << hint;
  Execute(hint.substr(grant, hint.find(';') - grant));
  const auto store = OpenMysqlState(options);
  ASSERT_TRUE(store.ok()) << store.status().ToString();
  const Lease lease = *(*store)->Acquire("job", {});
  EXPECT_OK((*store)->OpenLoad(lease, NewLoad("job", "load-1", "orders")));
  EXPECT_OK((*store)->BeginRun(lease, {.run = "run-1"}));
  EXPECT_OK((*store)->EndRun(lease, "run-1", 0, "{}"));
  EXPECT_OK((*store)->SaveProbe("file:///a", {}));
  EXPECT_OK((*store)->Release(lease));
  Execute("DROP USER '" + user + "'@'%'");
}

TEST_P(MysqlState, WhatCannotBeReachedSaysWhereAndNoPassword) {
  MysqlStateOptions options = world_.options();
  options.server.password = "wrong-secret";
  const Status refused = OpenMysqlState(options).status();
  EXPECT_REFUSED(refused, ErrorKind::kUsage, "state.cannot-open");
  EXPECT_NE(refused.message().find(world_.database().name()), std::string::npos);
  EXPECT_EQ(refused.ToString().find("wrong-secret"), std::string::npos);
  options = world_.options();
  options.server.database = "no_such_schema_here";
  EXPECT_REFUSED(OpenMysqlState(options).status(), ErrorKind::kUsage,
                 "state.cannot-open");
  options.server.database = "";
  EXPECT_REFUSED(OpenMysqlState(options).status(), ErrorKind::kUsage,
                 "state.cannot-open");
  options = world_.options();
  options.server.port = 1;
  EXPECT_REFUSED(OpenMysqlState(options).status(), ErrorKind::kTransient,
                 "state.unreachable");
}

TEST_P(MysqlState, TheDefaultClockTellsTheTimeOfTheServer) {
  MysqlStateOptions options = world_.options();
  options.now_sql = MysqlStateOptions{}.now_sql;
  auto store = *OpenMysqlState(options);
  const Lease lease = *store->Acquire("job", {.ttl_millis = kTtl});
  EXPECT_OK(store->BeginRun(lease, {.run = "run-1"}));
  const int64_t now = store->Runs("job", 1)->at(0).started_millis;
  const int64_t server = std::stoll(Answer("SELECT UNIX_TIMESTAMP()")) * 1000;
  EXPECT_LT(std::abs(now - server), 60'000);
  const int64_t left = (*store->Holder("job"))->expires_in_millis;
  EXPECT_GT(left, 0);
  EXPECT_LE(left, kTtl);
}

TEST_P(MysqlState, OldDoneLoadsLoseTheirChunksButTheNewestOfEachStreamKeepsThem) {
  auto store = Open();
  const Lease lease = *store->Acquire("job", {});
  const auto finish = [&](const std::string& load, const std::string& stream, Phase end) {
    EXPECT_OK(store->OpenLoad(lease, NewLoad("job", load, stream)));
    EXPECT_OK(store->AddChunk(lease, load, ChunkAt(1, true)));
    EXPECT_OK(store->BeginAttempt(lease, load, 1, "a"));
    Execute("UPDATE " + Table(ledger::kLoads) + " SET phase = '" + ToString(end) +
            "' WHERE `load` = '" + load + "'");
  };
  EXPECT_OK(store->BeginRun(lease, {.run = "run-1"}));
  finish("rare", "rare", Phase::kCleaned);
  finish("old", "orders", Phase::kCleaned);
  finish("discarded", "orders", Phase::kDiscarded);
  finish("open", "orders", Phase::kPublished);
  for (int i = 0; i < state::kDoneLoadsMax; ++i)
    finish("load-" + std::to_string(i), "orders", Phase::kCleaned);
  EXPECT_OK(store->EndRun(lease, "run-1", 0, "{}"));
  EXPECT_EQ((*store->FindLoad("rare"))->chunks.size(), 1u);
  EXPECT_EQ((*store->FindLoad("old"))->chunks.size(), 0u);
  EXPECT_FALSE(store->FindLoad("discarded")->has_value());
  EXPECT_EQ((*store->FindLoad("open"))->chunks.size(), 1u);
  EXPECT_EQ((*store->FindLoad("load-0"))->chunks.size(), 1u);
  EXPECT_EQ(store->Loads("job", 1000)->size(), state::kDoneLoadsMax + 3u);
  for (const auto& table : {ledger::kAttempts, ledger::kPositions})
    EXPECT_EQ(
        Answer("SELECT COUNT(*) FROM " + Table(table) + " WHERE `load` = 'discarded'"),
        "0");
}

}  // namespace
}  // namespace sluice
