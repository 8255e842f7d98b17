// A run whose store, slot, state or destination is not as the run left it, or as it promised to be.

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "arrow/record_batch.h"
#include "arrow/util/cancel.h"
#include "base/crash_point.h"
#include "base/uuid.h"
#include "destination/object_store.h"
#include "sluice/transfer.h"
#include "source/sqlite.h"
#include "state/sqlite_state.h"
#include "state/stopped_clock_test.h"
#include "testing/fake_clock.h"
#include "testing/faulty_store.h"
#include "testing/memory_store.h"
#include "testing/scratch_folder.h"
#include "testing/scripted_source.h"

namespace sluice {
namespace {

class Silence : public Notifier {
 public:
  void On(const Event& /*event*/) override {}
};

/// A load that says of each chunk that it has a row less than it was given.
class ForgetfulLoad final : public Load {
 public:
  explicit ForgetfulLoad(std::unique_ptr<Load> load) : load_(std::move(load)) {}

  Result<ChunkReceipt> Prepare(
      const PrepareContext& context,
      const std::shared_ptr<arrow::RecordBatchReader>& rows) override {
    ARROW_ASSIGN_OR_RAISE(ChunkReceipt receipt, load_->Prepare(context, rows));
    --receipt.rows;
    return receipt;
  }
  Result<std::vector<ChunkReceipt>> Publish(const std::vector<ChunkReceipt>& winners,
                                            const arrow::StopToken& stop) override {
    return load_->Publish(winners, stop);
  }
  Result<std::shared_ptr<arrow::RecordBatchReader>> ReadBack(
      const ChunkReceipt& receipt) override {
    return load_->ReadBack(receipt);
  }
  Status CheckStored(const ChunkReceipt& receipt, const arrow::StopToken& stop) override {
    return load_->CheckStored(receipt, stop);
  }
  Status Retire(const ChunkReceipt& receipt) override { return load_->Retire(receipt); }
  Result<Slot> Commit(const std::vector<ChunkReceipt>& published,
                      const ManifestFacts& facts) override {
    return load_->Commit(published, facts);
  }
  Result<Slot> FindSlot() override { return load_->FindSlot(); }
  Status Discard() override { return load_->Discard(); }
  Status CleanUp() override { return load_->CleanUp(); }

 private:
  std::unique_ptr<Load> load_;
};

class ForgetfulDestination final : public Destination {
 public:
  explicit ForgetfulDestination(std::unique_ptr<Store> store)
      : destination_(MakeObjectStoreDestination(std::move(store))) {}

  std::string Describe() const override { return destination_->Describe(); }
  Result<ProbeVerdict> Probe() override { return destination_->Probe(); }
  Result<std::unique_ptr<Load>> Open(const LoadSpec& spec) override {
    ARROW_ASSIGN_OR_RAISE(auto load, destination_->Open(spec));
    return std::make_unique<ForgetfulLoad>(std::move(load));
  }
  Result<std::vector<TableName>> Tables() override { return destination_->Tables(); }
  Result<std::vector<LoadEntry>> Loads(const TableName& table) override {
    return destination_->Loads(table);
  }
  Status Drop(const TableName& table, const std::string& load) override {
    return destination_->Drop(table, load);
  }
  Result<int64_t> Collect(const TableName& table, const std::string& load) override {
    return destination_->Collect(table, load);
  }

 private:
  std::unique_ptr<Destination> destination_;
};

class BetrayedRun : public ::testing::Test {
 protected:
  BetrayedRun() {
    database_.Create("t", MakeRows(1, 4, 1));
    StreamSpec stream;
    stream.name = "t";
    stream.relation.name = {"main", "t"};
    stream.definition = "{}";
    spec_.streams.push_back(stream);
    spec_.job = "job";
    spec_.limits.connections = 1;
    spec_.limits.lease_ttl_millis = 0;
    spec_.limits.read_ahead = 0;
    spec_.limits.chunk_rows = 10;
  }
  ~BetrayedRun() override { SetCrashHook(nullptr); }

  TransferReport Run(Source& source, Destination& destination) {
    // Ids of loads sort by time: no two runs begin at one moment.
    clock_.Advance(std::chrono::seconds(1));
    const auto state = OpenSqliteState({.path = StatePath()}).ValueOrDie();
    spec_.run = NewUuidV7(clock_.NowMicros());
    return RunTransfer(spec_, {source, destination, *state, clock_, silence_},
                       arrow::StopToken::Unstoppable(), arrow::StopToken::Unstoppable());
  }
  TransferReport Run(Destination& destination) {
    ScriptedSource source(database_);
    return Run(source, destination);
  }
  TransferReport Run() { return Run(*MakeObjectStoreDestination(store_.Open())); }

  /// `act` is done behind the run's back when it first passes `point`.
  void At(CrashPoint point, std::function<void()> act) {
    SetCrashHook([point, act = std::move(act), done = false](CrashPoint at) mutable {
      if (at == point && !std::exchange(done, true)) act();
      return Status::OK();
    });
  }
  /// What gc of another process does with the load of this one.
  static void DiscardByAnother(const MemoryStore& store, const std::string& path) {
    const auto state = OpenSqliteState({.path = path, .read_only = true}).ValueOrDie();
    const LoadState load = *state->OpenLoadOf("job", "t").ValueOrDie();
    const auto other = MakeObjectStoreDestination(store.Open());
    const Status discarded = other->Open(load.spec).ValueOrDie()->Discard();
    EXPECT_TRUE(discarded.ok()) << discarded.ToString();
  }
  std::string StatePath() const { return folder_.path() + "/state.db"; }

  static void ExpectError(const TransferReport& report, std::string_view id,
                          int exit_code) {
    ASSERT_EQ(report.streams.size(), 1U) << report.status.ToString();
    EXPECT_EQ(IdOf(report.streams[0].status), id) << report.streams[0].status.ToString();
    EXPECT_EQ(report.exit_code, exit_code);
  }
  /// Whatever happened, the same command goes on, or begins anew, and ends well.
  void ExpectTheNextRunEndsWell() {
    SetCrashHook(nullptr);
    const TransferReport report = Run();
    ASSERT_EQ(report.exit_code, 0) << report.streams[0].status.ToString();
    EXPECT_EQ(report.streams[0].rows, 4);
  }

  FakeClock clock_;
  Silence silence_;
  ScratchFolder folder_{ScratchPlace::kMemory};
  ScriptedDatabase database_;
  MemoryStore store_;
  TransferSpec spec_;
};

TEST_F(BetrayedRun, OfStagedObjectsThatVanishedDiscardsTheLoad) {
  At(CrashPoint::kPublishFrozen, [this] {
    const auto store = store_.Open();
    for (const StagedObject& object : store->ListStaged("main/t").ValueOrDie())
      EXPECT_TRUE(store->Abort(object).ok());
  });
  const TransferReport report = Run();
  ExpectError(report, "transfer.staging-lost", 5);
  EXPECT_EQ(report.streams[0].phase, Phase::kDiscarded);
  ExpectTheNextRunEndsWell();
}

TEST_F(BetrayedRun, OfALoadThatAnotherDiscardedStopsBeforeTheCommit) {
  At(CrashPoint::kVerifyRecorded, [this] { DiscardByAnother(store_, StatePath()); });
  const TransferReport report = Run();
  ExpectError(report, "transfer.discarded-by-other", 4);
  EXPECT_EQ(report.streams[0].phase, Phase::kDiscarded);
  ExpectTheNextRunEndsWell();
}

TEST_F(BetrayedRun, OfASlotThatWasNeverWrittenIsUndecidedAndResumesAtTheCommit) {
  const auto script = std::make_shared<FaultScript>();
  script->Add({.call = StoreCall::kPut, .kind = FaultKind::kLostRequest});
  const auto destination =
      MakeObjectStoreDestination(NewFaultyStore(store_.Open(), script));
  const TransferReport report = Run(*destination);
  ExpectError(report, "transfer.commit-undecided", 5);
  EXPECT_EQ(report.streams[0].phase, Phase::kVerified);
  ExpectTheNextRunEndsWell();
}

TEST_F(BetrayedRun, OfASlotThatContradictsTheStateIsLeftToSomebodyWhoLooks) {
  MemoryStore lax({.create_only = false});
  const auto destination = MakeObjectStoreDestination(lax.Open());
  At(CrashPoint::kSlotRecorded, [&] { DiscardByAnother(lax, StatePath()); });
  const TransferReport report = Run(*destination);
  ExpectError(report, "transfer.slot-contradicts", 6);
  EXPECT_EQ(report.streams[0].phase, Phase::kCommitted);
}

TEST_F(BetrayedRun, OfAStateThatLostTheLoadSaysSo) {
  At(CrashPoint::kStagedRecorded, [this] {
    state::MustExecute(StatePath(), "PRAGMA foreign_keys=ON; DELETE FROM loads");
  });
  ExpectError(Run(), "state.load-gone", 6);
  ExpectTheNextRunEndsWell();
}

TEST_F(BetrayedRun, OfADestinationThatLosesRowsIsAMismatch) {
  ForgetfulDestination destination(store_.Open());
  ExpectError(Run(destination), "transfer.rows-lost", 3);
  EXPECT_TRUE(store_.Objects().empty());
}

TEST_F(BetrayedRun, WithoutTheSnapshotItInsistsOnReadsNothing) {
  database_.AllowSnapshots(false);
  spec_.consistency = Consistency::kSnapshotStrict;
  ScriptedSource source(database_);
  const auto destination = MakeObjectStoreDestination(store_.Open());
  const TransferReport report = Run(source, *destination);
  EXPECT_EQ(IdOf(report.status), "run.no-snapshot");
  EXPECT_EQ(report.exit_code, 5);
  EXPECT_FALSE(HintOf(report.status).empty());
  EXPECT_EQ(source.rows_read(), 0);
}

TEST_F(BetrayedRun, OfBoundsThatNoManifestHoldsEndsWhileItPlans) {
  // Three megabytes of quotes are six of JSON, and a chunk has two bounds.
  const std::string path = folder_.Path("keys.db");
  state::MustExecute(path,
                     "CREATE TABLE t (k TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID; "
                     "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT "
                     "i + 1 FROM n WHERE i < 17) SELECT "
                     "replace(hex(zeroblob(1500000)), '0', '\"') || i FROM n");
  const auto source = OpenSqliteSource(path).ValueOrDie();
  const auto destination = MakeObjectStoreDestination(store_.Open());
  spec_.limits.chunk_rows = 1;
  const TransferReport report = Run(*source, *destination);
  ExpectError(report, "run.plan-too-large", 8);
  EXPECT_FALSE(HintOf(report.streams[0].status).empty());
  EXPECT_EQ(report.streams[0].phase, Phase::kCopying);
}

}  // namespace
}  // namespace sluice
