#include "testing/state_samples.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "arrow/scalar.h"
#include "arrow/type.h"
#include "arrow/util/key_value_metadata.h"

namespace sluice {
namespace {

bool SameKey(const std::optional<Key>& a, const std::optional<Key>& b) {
  if (a.has_value() != b.has_value()) return false;
  return !a || std::equal(a->begin(), a->end(), b->begin(), b->end(),
                          [](const auto& x, const auto& y) {
                            return x->type->Equals(*y->type) && x->Equals(*y);
                          });
}

void ExpectSame(const Relation& a, const Relation& b) {
  EXPECT_EQ(std::tie(a.name, a.columns, a.where, a.on_type_mismatch),
            std::tie(b.name, b.columns, b.where, b.on_type_mismatch));
}

}  // namespace

Key IntKey(int64_t value) { return {std::make_shared<arrow::Int64Scalar>(value)}; }

Key WeirdKey() {
  return {
      std::make_shared<arrow::Int64Scalar>(std::numeric_limits<int64_t>::min()),
      std::make_shared<arrow::DoubleScalar>(-0.1),
      std::make_shared<arrow::StringScalar>(std::string("a\0\n\"'\xF0\x9F\x90\x98", 9)),
      std::make_shared<arrow::StringScalar>(std::string("\xFF\xFE")),
      std::make_shared<arrow::StringScalar>(""),
      std::make_shared<arrow::BinaryScalar>(
          arrow::Buffer::FromString(std::string("\0\x80", 2)))};
}

LoadState NewLoad(const std::string& job, const std::string& load,
                  const std::string& stream) {
  const auto metadata = arrow::key_value_metadata({"declared"}, {"INTEGER \"x\""});
  const auto schema = arrow::schema({arrow::field("id", arrow::int64(), false, metadata),
                                     arrow::field("n\"am\n.e", arrow::utf8())},
                                    arrow::key_value_metadata({"table"}, {"Zoë"}));
  LoadState state;
  state.spec.load = load;
  state.spec.job = job;
  state.spec.run = "run-1";
  state.spec.stream = stream;
  state.spec.epoch = 3;
  state.spec.relation = {
      .name = {"main", "or\"ders"}, .columns = {"id"}, .where = "id <> 'x''y'"};
  state.spec.relation.on_type_mismatch = OnTypeMismatch::kString;
  state.spec.key = {"id"};
  state.spec.schema = schema;
  state.spec.source = "sqlite:///tmp/a b.db";
  state.spec.file_size = (int64_t{1} << 53) + 1;
  state.spec.attempt_names = true;
  state.table.relation = state.spec.relation;
  state.table.schema = schema;
  state.table.fingerprint = "f1";
  state.table.key = {"id"};
  state.table.key_is_integer = true;
  state.table.estimated_rows = std::numeric_limits<int64_t>::max();
  state.table.estimated_bytes = 12;
  state.table.detail = R"({"rowid":true})";
  state.definition = R"({"columns":["id"]})";
  state.last_key = WeirdKey();
  state.consistency = Consistency::kSnapshotStrict;
  state.positions = {"17:0"};
  state.clock_micros = 1'700'000'000'000'001;
  return state;
}

Chunk ChunkAt(int64_t ordinal, bool last) {
  Chunk chunk{.ordinal = ordinal, .range = {}, .last = last};
  if (ordinal > 1) chunk.range.after = IntKey((ordinal - 1) * 100);
  chunk.range.upto = IntKey(ordinal * 100);
  return chunk;
}

ChunkReceipt ReceiptOf(const std::string& load, int64_t ordinal,
                       const std::string& attempt) {
  ChunkReceipt receipt;
  receipt.load = load;
  receipt.ordinal = ordinal;
  receipt.attempt = attempt;
  receipt.rows = 100;
  receipt.digest = {.rows = 100,
                    .hashed = 100,
                    .high = {~0ull, 1},
                    .low = {0, ~0ull},
                    .version = 1,
                    .kind = DigestKind::kClient};
  receipt.cost = {
      .rows = 100, .source_bytes = 4096, .encoded_bytes = 512, .seconds = 0.25};
  receipt.position = "17:0";
  receipt.coerced = {{"n\"ame", 3}};
  receipt.staged = {{.path = "main/orders/p",
                     .attempt = attempt,
                     .token = "t\n:1",
                     .size = 512,
                     .crc32c = 0xFFFFFFFF,
                     .rows = 100}};
  return receipt;
}

ChunkReceipt Published(ChunkReceipt receipt) {
  receipt.objects = {
      {.path = "main/orders/p", .version_id = "9", .size = 512, .crc32c = 7}};
  return receipt;
}

void ExpectSame(const ChunkReceipt& a, const ChunkReceipt& b) {
  EXPECT_EQ(std::tie(a.load, a.ordinal, a.attempt, a.rows, a.position, a.coerced),
            std::tie(b.load, b.ordinal, b.attempt, b.rows, b.position, b.coerced));
  EXPECT_EQ(a.digest, b.digest);
  EXPECT_EQ(
      std::tie(a.cost.rows, a.cost.source_bytes, a.cost.encoded_bytes, a.cost.seconds),
      std::tie(b.cost.rows, b.cost.source_bytes, b.cost.encoded_bytes, b.cost.seconds));
  EXPECT_EQ(a.staged, b.staged);
  EXPECT_EQ(a.objects, b.objects);
}

void ExpectSame(const LoadState& a, const LoadState& b) {
  EXPECT_EQ(std::tie(a.spec.load, a.spec.job, a.spec.run, a.spec.stream, a.spec.epoch,
                     a.spec.mode, a.spec.key, a.spec.source, a.spec.compression,
                     a.spec.compression_level, a.spec.file_size, a.spec.attempt_names),
            std::tie(b.spec.load, b.spec.job, b.spec.run, b.spec.stream, b.spec.epoch,
                     b.spec.mode, b.spec.key, b.spec.source, b.spec.compression,
                     b.spec.compression_level, b.spec.file_size, b.spec.attempt_names));
  ExpectSame(a.spec.relation, b.spec.relation);
  ExpectSame(a.table.relation, b.table.relation);
  EXPECT_TRUE(a.spec.schema->Equals(*b.spec.schema, /*check_metadata=*/true));
  EXPECT_TRUE(a.table.schema->Equals(*b.table.schema, /*check_metadata=*/true));
  EXPECT_EQ(std::tie(a.table.fingerprint, a.table.key, a.table.key_is_integer,
                     a.table.estimated_rows, a.table.estimated_bytes, a.table.detail),
            std::tie(b.table.fingerprint, b.table.key, b.table.key_is_integer,
                     b.table.estimated_rows, b.table.estimated_bytes, b.table.detail));
  EXPECT_TRUE(SameKey(a.last_key, b.last_key));
  EXPECT_EQ(std::tie(a.definition, a.phase, a.consistency, a.positions, a.replaces,
                     a.clock_micros),
            std::tie(b.definition, b.phase, b.consistency, b.positions, b.replaces,
                     b.clock_micros));
  ASSERT_EQ(a.chunks.size(), b.chunks.size());
  for (size_t i = 0; i < a.chunks.size(); ++i) {
    EXPECT_EQ(a.chunks[i].chunk.ordinal, b.chunks[i].chunk.ordinal);
    EXPECT_EQ(a.chunks[i].chunk.last, b.chunks[i].chunk.last);
    EXPECT_EQ(a.chunks[i].failures, b.chunks[i].failures);
    EXPECT_TRUE(SameKey(a.chunks[i].chunk.range.after, b.chunks[i].chunk.range.after));
    EXPECT_TRUE(SameKey(a.chunks[i].chunk.range.upto, b.chunks[i].chunk.range.upto));
    ASSERT_EQ(a.chunks[i].staged.has_value(), b.chunks[i].staged.has_value());
    if (a.chunks[i].staged) ExpectSame(*a.chunks[i].staged, *b.chunks[i].staged);
  }
  ASSERT_EQ(a.losers.size(), b.losers.size());
  for (size_t i = 0; i < a.losers.size(); ++i) ExpectSame(a.losers[i], b.losers[i]);
}

}  // namespace sluice
