#include <gmock/gmock.h>

#include "arrow/record_batch.h"
#include "arrow/scalar.h"
#include "arrow/type.h"
#include "arrow/util/cancel.h"
#include "sql/digest.h"
#include "testing/batches.h"
#include "verify/compare.h"
#include "verify/content.h"
#include "verify/counts.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<arrow::Schema> Schema() {
  return arrow::schema(
      {arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8())});
}

const char kRows[] = R"([[1, "a"], [2, null], [3, ""]])";
const char kOtherRows[] = R"([[1, "a"], [2, ""], [3, ""]])";
const char kFewerRows[] = R"([[1, "a"], [2, null]])";

Digest DigestOf(const char* rows) {
  return DigestRows(*ReaderOf(Schema(), rows), arrow::StopToken::Unstoppable())
      .ValueOrDie();
}

arrow::StopToken Unstoppable() { return arrow::StopToken::Unstoppable(); }

/// A load whose stored rows and checksums are what the test says.
class StoredLoad final : public Load {
 public:
  std::string rows = kRows;
  Status check;

  Result<ChunkReceipt> Prepare(
      const PrepareContext&, const std::shared_ptr<arrow::RecordBatchReader>&) override {
    return Unused();
  }
  Result<std::vector<ChunkReceipt>> Publish(const std::vector<ChunkReceipt>&,
                                            const arrow::StopToken&) override {
    return Unused();
  }
  Result<std::shared_ptr<arrow::RecordBatchReader>> ReadBack(
      const ChunkReceipt&) override {
    return ReaderOf(Schema(), rows);
  }
  Status CheckStored(const ChunkReceipt&, const arrow::StopToken&) override {
    return check;
  }
  Status Retire(const ChunkReceipt&) override { return Unused(); }
  Result<Slot> Commit(const std::vector<ChunkReceipt>&, const ManifestFacts&) override {
    return Unused();
  }
  Result<Slot> FindSlot() override { return Unused(); }
  Status Discard() override { return Unused(); }
  Status CleanUp() override { return Unused(); }

 private:
  static Status Unused() { return Status::NotImplemented("verification only reads"); }
};

/// A source that has the same rows in every range.
class FixedSession final : public Session {
 public:
  std::string rows = kRows;
  std::optional<Digest> told;  ///< by the server; nothing: it has no form of its own

  Result<std::vector<TableName>> List(const Pattern&) override { return Unused(); }
  Result<TableInfo> Describe(const Relation&) override { return Unused(); }
  Result<std::optional<Key>> LastKey(const TableInfo&) override { return Unused(); }
  Result<std::optional<Key>> Bound(const TableInfo&, const KeyRange&, int64_t) override {
    return Unused();
  }
  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(const TableInfo&,
                                                         const KeyRange&,
                                                         const ReadContext&) override {
    return ReaderOf(Schema(), rows);
  }
  Result<std::optional<Digest>> DigestOf(const TableInfo&, const KeyRange&) override {
    return told;
  }
  Status CheckUnchanged(const TableInfo&) override { return Unused(); }
  Status Cancel() override { return Unused(); }

 private:
  static Status Unused() { return Status::NotImplemented("verification only reads"); }
};

ChunkReceipt Receipt() {
  ChunkReceipt receipt;
  receipt.ordinal = 1;
  receipt.rows = 3;
  receipt.digest = DigestOf(kRows);
  receipt.position = "p1";
  receipt.staged = {{"part", "a1", "", 10, 1, 3}};
  receipt.objects = {{"part", "v", 10, 1}};
  return receipt;
}

class CompareTest : public ::testing::Test {
 protected:
  CompareReport Compare(VerifyDepth depth, const std::string& position = "p1") {
    TableInfo table;
    table.schema = Schema();
    CompareTask task{load_, chunks_, receipts_, depth, &session_, &table, position};
    auto report = CompareLoad(task, Unstoppable());
    EXPECT_TRUE(report.ok()) << report.status().ToString();
    return report.ok() ? *report : CompareReport();
  }
  ChunkOutcome OutcomeOf(VerifyDepth depth, const std::string& position = "p1") {
    auto report = Compare(depth, position);
    return report.chunks.empty() ? ChunkOutcome::kEqual : report.chunks[0].outcome;
  }

  StoredLoad load_;
  FixedSession session_;
  std::vector<Chunk> chunks_ = {{1, {}, true}};
  std::vector<ChunkReceipt> receipts_ = {Receipt()};
};

TEST(VerifyCounts, RowsReadStagedAndDigestedAgree) {
  StoredLoad load;
  EXPECT_TRUE(VerifyCounts(load, Receipt(), Unstoppable()).ok());
  auto lost = Receipt();
  lost.staged[0].rows = 2;
  const Status not_staged = VerifyCounts(load, lost, Unstoppable());
  EXPECT_EQ(KindOf(not_staged), ErrorKind::kMismatch);
  EXPECT_EQ(IdOf(not_staged), "verify.rows");
  auto unhashed = Receipt();
  unhashed.digest.hashed = 2;
  const Status not_digested = VerifyCounts(load, unhashed, Unstoppable());
  EXPECT_EQ(KindOf(not_digested), ErrorKind::kMismatch);
  EXPECT_EQ(IdOf(not_digested), "verify.digest-rows");
}

TEST(VerifyCounts, WhatTheStoreSaysComesBackWithItsKind) {
  StoredLoad load;
  load.check = Error(ErrorKind::kTransient, "test.gone", "gone");
  EXPECT_EQ(KindOf(VerifyCounts(load, Receipt(), Unstoppable())), ErrorKind::kTransient);
}

TEST(VerifyContent, StoredRowsHaveTheDigestOfTheRowsRead) {
  StoredLoad load;
  EXPECT_TRUE(VerifyContent(load, Receipt(), Unstoppable()).ok());
  // NULL is not the empty string.
  for (const char* rows : {kOtherRows, kFewerRows}) {
    load.rows = rows;
    const Status differs = VerifyContent(load, Receipt(), Unstoppable());
    EXPECT_EQ(KindOf(differs), ErrorKind::kMismatch) << rows;
    EXPECT_EQ(IdOf(differs), "verify.content") << rows;
  }
}

TEST(VerifyContent, WithoutADigestThereIsNothingToCompare) {
  StoredLoad load;
  auto receipt = Receipt();
  receipt.digest = {};
  EXPECT_EQ(IdOf(VerifyContent(load, receipt, Unstoppable())), "verify.no-digest");
}

TEST_F(CompareTest, EachChunkHasItsReceipt) {
  receipts_.push_back(Receipt());
  TableInfo table;
  table.schema = Schema();
  CompareTask task{load_,     chunks_, receipts_, VerifyDepth::kCounts,
                   &session_, &table,  "p1"};
  const Status refused = CompareLoad(task, Unstoppable()).status();
  EXPECT_EQ(KindOf(refused), ErrorKind::kFailed);
  EXPECT_EQ(IdOf(refused), "verify.receipts");
}

TEST_F(CompareTest, EqualRowsAreEqualAtBothDepths) {
  for (auto depth : {VerifyDepth::kCounts, VerifyDepth::kContent}) {
    auto report = Compare(depth);
    EXPECT_EQ(report.equal, 1);
    EXPECT_EQ(report.rows, 3);
    EXPECT_EQ(report.chunks[0].source_rows, 3);
    EXPECT_TRUE(VerdictOf(report, /*strict=*/true).ok());
  }
}

TEST_F(CompareTest, ChangedStoredBytesAreTheDestinationsFault) {
  load_.check = Error(ErrorKind::kMismatch, "stored.differs", "crc32c");
  for (auto depth : {VerifyDepth::kCounts, VerifyDepth::kContent}) {
    EXPECT_EQ(OutcomeOf(depth), ChunkOutcome::kStoredDiffers);
  }
  load_.check = Status::OK();
  load_.rows = kOtherRows;
  auto report = Compare(VerifyDepth::kContent);
  EXPECT_EQ(report.stored_differs, 1);
  auto verdict = VerdictOf(report, false);
  EXPECT_EQ(KindOf(verdict), ErrorKind::kMismatch);
  EXPECT_EQ(IdOf(verdict), "verify.stored-differs");
}

TEST_F(CompareTest, OtherRowsAtTheSamePositionAreAMismatch) {
  session_.rows = kOtherRows;
  EXPECT_EQ(OutcomeOf(VerifyDepth::kCounts), ChunkOutcome::kEqual) << "as many rows";
  auto report = Compare(VerifyDepth::kContent);
  EXPECT_EQ(report.source_differs, 1);
  EXPECT_EQ(IdOf(VerdictOf(report, false)), "verify.source-differs");
}

TEST_F(CompareTest, TheServersOwnDigestDecidesWhereItHasOne) {
  session_.told = DigestOf(kRows);
  session_.told->kind = DigestKind::kServer;
  session_.rows = kOtherRows;
  EXPECT_EQ(OutcomeOf(VerifyDepth::kContent), ChunkOutcome::kEqual)
      << "no row is decoded";
  session_.told->low.low += 1;
  session_.rows = kRows;
  EXPECT_EQ(OutcomeOf(VerifyDepth::kContent), ChunkOutcome::kSourceDiffers);
}

TEST_F(CompareTest, ASourceThatMovedIsAMismatchOnlyWhenStrict) {
  session_.rows = kFewerRows;
  for (const char* position : {"p2", ""}) {
    auto report = Compare(VerifyDepth::kCounts, position);
    EXPECT_EQ(report.source_moved, 1);
    EXPECT_THAT(report.chunks[0].detail, HasSubstr("2 at the source"));
    EXPECT_TRUE(VerdictOf(report, /*strict=*/false).ok());
    EXPECT_EQ(IdOf(VerdictOf(report, /*strict=*/true)), "verify.source-moved");
  }
}

TEST_F(CompareTest, AManifestWithoutDigestsVouchesForItsFiles) {
  receipts_[0].digest = {};
  EXPECT_EQ(OutcomeOf(VerifyDepth::kContent), ChunkOutcome::kEqual);
  session_.rows = kOtherRows;
  EXPECT_EQ(OutcomeOf(VerifyDepth::kContent), ChunkOutcome::kSourceDiffers);
}

TEST_F(CompareTest, AnErrorIsNotAVerdict) {
  load_.check = Error(ErrorKind::kTransient, "test.gone", "gone");
  CompareTask task{load_, chunks_, receipts_, VerifyDepth::kCounts};
  EXPECT_EQ(KindOf(CompareLoad(task, Unstoppable()).status()), ErrorKind::kTransient);
}

}  // namespace
}  // namespace sluice
