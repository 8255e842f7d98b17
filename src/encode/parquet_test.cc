#include "encode/parquet.h"

#include <gmock/gmock.h>

#include <random>

#include "arrow/array/array_dict.h"
#include "arrow/array/builder_binary.h"
#include "arrow/array/builder_primitive.h"
#include "arrow/array/util.h"
#include "arrow/io/memory.h"
#include "arrow/memory_pool.h"
#include "arrow/record_batch.h"
#include "arrow/table.h"
#include "arrow/type.h"
#include "arrow/util/key_value_metadata.h"
#include "encode/size_bound.h"
#include "parquet/arrow/reader.h"
#include "parquet/file_reader.h"
#include "parquet/metadata.h"
#include "testing/batches.h"

namespace sluice {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

std::shared_ptr<arrow::io::BufferOutputStream> NewSink() {
  return arrow::io::BufferOutputStream::Create().ValueOrDie();
}

/// The bytes of a file of `batches`; "" and a failed test where they do not fit into one.
std::shared_ptr<arrow::Buffer> Encoded(const arrow::RecordBatchVector& batches,
                                       const ParquetOptions& options = {},
                                       std::shared_ptr<arrow::Schema> schema = nullptr) {
  auto sink = NewSink();
  if (schema == nullptr) schema = batches[0]->schema();
  auto encoder = ParquetEncoder::Open(schema, options, sink).ValueOrDie();
  for (const auto& batch : batches) {
    auto taken = encoder->Write(batch);
    EXPECT_TRUE(taken.ok()) << taken.status().ToString();
    EXPECT_EQ(taken.ValueOr(-1), batch->num_rows());
  }
  auto closed = encoder->Close();
  EXPECT_TRUE(closed.ok()) << closed.ToString();
  return sink->Finish().ValueOrDie();
}

std::unique_ptr<parquet::arrow::FileReader> ReaderOf(
    const std::shared_ptr<arrow::Buffer>& bytes) {
  return parquet::arrow::OpenFile(std::make_shared<arrow::io::BufferReader>(bytes),
                                  arrow::default_memory_pool())
      .ValueOrDie();
}

std::shared_ptr<arrow::Table> Decoded(const std::shared_ptr<arrow::Buffer>& bytes) {
  auto table = ReaderOf(bytes)->ReadTable();
  EXPECT_TRUE(table.ok()) << table.status().ToString();
  return table.ok() ? (*table)->CombineChunks().ValueOrDie() : nullptr;
}

std::shared_ptr<arrow::Table> TableOf(const arrow::RecordBatchVector& batches) {
  return arrow::Table::FromRecordBatches(batches)
      .ValueOrDie()
      ->CombineChunks()
      .ValueOrDie();
}

std::shared_ptr<parquet::FileMetaData> FooterOf(
    const std::shared_ptr<arrow::Buffer>& bytes) {
  return ReaderOf(bytes)->parquet_reader()->metadata();
}

std::vector<parquet::Encoding::type> EncodingsOf(
    const std::shared_ptr<arrow::Buffer>& bytes, int column, int group = 0) {
  return FooterOf(bytes)->RowGroup(group)->ColumnChunk(column)->encodings();
}

std::shared_ptr<arrow::Array> Ints(int64_t rows,
                                   const std::function<int64_t(int64_t)>& value) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < rows; ++i) EXPECT_TRUE(builder.Append(value(i)).ok());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Texts(int64_t rows,
                                    const std::function<std::string(int64_t)>& value) {
  arrow::StringBuilder builder;
  for (int64_t i = 0; i < rows; ++i) EXPECT_TRUE(builder.Append(value(i)).ok());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::RecordBatch> OneColumn(
    const std::shared_ptr<arrow::Array>& column) {
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("c", column->type())}),
                                  column->length(), {column});
}

std::shared_ptr<arrow::Array> Dictionary(const std::string& indices,
                                         const std::string& values) {
  auto schema = arrow::schema(
      {arrow::field("i", arrow::int32()), arrow::field("v", arrow::utf8())});
  auto numbers =
      BatchOf(arrow::schema({arrow::field("i", arrow::int32())}), indices)->column(0);
  auto texts =
      BatchOf(arrow::schema({arrow::field("v", arrow::utf8())}), values)->column(0);
  return arrow::DictionaryArray::FromArrays(
             arrow::dictionary(arrow::int32(), arrow::utf8()), numbers, texts)
      .ValueOrDie();
}

TEST(ParquetEncoder, EveryTypeComesBackValueByValue) {
  auto metadata = arrow::KeyValueMetadata::Make({"sqlite.type"}, {"VARCHAR(3)"});
  auto schema = arrow::schema(
      {arrow::field("i8", arrow::int8()), arrow::field("i16", arrow::int16()),
       arrow::field("i32", arrow::int32()), arrow::field("i64", arrow::int64(), false),
       arrow::field("b", arrow::boolean()), arrow::field("f", arrow::float64()),
       arrow::field("s", arrow::utf8(), true, metadata),
       arrow::field("d", arrow::date32()),
       arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO)),
       arrow::field("n", arrow::decimal128(12, 2)),
       arrow::field("w", arrow::decimal128(38, 0)),
       arrow::field("a.\"b\"\n🦆", arrow::utf8())});
  auto batch = BatchOf(schema, R"([
    [-128, -32768, -2147483648, -9223372036854775807, true, -1.5e308, "", -719162,
     "1970-01-01", "-1234567890.12", "99999999999999999999999999999999999999", "ü"],
    [null, null, null, 9223372036854775807, null, null, null, null, null, null, null, null],
    [127, 32767, 2147483647, 0, false, 5e-324, "~", 2932896, "9999-12-31", "0.01", "-1", ""]])");
  for (const char* codec : {"zstd", "snappy", "lz4", "gzip", "none"}) {
    ParquetOptions options;
    options.compression = codec;
    auto table = Decoded(Encoded({batch}, options));
    ASSERT_NE(table, nullptr);
    EXPECT_TRUE(table->Equals(*TableOf({batch}), /*check_metadata=*/true))
        << codec << table->ToString() << table->schema()->ToString(true);
  }
}

TEST(ParquetEncoder, AFileWithoutRowsHasTheSchema) {
  auto schema = arrow::schema(
      {arrow::field("id", arrow::int64()), arrow::field("s", arrow::utf8())});
  auto bytes = Encoded({}, {}, schema);
  EXPECT_EQ(FooterOf(bytes)->num_rows(), 0);
  EXPECT_TRUE(Decoded(bytes)->schema()->Equals(schema));
}

TEST(ParquetEncoder, TheFileSaysWhereItCameFrom) {
  ParquetOptions options;
  options.metadata = arrow::KeyValueMetadata::Make({"sluice.load"}, {"0190"});
  auto bytes = Encoded({OneColumn(Ints(3, [](int64_t i) { return i; }))}, options);
  auto found = FooterOf(bytes)->key_value_metadata();
  EXPECT_EQ(found->Get("sluice.load").ValueOr(""), "0190");
  EXPECT_THAT(FooterOf(bytes)->created_by(), ::testing::StartsWith("sluice "));
}

TEST(ParquetEncoder, KeysInOrderAreStoredAsDifferences) {
  auto bytes = Encoded({OneColumn(Ints(10'000, [](int64_t i) { return i / 3; }))});
  EXPECT_THAT(EncodingsOf(bytes, 0), Contains(parquet::Encoding::DELTA_BINARY_PACKED));
  EXPECT_LT(bytes->size(), 6'000);
}

TEST(ParquetEncoder, ADictionaryThatDoesNotPayIsGivenUpBeforeItIsBuilt) {
  std::mt19937_64 random(1);
  auto distinct = Texts(20'000, [&](int64_t) { return std::to_string(random()); });
  EXPECT_THAT(EncodingsOf(Encoded({OneColumn(distinct)}), 0),
              Not(Contains(parquet::Encoding::RLE_DICTIONARY)));
  auto repeated =
      Texts(20'000, [&](int64_t) { return "state " + std::to_string(random() % 50); });
  auto bytes = Encoded({OneColumn(repeated)});
  EXPECT_THAT(EncodingsOf(bytes, 0), Contains(parquet::Encoding::RLE_DICTIONARY));
  EXPECT_TRUE(Decoded(bytes)->Equals(*TableOf({OneColumn(repeated)})));
}

TEST(ParquetEncoder, PlainAndDictionaryBatchesMix) {
  auto schema = arrow::schema({arrow::field("c", arrow::utf8())});
  auto first = OneColumn(Dictionary("[[0],[1],[null],[0]]", R"([["a"],["b"]])"));
  auto grown = OneColumn(Dictionary("[[2],[1]]", R"([["a"],["b"],["c"]])"));
  auto other = OneColumn(Dictionary("[[0],[1],[1]]", R"([["z"],["a"]])"));
  auto plain = OneColumn(Texts(2, [](int64_t i) { return i == 0 ? "b" : ""; }));
  const std::vector<arrow::RecordBatchVector> orders = {{first, grown},
                                                        {first, plain},
                                                        {plain, first},
                                                        {grown, first, other},
                                                        {other, plain, grown}};
  for (const auto& order : orders) {
    ParquetOptions one_group;
    ParquetOptions many_groups;
    many_groups.memory = 1;
    for (const auto& options : {one_group, many_groups}) {
      auto bytes = Encoded(order, options, schema);
      arrow::TableBatchReader reader(Decoded(bytes));
      auto found = ReadRows(reader).ValueOrDie();
      std::vector<Row> wanted;
      for (const auto& batch : order) {
        for (const auto& row : RowsOf(*batch)) wanted.push_back(row);
      }
      EXPECT_EQ(found, wanted);
    }
  }
}

TEST(ParquetEncoder, AMemoThatOnlyGrowsIsOneDictionary) {
  auto schema = arrow::schema({arrow::field("c", arrow::utf8())});
  auto first = OneColumn(Dictionary("[[0],[1],[0],[1]]", R"([["a"],["b"]])"));
  auto grown = OneColumn(Dictionary("[[2],[1],[2]]", R"([["a"],["b"],["c"]])"));
  auto chunk = FooterOf(Encoded({first, grown}, {}, schema))->RowGroup(0)->ColumnChunk(0);
  ASSERT_TRUE(chunk->has_dictionary_page());
  EXPECT_THAT(chunk->encodings(),
              ElementsAre(parquet::Encoding::PLAIN, parquet::Encoding::RLE,
                          parquet::Encoding::RLE_DICTIONARY));
}

TEST(ParquetEncoder, RowGroupsAreCutByBytes) {
  ParquetOptions options;
  options.memory = 3 << 20;
  arrow::RecordBatchVector batches(
      20, OneColumn(Ints(32'768, [](int64_t i) { return i * 7919; })));
  auto footer = FooterOf(Encoded(batches, options));
  EXPECT_EQ(footer->num_rows(), 20 * 32'768);
  EXPECT_EQ(footer->num_row_groups(), 7)
      << "three batches of a quarter MiB each, plus validity";
}

TEST(ParquetEncoder, APageIndexAndChecksumsAreThere) {
  std::mt19937_64 random(9);
  auto bytes = Encoded(
      {OneColumn(Ints(1'000, [&](int64_t) { return static_cast<int64_t>(random()); }))});
  auto chunk = FooterOf(bytes)->RowGroup(0)->ColumnChunk(0);
  EXPECT_TRUE(chunk->GetOffsetIndexLocation().has_value());
  EXPECT_TRUE(chunk->GetColumnIndexLocation().has_value());
  auto broken = std::string(std::string_view(*bytes));
  broken[static_cast<size_t>(chunk->data_page_offset()) + 4'000] ^= 1;
  auto properties = parquet::default_reader_properties();
  properties.set_page_checksum_verification(true);
  parquet::arrow::FileReaderBuilder builder;
  ASSERT_TRUE(builder
                  .Open(std::make_shared<arrow::io::BufferReader>(
                            arrow::Buffer::FromString(broken)),
                        properties)
                  .ok());
  std::unique_ptr<parquet::arrow::FileReader> reader;
  ASSERT_TRUE(builder.Build(&reader).ok());
  EXPECT_FALSE(reader->ReadTable().ok());
}

TEST(ParquetEncoder, NullInAColumnThatHasNoneIsAnError) {
  auto schema = arrow::schema({arrow::field("c", arrow::int64(), /*nullable=*/false)});
  auto encoder = ParquetEncoder::Open(schema, {}, NewSink()).ValueOrDie();
  auto batch = OneColumn(arrow::MakeArrayOfNull(arrow::int64(), 2).ValueOrDie());
  ASSERT_TRUE(encoder->Write(batch).ok());
  EXPECT_FALSE(encoder->Close().ok());
}

TEST(ParquetEncoder, ABatchOfOtherColumnsIsRefused) {
  auto encoder = ParquetEncoder::Open(arrow::schema({arrow::field("c", arrow::utf8())}),
                                      {}, NewSink())
                     .ValueOrDie();
  auto numbers = OneColumn(Ints(1, [](int64_t i) { return i; }));
  EXPECT_EQ(IdOf(encoder->Write(numbers).status()), "parquet.type");
  EXPECT_EQ(IdOf(encoder->Write(BatchOf(arrow::schema({}), "[]")).status()),
            "parquet.type");
}

TEST(ParquetEncoder, AColumnThatParquetCannotHoldIsRefused) {
  const auto nothing = arrow::schema({arrow::field("f", arrow::fixed_size_binary(0))});
  auto encoder = ParquetEncoder::Open(nothing, {}, NewSink()).ValueOrDie();
  const Status refused = encoder->Close();
  EXPECT_EQ(KindOf(refused), ErrorKind::kFailed);
  EXPECT_EQ(IdOf(refused), "parquet.open");
  EXPECT_THAT(refused.message(), ::testing::HasSubstr("length: 0"));
}

TEST(ParquetEncoder, AnUnknownCompressionIsRefusedByName) {
  ParquetOptions options;
  options.compression = "zip";
  auto opened = ParquetEncoder::Open(arrow::schema({}), options, NewSink());
  EXPECT_EQ(KindOf(opened.status()), ErrorKind::kUsage);
  EXPECT_EQ(IdOf(opened.status()), "option.compression");
  EXPECT_THAT(opened.status().message(), ::testing::HasSubstr("zstd"));
}

/// Random rows of several shapes: what a bound must survive.
std::shared_ptr<arrow::RecordBatch> Noise(std::mt19937_64& random, int64_t rows) {
  auto spread = std::vector<uint64_t>{2, 50, 5000, UINT64_MAX}[random() % 4];
  auto length = std::vector<uint64_t>{1, 8, 200}[random() % 3];
  auto numbers =
      Ints(rows, [&](int64_t) { return static_cast<int64_t>(random() % spread); });
  auto texts = Texts(rows, [&](int64_t) {
    std::string text(random() % length, ' ');
    for (auto& c : text)
      c = static_cast<char>('!' + random() % std::min<uint64_t>(spread, 90));
    return text;
  });
  auto small =
      Ints(rows, [&](int64_t) { return static_cast<int64_t>(random() % 256) - 128; });
  arrow::Int8Builder bytes;
  for (int64_t i = 0; i < rows; ++i) {
    EXPECT_TRUE(bytes.Append(static_cast<int8_t>(random())).ok());
  }
  return arrow::RecordBatch::Make(
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("t", arrow::utf8()),
                     arrow::field("b", arrow::int8())}),
      rows, {numbers, texts, bytes.Finish().ValueOrDie()});
}

TEST(ParquetEncoder, AFileIsNeverLargerThanItsLimit) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 60; ++round) {
    ParquetOptions options;
    options.file_size = int64_t{8'000} << (random() % 8);
    options.memory = int64_t{60'000} << (random() % 8);
    options.compression = random() % 2 == 0 ? "zstd" : "none";
    auto sink = NewSink();
    auto schema = Noise(random, 1)->schema();
    auto encoder = ParquetEncoder::Open(schema, options, sink).ValueOrDie();
    int64_t rows = 0;
    while (true) {
      auto batch = Noise(random, 1 + static_cast<int64_t>(random() % 20'000));
      int64_t taken = encoder->Write(batch).ValueOrDie();
      rows += taken;
      if (taken < batch->num_rows()) break;
    }
    auto bound = encoder->SizeBound().ValueOrDie();
    ASSERT_TRUE(encoder->Close().ok());
    auto bytes = sink->Finish().ValueOrDie();
    EXPECT_LE(bytes->size(), options.file_size) << round;
    EXPECT_LE(bytes->size(), bound) << round;
    EXPECT_EQ(FooterOf(bytes)->num_rows(), rows);
    EXPECT_EQ(encoder->rows(), rows);
    EXPECT_GT(rows, 0);
  }
}

TEST(ParquetEncoder, AFullFileIsReallyFull) {
  ParquetOptions options;
  options.file_size = 1 << 20;
  options.memory = 1 << 20;
  auto sink = NewSink();
  std::mt19937_64 random(8);
  auto batch = OneColumn(
      Texts(4'000, [&](int64_t) { return "some text " + std::to_string(random()); }));
  auto encoder = ParquetEncoder::Open(batch->schema(), options, sink).ValueOrDie();
  while (encoder->Write(batch).ValueOrDie() == batch->num_rows()) {
  }
  ASSERT_TRUE(encoder->Close().ok());
  EXPECT_GT(sink->Tell().ValueOrDie(), options.file_size * 3 / 4);
}

TEST(ParquetEncoder, ARowLargerThanTheLimitGetsAFileOfItsOwn) {
  ParquetOptions options;
  options.file_size = 1'000;
  options.compression = "none";
  auto batch = OneColumn(Texts(3, [](int64_t) { return std::string(5'000, 'x'); }));
  auto encoder = ParquetEncoder::Open(batch->schema(), options, NewSink()).ValueOrDie();
  EXPECT_EQ(encoder->Write(batch).ValueOrDie(), 1);
  EXPECT_EQ(encoder->Write(batch->Slice(1)).ValueOrDie(), 0);
  EXPECT_TRUE(encoder->Close().ok());
}

TEST(ParquetEncoder, AGiantCellCostsAFewTimesItsSize) {
  constexpr int64_t kCell = 50 << 20;
  std::mt19937_64 random(3);
  std::string noise(static_cast<size_t>(kCell), ' ');
  for (size_t i = 0; i < noise.size(); i += 8) {
    auto value = random();
    std::memcpy(noise.data() + i, &value, 8);
  }
  auto pool = arrow::MemoryPool::CreateDefault();
  ParquetOptions options;
  options.pool = pool.get();
  auto small = OneColumn(Texts(100, [](int64_t i) { return std::to_string(i % 5); }));
  auto giant = OneColumn(Texts(1, [&](int64_t) { return noise; }));
  noise.clear();
  noise.shrink_to_fit();
  auto sink = NewSink();
  auto encoder = ParquetEncoder::Open(small->schema(), options, sink).ValueOrDie();
  EXPECT_EQ(encoder->Write(small).ValueOrDie(), 100);
  auto taken = encoder->Write(giant);
  ASSERT_TRUE(taken.ok()) << taken.status().ToString();
  if (*taken == 0) {
    ASSERT_TRUE(encoder->Close().ok());
    sink = NewSink();
    encoder = ParquetEncoder::Open(small->schema(), options, sink).ValueOrDie();
    EXPECT_EQ(encoder->Write(giant).ValueOrDie(), 1);
  }
  ASSERT_TRUE(encoder->Close().ok());
  EXPECT_EQ(FooterOf(sink->Finish().ValueOrDie())->num_rows(), *taken == 0 ? 1 : 101);
  EXPECT_LT(pool->max_memory(), 3.2 * kCell);
  RecordProperty("pool_peak", std::to_string(pool->max_memory()));
}

}  // namespace
}  // namespace sluice
