#include "base/vocabulary_json.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "arrow/buffer.h"
#include "arrow/scalar.h"
#include "arrow/type.h"
#include "arrow/util/key_value_metadata.h"
#include "base/json_reader.h"

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::shared_ptr<arrow::Scalar> Int(int64_t value) {
  return std::make_shared<arrow::Int64Scalar>(value);
}
std::shared_ptr<arrow::Scalar> Double(double value) {
  return std::make_shared<arrow::DoubleScalar>(value);
}
std::shared_ptr<arrow::Scalar> Text(std::string value) {
  return std::make_shared<arrow::StringScalar>(std::move(value));
}
std::shared_ptr<arrow::Scalar> Bytes(std::string value) {
  return std::make_shared<arrow::BinaryScalar>(
      arrow::Buffer::FromString(std::move(value)));
}

std::string AllBytes() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes;
}

/// Through text, as a process would hand it to another.
template <typename T>
json Crossed(const T& value) {
  return ParseJson(DumpJson(ToJson(value)), "test").ValueOrDie();
}

/// What was read; a value of its own where it could not be, and the test fails.
template <typename T>
T Read(Result<T> result) {
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return std::move(result).ValueOr(T{});
}

std::shared_ptr<arrow::Schema> Wide() {
  auto metadata =
      arrow::KeyValueMetadata::Make({"sqlite.type", "raw"}, {"INT", AllBytes()});
  return arrow::schema(
      {arrow::field("id", arrow::int64(), false, metadata),
       arrow::field("a.\"b\"\n", arrow::utf8()), arrow::field("d", arrow::date32()),
       arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO)),
       arrow::field("x", arrow::dictionary(arrow::int32(), arrow::utf8())),
       arrow::field("n", arrow::decimal128(20, 0)), arrow::field("b", arrow::boolean())},
      arrow::KeyValueMetadata::Make({"sluice"}, {"1"}));
}

Digest Sample() {
  Digest digest;
  digest.rows = int64_t{1} << 60;
  digest.hashed = 7;
  digest.high = {std::numeric_limits<uint64_t>::max(),
                 std::numeric_limits<uint64_t>::max()};
  digest.low = {1, 0};
  digest.version = 1;
  digest.kind = DigestKind::kClient;
  return digest;
}

TEST(VocabularyJson, KeysComeBackWithTypeAndValue) {
  Key key = {Int(std::numeric_limits<int64_t>::min()),
             Int(std::numeric_limits<int64_t>::max()),
             Int((int64_t{1} << 53) + 1),
             Text(""),
             Text("Grüße \"\\\n 🦆"),
             Text(std::string("\0a", 2)),
             Text("\xff\xfe broken"),
             Bytes(AllBytes()),
             Bytes(""),
             Double(0.1),
             Double(-0.0),
             Double(5e-324),
             Double(1.7976931348623157e308),
             Double(INFINITY)};
  auto back = Read(KeyFromJson(Crossed(key)));
  ASSERT_EQ(back.size(), key.size());
  for (size_t i = 0; i < key.size(); ++i) {
    EXPECT_TRUE(back[i]->Equals(
        *key[i], arrow::EqualOptions::Defaults().signed_zeros_equal(false)))
        << i << ": " << back[i]->ToString();
  }
}

TEST(VocabularyJson, EveryDoubleKeyComesBackToTheBit) {
  std::mt19937_64 random(20);
  for (int i = 0; i < 20'000; ++i) {
    auto value = std::bit_cast<double>(random());
    if (std::isnan(value)) continue;
    auto back = Read(KeyFromJson(Crossed(Key{Double(value)})));
    auto read = static_cast<const arrow::DoubleScalar&>(*back[0]).value;
    ASSERT_EQ(std::bit_cast<uint64_t>(read), std::bit_cast<uint64_t>(value));
  }
}

TEST(VocabularyJson, AnAbsentBoundStaysAbsent) {
  Chunk chunk{3, {std::nullopt, Key{Int(1)}}, true};
  auto back = Read(ChunkFromJson(Crossed(chunk)));
  EXPECT_EQ(back.ordinal, 3);
  EXPECT_FALSE(back.range.after);
  ASSERT_TRUE(back.range.upto);
  EXPECT_TRUE((*back.range.upto)[0]->Equals(*Int(1)));
  EXPECT_TRUE(back.last);
}

TEST(VocabularyJson, ATableComesBackWithItsFieldMetadata) {
  TableInfo table;
  table.relation = {
      {"main", "o\"r.d\ners"}, {"id", "b\xff"}, "id > 'ü'", OnTypeMismatch::kString};
  table.relation.sql = "SELECT 1";
  table.relation.policies = {{"zero_date", "null"}};
  table.relation.type_policies = {{"decimal", {{"wide_decimal", "decimal256"}}}};
  table.relation.column_policies = {{"ü.x", {{"uuid", "fixed"}, {"time", "micros"}}}};
  table.schema = Wide();
  table.fingerprint = "f";
  table.key = {"id", "x"};
  table.key_is_integer = true;
  table.estimated_rows = std::numeric_limits<int64_t>::max();
  table.estimated_bytes = 12;
  table.detail = R"({"rowid":true})";
  auto back = Read(TableInfoFromJson(Crossed(table)));
  EXPECT_EQ(back.relation.name, table.relation.name);
  EXPECT_EQ(back.relation.columns, table.relation.columns);
  EXPECT_EQ(back.relation.where, table.relation.where);
  EXPECT_EQ(back.relation.on_type_mismatch, OnTypeMismatch::kString);
  EXPECT_EQ(back.relation.sql, "SELECT 1");
  EXPECT_EQ(back.relation.policies, table.relation.policies);
  EXPECT_EQ(back.relation.type_policies, table.relation.type_policies);
  EXPECT_EQ(back.relation.column_policies, table.relation.column_policies);
  EXPECT_TRUE(back.schema->Equals(*table.schema, /*check_metadata=*/true))
      << back.schema->ToString();
  EXPECT_EQ(back.key, table.key);
  EXPECT_TRUE(back.key_is_integer);
  EXPECT_EQ(back.estimated_rows, table.estimated_rows);
  EXPECT_EQ(back.detail, table.detail);
}

TEST(VocabularyJson, AReceiptComesBackWhole) {
  ChunkReceipt receipt;
  receipt.load = "0190";
  receipt.ordinal = 4;
  receipt.attempt = "00ff";
  receipt.rows = (int64_t{1} << 53) + 1;
  receipt.digest = Sample();
  receipt.cost = {5, 6, 7, 0.25};
  receipt.position = "12/\xff";
  receipt.coerced = {{"a", 1}, {"b\xff", 2}, {"base64:x", 3}};
  receipt.staged = {{"p/ü", "00ff", "tmp|12", 9, 0xFFFFFFFFu, 3}};
  receipt.objects = {{"p/ü", "12", 9, 0xFFFFFFFFu}};
  auto back = Read(ReceiptFromJson(Crossed(receipt)));
  EXPECT_EQ(back.load, receipt.load);
  EXPECT_EQ(back.ordinal, receipt.ordinal);
  EXPECT_EQ(back.attempt, receipt.attempt);
  EXPECT_EQ(back.rows, receipt.rows);
  EXPECT_EQ(back.digest, receipt.digest);
  EXPECT_EQ(back.cost.seconds, 0.25);
  EXPECT_EQ(back.cost.encoded_bytes, 7);
  EXPECT_EQ(back.position, receipt.position);
  EXPECT_EQ(back.coerced, receipt.coerced);
  EXPECT_EQ(back.staged, receipt.staged);
  EXPECT_EQ(back.objects, receipt.objects);
}

TEST(VocabularyJson, PoliciesThatAreNoWordsAreRefused) {
  for (const char* wrong : {R"([])", R"({"time":1})", R"("x")"}) {
    auto relation = nlohmann::json{{"schema", "main"},
                                   {"table", "t"},
                                   {"columns", nlohmann::json::array()},
                                   {"where", ""},
                                   {"on_type_mismatch", "error"}};
    ASSERT_TRUE(RelationFromJson(relation).ok());
    relation["policies"] = nlohmann::json::parse(wrong);
    EXPECT_EQ(IdOf(RelationFromJson(relation).status()), "json.malformed") << wrong;
    relation.erase("policies");
    relation["column_policies"] = {{"c", nlohmann::json::parse(wrong)}};
    EXPECT_EQ(IdOf(RelationFromJson(relation).status()), "json.malformed") << wrong;
  }
}

TEST(VocabularyJson, ALoadComesBackWhole) {
  LoadSpec spec;
  spec.load = "l";
  spec.job = "j";
  spec.run = "r";
  spec.stream = "s\xff";
  spec.epoch = 9;
  spec.relation.name = {"main", "t"};
  spec.key = {"id"};
  spec.schema = Wide();
  spec.source = "sqlite:///x.db";
  spec.compression = "snappy";
  spec.compression_level = -3;
  spec.file_size = 1;
  spec.attempt_names = true;
  spec.path = "{schema}/{table}/{load}";
  auto back = Read(LoadSpecFromJson(Crossed(spec)));
  EXPECT_EQ(back.stream, spec.stream);
  EXPECT_EQ(back.epoch, 9);
  EXPECT_EQ(back.key, spec.key);
  EXPECT_TRUE(back.schema->Equals(*spec.schema, true));
  EXPECT_EQ(back.compression, "snappy");
  EXPECT_EQ(back.compression_level, -3);
  EXPECT_EQ(back.file_size, 1);
  EXPECT_TRUE(back.attempt_names);
  EXPECT_EQ(back.path, spec.path);
  EXPECT_EQ(DumpJson(ToJson(back)), DumpJson(ToJson(spec)));
}

TEST(VocabularyJson, AVerdictComesBackWhole) {
  ProbeVerdict verdict{true, false, true, "two winners"};
  auto back = Read(ProbeVerdictFromJson(Crossed(verdict)));
  EXPECT_TRUE(back.create_only && !back.atomic && back.durable);
  EXPECT_EQ(back.detail, "two winners");
}

TEST(VocabularyJson, IntegersBeyondDoublesAreStrings) {
  EXPECT_TRUE(JsonFromInt(int64_t{1} << 53).is_number());
  EXPECT_EQ(JsonFromInt((int64_t{1} << 53) + 1), "9007199254740993");
  EXPECT_EQ(JsonFromInt(std::numeric_limits<int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(Crossed(Sample())["high"], "340282366920938463463374607431768211455");
}

TEST(VocabularyJson, APolicyForMisfitsIsOneOfThreeWords) {
  for (const OnTypeMismatch policy :
       {OnTypeMismatch::kError, OnTypeMismatch::kNull, OnTypeMismatch::kString}) {
    EXPECT_EQ(Read(OnTypeMismatchFrom(ToString(policy))), policy);
  }
  for (const char* word : {"", "Null", "skip"}) {
    const Status refused = OnTypeMismatchFrom(word).status();
    EXPECT_EQ(KindOf(refused), ErrorKind::kUsage) << word;
    EXPECT_EQ(IdOf(refused), "option.on-type-mismatch") << word;
  }
}

TEST(VocabularyJson, MalformedJsonIsRefusedByTheNameOfItsMember) {
  auto whole = Crossed(Sample());
  for (const auto& [name, value] : whole.items()) {
    for (const json& wrong :
         {json(nullptr), json(-1.5), json("x"), json::array(), json(true)}) {
      auto broken = whole;
      broken[name] = wrong;
      auto read = DigestFromJson(broken);
      ASSERT_FALSE(read.ok()) << name << " " << wrong;
      EXPECT_EQ(KindOf(read.status()), ErrorKind::kSource);
      EXPECT_EQ(IdOf(read.status()), "json.malformed");
      EXPECT_THAT(read.status().message(), HasSubstr(name));
    }
    auto without = whole;
    without.erase(name);
    EXPECT_FALSE(DigestFromJson(without).ok());
  }
  EXPECT_FALSE(DigestFromJson(json::array()).ok());
  EXPECT_FALSE(ReceiptFromJson(whole).ok());
  EXPECT_FALSE(
      KeyFromJson(json::parse(R"([{"type":"int64","text":"9223372036854775808"}])"))
          .ok());
  EXPECT_FALSE(KeyFromJson(json::parse(R"([{"type":"utf8","base64":"%%%"}])")).ok());
  EXPECT_FALSE(KeyFromJson(json::parse(R"([{"type":"date32","text":"1"}])")).ok());
  EXPECT_FALSE(KeyFromJson(json::parse("[]")).ok());
  EXPECT_EQ(IdOf(ParseJson("{\"a\":", "the slot").status()), "json.malformed");
  EXPECT_THAT(ParseJson("{\"a\":", "the slot").status().message(), HasSubstr("the slot"));
}

TEST(VocabularyJson, ATruncatedSchemaIsRefused) {
  LoadSpec load;
  load.schema = Wide();
  auto spec = Crossed(load);
  auto text = spec["schema"].get<std::string>();
  for (size_t size : {size_t{0}, size_t{4}, text.size() / 8 * 4, text.size() - 4}) {
    spec["schema"] = text.substr(0, size);
    EXPECT_FALSE(LoadSpecFromJson(spec).ok()) << size;
  }
}

TEST(Table, NamesThatNeedItAreQuotedInMessages) {
  EXPECT_EQ(ToString(TableName{"main", "orders"}), "main.orders");
  EXPECT_EQ(ToString(TableName{"main", "a.b"}), "main.\"a.b\"");
  EXPECT_EQ(ToString(TableName{"main", "a\"\n"}), "main.\"a\\\"\\x0a\"");
  EXPECT_EQ(ToString(TableName{"main", "entrées"}), "main.entrées");
}

TEST(Table, SumsCarryAndPrintInDecimal) {
  Sum128 sum;
  EXPECT_EQ(ToString(sum), "0");
  sum.Add(UINT64_MAX);
  sum.Add(uint64_t{1});
  EXPECT_EQ(ToString(sum), "18446744073709551616");
}

TEST(Table, DigestsOfDisjointRowsAdd) {
  Digest whole;
  Digest part = Sample();
  part.rows = part.hashed = 2;
  whole.Add(part);
  EXPECT_EQ(whole, part);
  part.kind = DigestKind::kServer;
  whole.Add(part);
  EXPECT_EQ(whole.rows, 4);
  EXPECT_EQ(whole.kind, DigestKind::kNone) << "sums of two forms are no digest";
}

TEST(Table, PhasesHaveNames) {
  EXPECT_STREQ(ToString(Phase::kCopying), "copying");
  EXPECT_STREQ(ToString(Phase::kDiscarded), "discarded");
}

}  // namespace
}  // namespace sluice
