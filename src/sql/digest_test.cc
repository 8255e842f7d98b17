#include "sql/digest.h"

#include <gmock/gmock.h>
#include <openssl/provider.h>

#include <bit>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "arrow/array/array_base.h"
#include "arrow/array/array_binary.h"
#include "arrow/array/array_dict.h"
#include "arrow/array/array_primitive.h"
#include "arrow/array/builder_binary.h"
#include "arrow/array/builder_decimal.h"
#include "arrow/array/builder_dict.h"
#include "arrow/array/builder_primitive.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/util/cancel.h"
#include "arrow/util/decimal.h"
#include "sluice/version.h"

namespace sluice {
namespace {

using nlohmann::json;

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::shared_ptr<arrow::DataType> TypeOf(const std::string& name) {
  if (name == "int8") return arrow::int8();
  if (name == "int16") return arrow::int16();
  if (name == "int32") return arrow::int32();
  if (name == "int64") return arrow::int64();
  if (name == "uint64") return arrow::uint64();
  if (name == "bool") return arrow::boolean();
  if (name == "double") return arrow::float64();
  if (name == "string") return arrow::utf8();
  if (name == "binary") return arrow::binary();
  if (name == "date32") return arrow::date32();
  if (name == "timestamp") return arrow::timestamp(arrow::TimeUnit::MICRO);
  if (name == "time64") return arrow::time64(arrow::TimeUnit::MICRO);
  if (name.starts_with("wide:")) return arrow::decimal256(76, std::stoi(name.substr(5)));
  return arrow::decimal128(38, std::stoi(name.substr(8)));
}

template <typename Builder, typename Value>
void Append(arrow::ArrayBuilder& builder, const Value& value) {
  ASSERT_TRUE(static_cast<Builder&>(builder).Append(value).ok());
}

void AppendValue(arrow::ArrayBuilder& builder, const std::string& text) {
  switch (builder.type()->id()) {
    case arrow::Type::INT8:
      return Append<arrow::Int8Builder>(builder, static_cast<int8_t>(std::stoi(text)));
    case arrow::Type::INT16:
      return Append<arrow::Int16Builder>(builder, static_cast<int16_t>(std::stoi(text)));
    case arrow::Type::INT32: return Append<arrow::Int32Builder>(builder, std::stoi(text));
    case arrow::Type::INT64:
      return Append<arrow::Int64Builder>(builder, std::stoll(text));
    case arrow::Type::UINT64:
      return Append<arrow::UInt64Builder>(builder, std::stoull(text));
    case arrow::Type::BOOL: return Append<arrow::BooleanBuilder>(builder, text == "1");
    case arrow::Type::DATE32:
      return Append<arrow::Date32Builder>(builder, std::stoi(text));
    case arrow::Type::TIMESTAMP:
      return Append<arrow::TimestampBuilder>(builder, std::stoll(text));
    case arrow::Type::TIME64:
      return Append<arrow::Time64Builder>(builder, std::stoll(text));
    case arrow::Type::DECIMAL256:
      return Append<arrow::Decimal256Builder>(
          builder, arrow::Decimal256::FromString(text).ValueOrDie());
    case arrow::Type::STRING: return Append<arrow::StringBuilder>(builder, FromHex(text));
    case arrow::Type::BINARY: return Append<arrow::BinaryBuilder>(builder, FromHex(text));
    case arrow::Type::DOUBLE: {
      double value = 0;
      std::memcpy(&value, FromHex(text).data(), sizeof value);
      return Append<arrow::DoubleBuilder>(builder, value);
    }
    default:
      return Append<arrow::Decimal128Builder>(
          builder, arrow::Decimal128::FromString(text).ValueOrDie());
  }
}

std::shared_ptr<arrow::RecordBatch> BatchOf(const json& types, const json& rows) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (size_t i = 0; i < types.size(); ++i) {
    auto type = TypeOf(types[i].get<std::string>());
    auto builder = arrow::MakeBuilder(type).ValueOrDie();
    for (const auto& row : rows) {
      if (row[i].is_null()) {
        EXPECT_TRUE(builder->AppendNull().ok());
      } else {
        AppendValue(*builder, row[i].get<std::string>());
      }
    }
    fields.push_back(arrow::field("c" + std::to_string(i), type));
    arrays.push_back(builder->Finish().ValueOrDie());
  }
  return arrow::RecordBatch::Make(arrow::schema(fields),
                                  static_cast<int64_t>(rows.size()), arrays);
}

Digest DigestOf(const arrow::RecordBatch& batch) {
  RowDigester digester(batch.schema());
  auto added = digester.Add(batch);
  EXPECT_TRUE(added.ok()) << added.ToString();
  return digester.digest();
}

std::shared_ptr<arrow::RecordBatch> Strings(
    const std::vector<std::optional<std::string>>& row) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& cell : row) {
    arrow::StringBuilder builder;
    EXPECT_TRUE((cell ? builder.Append(*cell) : builder.AppendNull()).ok());
    fields.push_back(arrow::field("s", arrow::utf8()));
    arrays.push_back(builder.Finish().ValueOrDie());
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), 1, arrays);
}

std::string Sums(const Digest& digest) {
  return ToString(digest.high) + "/" + ToString(digest.low);
}

json Vectors() {
  auto path = std::filesystem::path(__FILE__).parent_path() /
              "../../tests/golden/digest_vectors.json";
  std::ifstream stream(path);
  return json::parse(stream);
}

TEST(RowDigester, AgreesWithAnOracleThatSharesNoCode) {
  auto vectors = Vectors();
  ASSERT_EQ(vectors["version"], kDigestVersion);
  ASSERT_GT(vectors["cases"].size(), 15u);
  for (const auto& vector : vectors["cases"]) {
    SCOPED_TRACE(vector["name"].get<std::string>());
    auto digest = DigestOf(*BatchOf(vector["types"], vector["rows"]));
    EXPECT_EQ(digest.rows, vector["digest"]["rows"].get<int64_t>());
    EXPECT_EQ(digest.hashed, digest.rows);
    EXPECT_EQ(ToString(digest.high), vector["digest"]["high"].get<std::string>());
    EXPECT_EQ(ToString(digest.low), vector["digest"]["low"].get<std::string>());
    EXPECT_EQ(digest.kind, DigestKind::kClient);
    EXPECT_EQ(digest.version, kDigestVersion);
  }
}

TEST(RowDigester, OrderAndBatchesDoNotMatter) {
  auto vectors = Vectors();
  auto& mixed = vectors["cases"].back();
  auto whole = BatchOf(mixed["types"], mixed["rows"]);
  auto rows = mixed["rows"].get<std::vector<json>>();
  std::shuffle(rows.begin(), rows.end(), std::mt19937(3));
  EXPECT_EQ(DigestOf(*BatchOf(mixed["types"], rows)), DigestOf(*whole));

  RowDigester sliced(whole->schema());
  for (int64_t at = 0; at < whole->num_rows(); at += 7) {
    ASSERT_TRUE(sliced.Add(*whole->Slice(at, 7)).ok());
  }
  EXPECT_EQ(sliced.digest(), DigestOf(*whole));

  Digest parts = DigestOf(*whole->Slice(0, 11));
  parts.Add(DigestOf(*whole->Slice(11)));
  EXPECT_EQ(parts, DigestOf(*whole));
}

TEST(RowDigester, NullEmptyAndTildeAreThreeThings) {
  std::set<std::string> sums;
  for (const auto& cell : std::vector<std::optional<std::string>>{
           std::nullopt, "", "~", "0:", "1:~", "#", std::string(1, '\0')}) {
    sums.insert(Sums(DigestOf(*Strings({cell}))));
  }
  EXPECT_EQ(sums.size(), 7u);
}

TEST(RowDigester, BordersOfColumnsCount) {
  std::set<std::string> sums;
  for (const auto& row :
       std::vector<std::vector<std::optional<std::string>>>{{"a", "bc"},
                                                            {"ab", "c"},
                                                            {"abc", ""},
                                                            {"", "abc"},
                                                            {"abc", std::nullopt},
                                                            {std::nullopt, "abc"},
                                                            {"a", "2:bc"},
                                                            {"1:a", "bc"}}) {
    sums.insert(Sums(DigestOf(*Strings(row))));
  }
  EXPECT_EQ(sums.size(), 8u);
}

TEST(RowDigester, ALongValueDiffersFromTheTextThatStandsForIt) {
  std::string longest(4097, 'x');
  std::string stand_in = "#";
  EXPECT_NE(Sums(DigestOf(*Strings({longest}))), Sums(DigestOf(*Strings({stand_in}))));
  auto other = longest;
  other.back() = 'y';
  EXPECT_NE(Sums(DigestOf(*Strings({longest}))), Sums(DigestOf(*Strings({other}))));
}

TEST(RowDigester, EveryDoubleBitPatternCounts) {
  std::mt19937_64 random(11);
  std::set<std::string> sums;
  std::set<uint64_t> patterns = {0, uint64_t{1} << 63, 1, 0x7FF8000000000000,
                                 0x7FF8000000000001};
  while (patterns.size() < 100'000) patterns.insert(random());
  arrow::DoubleBuilder builder;
  for (auto bits : patterns)
    ASSERT_TRUE(builder.Append(std::bit_cast<double>(bits)).ok());
  auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("d", arrow::float64())}),
      static_cast<int64_t>(patterns.size()), {builder.Finish().ValueOrDie()});
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    sums.insert(Sums(DigestOf(*batch->Slice(row, 1))));
  }
  EXPECT_EQ(sums.size(), patterns.size());
}

TEST(RowDigester, DistinctStringsHaveDistinctDigests) {
  std::mt19937_64 random(12);
  std::set<std::string> texts;
  while (texts.size() < 100'000) {
    std::string text;
    for (auto size = random() % 12; text.size() < size;)
      text += static_cast<char>(random() % 4 + '0');
    for (auto size = random() % 5; size > 0; --size) text += static_cast<char>(random());
    texts.insert(text);
  }
  arrow::BinaryBuilder builder;
  for (const auto& text : texts) ASSERT_TRUE(builder.Append(text).ok());
  auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("b", arrow::binary())}),
      static_cast<int64_t>(texts.size()), {builder.Finish().ValueOrDie()});
  std::set<std::string> sums;
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    sums.insert(Sums(DigestOf(*batch->Slice(row, 1))));
  }
  EXPECT_EQ(sums.size(), texts.size());
}

TEST(RowDigester, ADictionaryIsItsValues) {
  arrow::StringBuilder plain;
  arrow::StringDictionary32Builder encoded;
  for (const char* text : {"a", "b", "a", "", "c", "b"}) {
    ASSERT_TRUE(plain.Append(text).ok() && encoded.Append(text).ok());
  }
  ASSERT_TRUE(plain.AppendNull().ok() && encoded.AppendNull().ok());
  auto schema = arrow::schema({arrow::field("s", arrow::utf8())});
  auto as_dictionary = encoded.Finish().ValueOrDie();
  auto one = arrow::RecordBatch::Make(schema, 7, {plain.Finish().ValueOrDie()});
  auto two = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("s", as_dictionary->type())}), 7, {as_dictionary});
  RowDigester digester(schema);
  ASSERT_TRUE(digester.Add(*two->Slice(0, 3)).ok());
  ASSERT_TRUE(digester.Add(*two->Slice(3)).ok());
  EXPECT_EQ(digester.digest(), DigestOf(*one));
}

TEST(RowDigester, WideRowsAndLongStringsGrowItsRoom) {
  std::vector<std::optional<std::string>> row;
  for (int i = 0; i < 100; ++i)
    row.emplace_back(std::string(4096, static_cast<char>('a' + i % 26)));
  auto before = DigestOf(*Strings(row));
  row[99]->back() = '!';
  EXPECT_NE(Sums(DigestOf(*Strings(row))), Sums(before));
}

TEST(RowDigester, AColumnWithoutACanonicalFormIsRefused) {
  auto schema = arrow::schema({arrow::field("t", arrow::time64(arrow::TimeUnit::NANO))});
  auto batch = arrow::RecordBatch::MakeEmpty(schema).ValueOrDie();
  RowDigester digester(schema);
  auto status = digester.Add(*batch);
  EXPECT_EQ(KindOf(status), ErrorKind::kFailed);
  EXPECT_EQ(IdOf(status), "digest.type");
  RowDigester other(arrow::schema({arrow::field("t", arrow::int64())}));
  EXPECT_FALSE(other.Add(*batch).ok());
}

/// Exits with 42 where a row is refused because there is no SHA-256 to be had.
[[noreturn]] void DigestWithoutAlgorithms() {
  // Once a provider is loaded by name, the default one is not loaded by itself.
  if (OSSL_PROVIDER_load(nullptr, "null") == nullptr) std::_Exit(1);
  auto batch = Strings({"a"});
  RowDigester digester(batch->schema());
  const Status refused = digester.Add(*batch);
  std::_Exit(IdOf(refused) == "digest.sha256" && ExitCodeOf(refused) == 1 ? 42 : 2);
}

TEST(RowDigesterDeathTest, ALibraryThatRefusesIsAnErrorAndNoDigest) {
  // Another process from its start: this one may have fetched the algorithm already.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(DigestWithoutAlgorithms(), ::testing::ExitedWithCode(42), "");
}

TEST(RowDigester, AStopIsHeeded) {
  arrow::StopSource source;
  source.RequestStop();
  auto batch = Strings({"a"});
  auto reader = arrow::RecordBatchReader::Make({batch}, batch->schema()).ValueOrDie();
  EXPECT_EQ(KindOf(DigestRows(*reader, source.token()).status()), ErrorKind::kCancelled);
  auto rows = DigestRows(*reader, arrow::StopToken::Unstoppable());
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(*rows, DigestOf(*batch));
}

}  // namespace
}  // namespace sluice
