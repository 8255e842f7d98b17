#include "destination/object_store.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "arrow/buffer.h"
#include "arrow/io/memory.h"
#include "arrow/memory_pool.h"
#include "arrow/record_batch.h"
#include "arrow/scalar.h"
#include "arrow/table.h"
#include "arrow/type.h"
#include "arrow/util/cancel.h"
#include "arrow/util/key_value_metadata.h"
#include "base/crash_point.h"
#include "parquet/arrow/reader.h"
#include "parquet/file_reader.h"
#include "parquet/metadata.h"
#include "testing/batches.h"
#include "testing/faulty_store.h"
#include "testing/memory_store.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const char kSlotPath[] = "main/t/_sluice/L1.json";
const char kPart[] = "main/t/L1/part-000001-000.parquet";

class ObjectStoreTest : public ::testing::Test {
 protected:
  ObjectStoreTest() : schema_(arrow::schema({arrow::field("id", arrow::int64())})) {
    spec_.load = "L1";
    spec_.relation.name = {"main", "t"};
    spec_.schema = schema_;
    spec_.source = "scripted:";
    facts_.chunks = {{1, {}, true}};
    destination_ = Process({});
  }
  ~ObjectStoreTest() override { SetCrashHook(nullptr); }

  /// Another process on the same store, with the faults it meets.
  std::unique_ptr<Destination> Process(const std::vector<Fault>& faults) {
    script_ = std::make_shared<FaultScript>();
    for (const auto& fault : faults) script_->Add(fault);
    return MakeObjectStoreDestination(NewFaultyStore(store_.Open(), script_));
  }
  std::unique_ptr<Load> Open() { return Open(*destination_); }
  std::unique_ptr<Load> Open(Destination& destination) {
    return destination.Open(spec_).ValueOrDie();
  }

  Result<ChunkReceipt> Prepare(Load& load, const std::string& attempt,
                               const std::string& rows = "[[1], [2]]") {
    PrepareContext context;
    context.chunk.ordinal = 1;
    context.attempt = attempt;
    return load.Prepare(context, ReaderOf(schema_, rows));
  }
  std::vector<ChunkReceipt> Published(Load& load, const std::string& attempt) {
    auto receipt = Prepare(load, attempt);
    EXPECT_TRUE(receipt.ok()) << receipt.status().ToString();
    auto published = load.Publish({*receipt}, arrow::StopToken::Unstoppable());
    EXPECT_TRUE(published.ok()) << published.status().ToString();
    return published.ValueOr(std::vector<ChunkReceipt>());
  }
  Status Check(Load& load, const ChunkReceipt& receipt) {
    return load.CheckStored(receipt, arrow::StopToken::Unstoppable());
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const auto& [path, bytes] : store_.Objects()) names.push_back(path);
    return names;
  }
  void Put(const std::string& path, const std::string& bytes) {
    ASSERT_TRUE(store_.Open()->Put(path, bytes, PutMode::kOverwrite).ok());
  }

  MemoryStore store_;
  std::shared_ptr<FaultScript> script_;
  std::shared_ptr<arrow::Schema> schema_;
  LoadSpec spec_;
  ManifestFacts facts_;
  std::unique_ptr<Destination> destination_;
};

Fault On(StoreCall call, FaultKind kind, int64_t nth = 1) {
  return {.call = call, .nth = nth, .kind = kind};
}

TEST_F(ObjectStoreTest, ACommittedLoadLiesWhereItsReadersLook) {
  auto load = Open();
  auto slot = load->Commit(Published(*load, "a1"), facts_);
  ASSERT_TRUE(slot.ok()) << slot.status().ToString();
  EXPECT_THAT(Names(), ElementsAre(kPart, kSlotPath));
  auto json = nlohmann::json::parse(store_.Objects()[kSlotPath]);
  EXPECT_EQ(json["objects"][0]["path"], kPart);
  EXPECT_EQ(json["outcome"], "committed");
  EXPECT_EQ(store_.staged(), 0);
}

TEST_F(ObjectStoreTest, AFileSaysItsLoadChunkAndSource) {
  Published(*Open(), "a1");
  auto bytes = arrow::Buffer::FromString(store_.Objects()[kPart]);
  auto reader =
      parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(bytes));
  auto metadata = reader->metadata()->key_value_metadata();
  EXPECT_EQ(metadata->Get("sluice.load").ValueOr(""), "L1");
  EXPECT_EQ(metadata->Get("sluice.chunk").ValueOr(""), "1");
  EXPECT_EQ(metadata->Get("sluice.source").ValueOr(""), "scripted:");
  EXPECT_EQ(reader->metadata()->num_rows(), 2);
}

TEST_F(ObjectStoreTest, AChunkIsCutIntoFilesOfTheWantedSize) {
  spec_.file_size = 20'000;
  spec_.compression = "none";
  std::string rows = "[";
  for (int i = 0; i < 5'000; ++i)
    rows += (i == 0 ? "[" : ",[") + std::to_string(i * 7919 % 5003) + "]";
  auto load = Open();
  auto receipt = Prepare(*load, "a1", rows + "]");
  ASSERT_TRUE(receipt.ok()) << receipt.status().ToString();
  ASSERT_GT(receipt->staged.size(), 1u);
  EXPECT_EQ(receipt->staged[1].path, "main/t/L1/part-000001-001.parquet");
  auto published =
      load->Publish({*receipt}, arrow::StopToken::Unstoppable()).ValueOrDie();
  for (const auto& object : published[0].objects) EXPECT_LE(object.size, spec_.file_size);
  EXPECT_TRUE(Check(*load, published[0]).ok());
  auto reader = load->ReadBack(published[0]).ValueOrDie();
  EXPECT_EQ(*ReadRows(*reader), *ReadRows(*ReaderOf(schema_, rows + "]")))
      << "in row order";
}

TEST_F(ObjectStoreTest, AListerNeverSeesAHalfOrASecondObject) {
  auto load = Open();
  ASSERT_TRUE(Prepare(*load, "dead").ok());
  ASSERT_TRUE(load->Commit(Published(*load, "a1"), facts_).ok());
  ASSERT_TRUE(load->CleanUp().ok());
  for (const auto& sighting : store_.Sightings()) {
    EXPECT_TRUE(sighting.complete);
    EXPECT_EQ(sighting.change, Sighting::Change::kAppeared) << sighting.path;
    EXPECT_NE(sighting.attempt, "dead");
  }
  EXPECT_EQ(store_.staged(), 0);
}

TEST_F(ObjectStoreTest, ALostReplyToAPublishIsLookedAt) {
  for (auto kind : {FaultKind::kLostReply, FaultKind::kLostRequest}) {
    spec_.load = kind == FaultKind::kLostReply ? "L1" : "L2";
    auto process = Process({On(StoreCall::kPublish, kind)});
    auto load = Open(*process);
    auto published = Published(*load, "a1");
    ASSERT_THAT(published, SizeIs(1));
    EXPECT_TRUE(Check(*load, published[0]).ok());
  }
}

TEST_F(ObjectStoreTest, ALostReplyToACommitIsReadFromTheSlot) {
  auto process = Process({On(StoreCall::kPut, FaultKind::kLostReply)});
  auto load = Open(*process);
  auto slot = load->Commit(Published(*load, "a1"), facts_);
  ASSERT_TRUE(slot.ok()) << slot.status().ToString();
  EXPECT_EQ(slot->outcome, Outcome::kCommitted);
}

TEST_F(ObjectStoreTest, ALostRequestToCommitStaysUnknownAndCanBeRepeated) {
  auto process = Process({On(StoreCall::kPut, FaultKind::kLostRequest)});
  auto load = Open(*process);
  auto published = Published(*load, "a1");
  auto slot = load->Commit(published, facts_);
  EXPECT_EQ(KindOf(slot.status()), ErrorKind::kCommitUnknown);
  EXPECT_EQ(load->FindSlot()->outcome, Outcome::kUndecided);
  EXPECT_EQ(load->Commit(published, facts_)->outcome, Outcome::kCommitted);
}

TEST_F(ObjectStoreTest, ALostReplyToADiscardIsReadFromTheSlot) {
  auto process = Process({On(StoreCall::kPut, FaultKind::kLostReply)});
  auto load = Open(*process);
  Published(*load, "a1");
  EXPECT_TRUE(load->Discard().ok());
  EXPECT_THAT(Names(), ElementsAre(kSlotPath));
}

TEST_F(ObjectStoreTest, ATransientErrorIsHandedOn) {
  for (auto call : {StoreCall::kBegin, StoreCall::kWrite, StoreCall::kStage}) {
    auto process = Process({On(call, FaultKind::kErrorBefore)});
    auto receipt = Prepare(*Open(*process), "a1");
    EXPECT_EQ(KindOf(receipt.status()), ErrorKind::kTransient) << ToString(call);
    EXPECT_EQ(store_.staged(), 0) << ToString(call);
  }
}

TEST_F(ObjectStoreTest, WhatAFailedAttemptStagedIsAborted) {
  spec_.file_size = 2'000;
  spec_.compression = "none";
  std::string rows = "[[0]";
  for (int i = 1; i < 2'000; ++i) rows += ",[" + std::to_string(i * 7919 % 2003) + "]";
  auto process = Process({On(StoreCall::kStage, FaultKind::kErrorBefore, 3)});
  auto receipt = Prepare(*Open(*process), "a1", rows + "]");
  EXPECT_EQ(KindOf(receipt.status()), ErrorKind::kTransient);
  EXPECT_EQ(script_->calls(StoreCall::kAbort), 2);
  EXPECT_EQ(store_.staged(), 0);
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(ObjectStoreTest, AnAttemptThatCouldNotBeAbortedSaysSo) {
  spec_.file_size = 2'000;
  spec_.compression = "none";
  std::string rows = "[[0]";
  for (int i = 1; i < 2'000; ++i) rows += ",[" + std::to_string(i * 7919 % 2003) + "]";
  auto process = Process({On(StoreCall::kStage, FaultKind::kErrorBefore, 2),
                          On(StoreCall::kAbort, FaultKind::kErrorBefore)});
  auto receipt = Prepare(*Open(*process), "a1", rows + "]");
  EXPECT_EQ(KindOf(receipt.status()), ErrorKind::kTransient);
  EXPECT_THAT(receipt.status().message(), ::testing::HasSubstr("stays staged"));
}

TEST_F(ObjectStoreTest, TruncatedAndChangedFilesAreMismatches) {
  auto load = Open();
  auto receipt = Published(*load, "a1")[0];
  auto whole = store_.Objects()[kPart];
  auto changed = whole;
  changed[whole.size() / 2] ^= 1;
  for (const auto& bytes : {whole.substr(0, whole.size() - 1), changed, std::string()}) {
    store_.Corrupt(kPart, bytes);
    EXPECT_EQ(KindOf(Check(*load, receipt)), ErrorKind::kMismatch);
  }
  ASSERT_TRUE(store_.Open()->Delete(kPart).ok());
  EXPECT_EQ(KindOf(Check(*load, receipt)), ErrorKind::kMismatch);
}

TEST_F(ObjectStoreTest, AFileThatIsNoParquetIsAMismatchWithoutACrash) {
  auto load = Open();
  auto receipt = Published(*load, "a1")[0];
  auto whole = store_.Objects()[kPart];
  for (size_t at = 0; at < whole.size(); at += 7) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
    store_.Corrupt(kPart, bytes);
    auto now = receipt;
    now.objects[0].version_id = store_.Open()->Head(kPart).ValueOrDie()->version_id;
    auto reader = load->ReadBack(now);
    auto status = reader.ok() ? ReadRows(**reader).status() : reader.status();
    EXPECT_TRUE(status.ok() || KindOf(status) == ErrorKind::kMismatch)
        << at << status.ToString();
  }
}

TEST_F(ObjectStoreTest, AShortReadIsNoticed) {
  auto load = Open();
  auto receipt = Published(*load, "a1")[0];
  auto process = Process(
      {{.call = StoreCall::kReadBytes, .kind = FaultKind::kShortRead, .times = 100}});
  auto status = Check(*Open(*process), receipt);
  EXPECT_FALSE(status.ok());
}

TEST_F(ObjectStoreTest, AStoreThatFailsToReadIsNoMismatch) {
  auto load = Open();
  auto receipt = Published(*load, "a1")[0];
  auto process = Process(
      {{.call = StoreCall::kReadBytes, .kind = FaultKind::kErrorBefore, .times = 100}});
  auto again = Open(*process);
  EXPECT_EQ(KindOf(Check(*again, receipt)), ErrorKind::kTransient);
  auto reader = again->ReadBack(receipt);
  auto status = reader.ok() ? ReadRows(**reader).status() : reader.status();
  EXPECT_EQ(KindOf(status), ErrorKind::kTransient) << status.ToString();
}

TEST_F(ObjectStoreTest, AForeignSlotStopsEveryDecision) {
  Put(kSlotPath, "{\"hello\": 1}");
  auto load = Open();
  auto receipt = Prepare(*load, "a1").ValueOrDie();
  EXPECT_EQ(KindOf(load->FindSlot().status()), ErrorKind::kMismatch);
  EXPECT_EQ(KindOf(load->Publish({receipt}, arrow::StopToken::Unstoppable()).status()),
            ErrorKind::kMismatch);
  EXPECT_EQ(KindOf(load->Discard()), ErrorKind::kMismatch);
  EXPECT_EQ(KindOf(destination_->Loads({"main", "t"}).status()), ErrorKind::kMismatch);
  EXPECT_EQ(KindOf(destination_->Collect({"main", "t"}, "L1").status()),
            ErrorKind::kMismatch);
  EXPECT_EQ(store_.Objects()[kSlotPath], "{\"hello\": 1}") << "it is left alone";
}

TEST_F(ObjectStoreTest, WhereCreateOnlyIsNotEnforcedNamesCarryTheirAttempt) {
  store_ = MemoryStore({.create_only = false, .atomic = false});
  destination_ = Process({});
  spec_.attempt_names = true;
  auto load = Open();
  auto loser = Published(*load, "a1");
  auto winner = Published(*load, "b1");
  EXPECT_THAT(Names(), ElementsAre("main/t/L1/part-000001-000.a1.parquet",
                                   "main/t/L1/part-000001-000.b1.parquet"));
  ASSERT_EQ(load->Commit(winner, facts_)->outcome, Outcome::kCommitted);
  EXPECT_EQ(load->Commit(loser, facts_)->json, store_.Objects()[kSlotPath])
      << "the first slot stays";
  EXPECT_EQ(*destination_->Collect({"main", "t"}, "L1"), 1) << "a loser is collected";
  EXPECT_THAT(Names(), ElementsAre("main/t/L1/part-000001-000.b1.parquet", kSlotPath));
}

TEST_F(ObjectStoreTest, AFileOfSomebodyElseInTheFolderIsLeftAlone) {
  auto load = Open();
  Published(*load, "a1");
  Put("main/t/L1/notes.txt", "mine");
  ASSERT_TRUE(load->Discard().ok());
  EXPECT_THAT(Names(), ElementsAre("main/t/L1/notes.txt", kSlotPath));
}

TEST_F(ObjectStoreTest, AHalfDroppedLoadIsCollectedToTheEnd) {
  auto load = Open();
  ASSERT_TRUE(load->Commit(Published(*load, "a1"), facts_).ok());
  auto process = Process({On(StoreCall::kDelete, FaultKind::kErrorBefore)});
  EXPECT_FALSE(process->Drop({"main", "t"}, "L1").ok());
  EXPECT_EQ(*destination_->Collect({"main", "t"}, "L1"), 1);
  EXPECT_THAT(Names(), ElementsAre("main/t/_sluice/L1.dropped.json", kSlotPath));
}

TEST_F(ObjectStoreTest, TheSlotOfADroppedLoadIsNotReadAgain) {
  auto load = Open();
  ASSERT_TRUE(load->Commit(Published(*load, "a1"), facts_).ok());
  const auto reads_of_a_listing = [this] {
    const int64_t before = script_->calls(StoreCall::kGet);
    EXPECT_EQ((*destination_->Loads({"main", "t"}))[0].outcome, Outcome::kCommitted);
    return script_->calls(StoreCall::kGet) - before;
  };
  EXPECT_EQ(reads_of_a_listing(), 1);
  ASSERT_TRUE(destination_->Drop({"main", "t"}, "L1").ok());
  EXPECT_EQ(reads_of_a_listing(), 0);
}

TEST_F(ObjectStoreTest, APartOfARootWithinIsNoLoadOfThisOne) {
  auto load = Open();
  Published(*load, "a1");
  const std::string id = "01900000-0000-7000-8000-000000000001";
  Put("main/t/" + id + "/part-000001-000.parquet", store_.Objects()[kPart]);
  Put("main/t/dt=1/" + id + "/part-000001-000.parquet", "no Parquet");
  const auto entries = destination_->Loads({"main", "t"});
  ASSERT_EQ(entries->size(), 1U) << "made for another folder";
  EXPECT_EQ((*entries)[0].load, "L1");
  EXPECT_EQ(*destination_->Collect({"main", "t"}, id), 0);
}

TEST_F(ObjectStoreTest, CrashPointsArePassedInTheirOrder) {
  std::vector<CrashPoint> passed;
  SetCrashHook([&](CrashPoint point) {
    passed.push_back(point);
    return Status::OK();
  });
  auto load = Open();
  ASSERT_TRUE(load->Commit(Published(*load, "a1"), facts_).ok());
  EXPECT_THAT(passed, ElementsAre(CrashPoint::kPublishObject, CrashPoint::kSlotBegun,
                                  CrashPoint::kSlotWritten));
  passed.clear();
  spec_.load = "L2";
  auto other = Open();
  Published(*other, "a1");
  ASSERT_TRUE(other->Discard().ok());
  EXPECT_THAT(passed, ElementsAre(CrashPoint::kPublishObject, CrashPoint::kDiscardSlot,
                                  CrashPoint::kDiscardHalf));
}

TEST_F(ObjectStoreTest, ARunnerThatDiesInADiscardIsFinishedByTheNext) {
  for (auto point : {CrashPoint::kDiscardSlot, CrashPoint::kDiscardHalf}) {
    spec_.load = point == CrashPoint::kDiscardSlot ? "D1" : "D2";
    auto load = Open();
    ASSERT_TRUE(Prepare(*load, "staged").ok());
    Published(*load, "a1");
    SetCrashHook([point](CrashPoint at) {
      return at == point ? Error(ErrorKind::kTransient, "test.dead", "dead")
                         : Status::OK();
    });
    EXPECT_EQ(IdOf(load->Discard()), "test.dead");
    SetCrashHook(nullptr);
    EXPECT_TRUE(Open()->Discard().ok());
    EXPECT_EQ(store_.staged(), 0);
  }
  EXPECT_THAT(Names(), ElementsAre("main/t/_sluice/D1.json", "main/t/_sluice/D2.json"));
}

TEST_F(ObjectStoreTest, ADigestOfTheServerIsNoneItCanTake) {
  PrepareContext context;
  context.chunk.ordinal = 1;
  context.attempt = "a1";
  context.digest = DigestKind::kServer;
  auto refused = Open()->Prepare(context, ReaderOf(schema_, "[[1]]")).status();
  EXPECT_EQ(IdOf(refused), "load.digest-kind");
  EXPECT_EQ(store_.staged(), 0);
}

TEST_F(ObjectStoreTest, AReceiptOfAnotherLoadIsRefused) {
  auto load = Open();
  auto receipt = Prepare(*load, "a1").ValueOrDie();
  receipt.load = "L9";
  EXPECT_EQ(IdOf(load->Publish({receipt}, arrow::StopToken::Unstoppable()).status()),
            "load.receipt");
  receipt.load = "L1";
  receipt.staged[0].path = "main/other/L1/part-000001-000.parquet";
  EXPECT_EQ(IdOf(load->Retire(receipt)), "load.receipt");
  EXPECT_THAT(Names(), IsEmpty());
}

}  // namespace
}  // namespace sluice
