#include "destination/manifest.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <random>

#include "arrow/scalar.h"
#include "arrow/type.h"
#include "sluice/version.h"

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

Key IntKey(int64_t value) { return {std::make_shared<arrow::Int64Scalar>(value)}; }

LoadSpec Spec() {
  LoadSpec spec;
  spec.load = "L1";
  spec.job = "nightly";
  spec.run = "r1";
  spec.stream = "orders";
  spec.relation = {{"main", "orders"}, {"id", "name"}, "id > 0", OnTypeMismatch::kNull};
  spec.key = {"id"};
  spec.schema = arrow::schema(
      {arrow::field("id", arrow::int64(), false), arrow::field("name", arrow::utf8())});
  spec.source = "sqlite:///shop.db";
  return spec;
}

ChunkReceipt Receipt(int64_t ordinal, int64_t rows) {
  ChunkReceipt receipt;
  receipt.load = "L1";
  receipt.ordinal = ordinal;
  receipt.attempt = "a" + std::to_string(ordinal);
  receipt.rows = rows;
  receipt.digest = {rows, rows, {1, 2}, {3, 4}, kDigestVersion, DigestKind::kClient};
  receipt.position = "p1";
  receipt.coerced = {{"name", 2}};
  auto path = "main/orders/L1/part-00000" + std::to_string(ordinal) + "-000.parquet";
  receipt.staged = {{path, receipt.attempt, "token", 100 * ordinal, 7, rows}};
  receipt.objects = {{path, "v" + std::to_string(ordinal), 100 * ordinal, 7}};
  return receipt;
}

ManifestFacts Facts() {
  ManifestFacts facts;
  facts.consistency = Consistency::kSnapshot;
  facts.mixed = true;
  facts.positions = {"p1", "p2"};
  facts.chunks = {{1, {std::nullopt, IntKey(INT64_MIN)}, false},
                  {2, {IntKey(INT64_MIN), std::nullopt}, true}};
  facts.replaces = {"L0"};
  facts.predicate = "id > 0";
  facts.clock_micros = (int64_t{1} << 53) + 1;
  facts.timings = {{"copy", 1.5}};
  return facts;
}

std::string Whole() {
  return CommittedSlot(Spec(), {Receipt(2, 5), Receipt(1, 3)}, Facts()).ValueOrDie();
}

Slot Parsed(std::string bytes) {
  return ParseSlot("main/orders/_sluice/L1.json", "L1", std::move(bytes)).ValueOrDie();
}

TEST(Manifest, HasExactlyTheDocumentedMembers) {
  auto slot = json::parse(Whole());
  std::vector<std::string> members;
  for (const auto& [name, value] : slot.items()) members.push_back(name);
  EXPECT_THAT(members,
              UnorderedElementsAre("sluice_manifest", "outcome", "load", "job", "run",
                                   "stream", "mode", "schema", "types", "key", "sql",
                                   "consistency", "chunks", "objects", "predicate",
                                   "clock", "plan", "retract", "coerced", "rows", "bytes",
                                   "replaces", "cursor", "timings", "version"));
  EXPECT_EQ(slot["rows"], 8);
  EXPECT_EQ(slot["bytes"], 300);
  EXPECT_EQ(slot["clock"], "9007199254740993") << "beyond 2^53 integers are strings";
  EXPECT_EQ(slot["coerced"]["name"], 4);
  EXPECT_EQ(slot["chunks"][0]["ordinal"], 1);
  EXPECT_EQ(slot["chunks"][0]["digest"]["high"], "18446744073709551618");
  EXPECT_EQ(slot["chunks"][0]["objects"][0], "main/orders/L1/part-000001-000.parquet");
  EXPECT_EQ(slot["objects"][1]["table"], "main.orders");
  EXPECT_EQ(slot["schema"][0]["type"], "int64");
}

TEST(Manifest, ComesBackAsItWasWritten) {
  auto read = ReadManifest(Parsed(Whole()));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  auto spec = Spec();
  EXPECT_EQ(read->spec.load, spec.load);
  EXPECT_EQ(read->spec.job, spec.job);
  EXPECT_EQ(read->spec.stream, spec.stream);
  EXPECT_EQ(read->spec.relation.name, spec.relation.name);
  EXPECT_EQ(read->spec.relation.columns, spec.relation.columns);
  EXPECT_EQ(read->spec.relation.where, spec.relation.where);
  EXPECT_EQ(read->spec.relation.on_type_mismatch, OnTypeMismatch::kNull);
  EXPECT_EQ(read->spec.source, spec.source);
  EXPECT_EQ(read->spec.key, spec.key);
  EXPECT_EQ(read->rows, 8);
  EXPECT_EQ(read->bytes, 300);
  EXPECT_EQ(read->version, kVersion);
  EXPECT_TRUE(read->facts.mixed);
  EXPECT_EQ(read->facts.replaces, std::vector<std::string>{"L0"});
  EXPECT_EQ(read->facts.clock_micros, (int64_t{1} << 53) + 1);
  ASSERT_EQ(read->facts.chunks.size(), 2u);
  EXPECT_FALSE(read->facts.chunks[0].range.after);
  EXPECT_TRUE((*read->facts.chunks[1].range.after)[0]->Equals(*IntKey(INT64_MIN)[0]));
  EXPECT_TRUE(read->facts.chunks[1].last);
  ASSERT_EQ(read->receipts.size(), 2u);
  auto wanted = Receipt(2, 5);
  EXPECT_EQ(read->receipts[1].digest, wanted.digest);
  EXPECT_EQ(read->receipts[1].objects, wanted.objects);
  EXPECT_EQ(read->receipts[1].staged[0].rows, 5);
  EXPECT_EQ(read->receipts[1].position, "p1");
}

TEST(Manifest, ADiscardedSlotHasNoManifest) {
  auto slot = Parsed(DiscardedSlot("L1"));
  EXPECT_EQ(slot.outcome, Outcome::kDiscarded);
  EXPECT_EQ(slot.json, "");
  EXPECT_EQ(IdOf(ReadManifest(slot).status()), "slot.not-committed");
}

TEST(Manifest, WhatIsNotASlotIsRefusedByItsPath) {
  for (const std::string& bytes :
       {std::string(), std::string("not json"), std::string("[]"), std::string("{}"),
        std::string("null"), std::string("\xff\xfe\0", 3),
        std::string(R"({"sluice_manifest":1})"),
        std::string(R"({"sluice_manifest":0,"outcome":"committed","load":"L1"})"),
        std::string(R"({"sluice_manifest":"x","outcome":"committed","load":"L1"})"),
        std::string(R"({"sluice_manifest":1,"outcome":"perhaps","load":"L1"})"),
        std::string(R"({"sluice_manifest":1,"outcome":"committed","load":"L2"})"),
        std::string(100'000, '['), Whole().substr(0, Whole().size() / 2)}) {
    auto slot = ParseSlot("main/orders/_sluice/L1.json", "L1", bytes);
    ASSERT_FALSE(slot.ok()) << bytes.substr(0, 80);
    EXPECT_EQ(KindOf(slot.status()), ErrorKind::kMismatch);
    EXPECT_THAT(slot.status().message(), HasSubstr("main/orders/_sluice/L1.json"));
  }
  auto newer = ParseSlot("p", "L1", R"({"sluice_manifest":2,"outcome":"merged"})");
  EXPECT_EQ(KindOf(newer.status()), ErrorKind::kUsage);
  EXPECT_EQ(IdOf(newer.status()), "slot.newer");
}

TEST(Manifest, AForgedMemberIsRefused) {
  auto whole = json::parse(Whole());
  struct Forgery {
    const char* where;
    json value;
  };
  for (const auto& [where, value] :
       {Forgery{"/objects/0/path", "main/orders/L1/../../../etc/part-.parquet"},
        Forgery{"/objects/0/path", "main/orders/L2/part-000001-000.parquet"},
        Forgery{"/objects/0/size", -1},
        Forgery{"/objects/0/rows", -3},
        Forgery{"/objects/0/rows", "9223372036854775807"},
        Forgery{"/objects/0/crc32c", 4294967296},
        Forgery{"/objects/0/size", "9223372036854775807"},
        Forgery{"/rows", 9},
        Forgery{"/bytes", 9},
        Forgery{"/chunks/0/rows", 4},
        Forgery{"/chunks/0/ordinal", 2},
        Forgery{"/chunks/1/ordinal", 3},
        Forgery{"/chunks/0/objects", json::array()},
        Forgery{"/chunks", json::array()},
        Forgery{"/chunks/0/digest", 7},
        Forgery{"/chunks/0/digest/high", "-1"},
        Forgery{"/chunks/0/after", json::array()},
        Forgery{"/plan", nullptr},
        Forgery{"/plan/relation", "main.orders"},
        Forgery{"/consistency/kind", "snap"},
        Forgery{"/key", "id"},
        Forgery{"/replaces", json::array({1})}}) {
    auto forged = whole;
    forged[json::json_pointer(where)] = value;
    auto read = ReadManifest(Parsed(forged.dump()));
    ASSERT_FALSE(read.ok()) << where;
    EXPECT_EQ(KindOf(read.status()), ErrorKind::kMismatch) << where;
    EXPECT_THAT(read.status().message(), HasSubstr("main/orders/_sluice/L1.json"));
  }
}

TEST(Manifest, NoiseNeverEndsTheProgram) {
  std::mt19937 random(17);
  auto whole = Whole();
  for (int round = 0; round < 3'000; ++round) {
    auto bytes = whole;
    for (int i = 0; i < 3; ++i) {
      auto at = random() % bytes.size();
      if (random() % 3 == 0)
        bytes.erase(at, random() % 40);
      else
        bytes[at] = static_cast<char>(random() % 2 == 0 ? random()
                                                        : "0\",:{}[]-n"[random() % 10]);
    }
    auto slot = ParseSlot("p", "L1", bytes);
    if (slot.ok() && slot->outcome == Outcome::kCommitted) {
      auto read = ReadManifest(*slot);
      EXPECT_TRUE(read.ok() || !IdOf(read.status()).empty());
    }
  }
}

TEST(Manifest, NeedsOneReceiptPerChunk) {
  auto one = Receipt(1, 3);
  auto stranger = Receipt(2, 5);
  stranger.load = "L2";
  auto unpublished = Receipt(2, 5);
  unpublished.objects.clear();
  for (const auto& receipts :
       std::vector<std::vector<ChunkReceipt>>{{},
                                              {one},
                                              {one, one},
                                              {one, Receipt(3, 1)},
                                              {one, Receipt(2, 5), Receipt(3, 1)},
                                              {one, stranger},
                                              {one, unpublished}}) {
    EXPECT_EQ(IdOf(CommittedSlot(Spec(), receipts, Facts()).status()), "load.incomplete");
  }
}

TEST(Manifest, IsNoLongerThanAReaderTakes) {
  const auto size = static_cast<int64_t>(Whole().size());
  const std::vector<ChunkReceipt> receipts = {Receipt(2, 5), Receipt(1, 3)};
  EXPECT_TRUE(CommittedSlot(Spec(), receipts, Facts(), size).ok());
  const Status refused = CommittedSlot(Spec(), receipts, Facts(), size - 1).status();
  EXPECT_EQ(IdOf(refused), "manifest.too-large");
  EXPECT_EQ(ExitCodeOf(refused), 8);
  EXPECT_THAT(HintOf(refused), HasSubstr("--file-size"));
}

}  // namespace
}  // namespace sluice
