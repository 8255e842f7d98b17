#include "plan/keyset.h"

#include <algorithm>
#include <cmath>

#include "arrow/scalar.h"

namespace sluice {
namespace {

// Nothing is known: a size that is neither a burden nor a waste.
constexpr int64_t kRowsWithoutEstimate = 50'000;
// Below this a second chunk for each worker costs more than it brings.
constexpr int64_t kLargeTableRows = 200'000;
constexpr double kAimOfTarget = 0.9;
constexpr double kGrowthMax = 2.0;
constexpr int kChunksPerWorker = 2;
// A chunk in mid-copy is a few batches, not all of it; this bounds what a wrong estimate can do.
constexpr int64_t kFirstChunkOfMemory = 2;

/// Identical, value by value. Not an order: two keys that differ here may still be equal to the
/// server, and then the last chunk is an empty one.
bool IsIdentical(const Key& a, const Key& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x->Equals(*y); });
}

int64_t FirstRows(const TableInfo& table, const PlanOptions& options) {
  if (options.chunk_rows_first > 0) return options.chunk_rows_first;
  if (table.estimated_rows <= 0 || table.estimated_bytes <= 0)
    return kRowsWithoutEstimate;
  const double bytes_per_row = static_cast<double>(table.estimated_bytes) /
                               static_cast<double>(table.estimated_rows);
  // Decoded bytes are never fewer than encoded ones, so a first chunk is rather too small.
  const auto bytes = static_cast<double>(
      std::min(options.target_encoded_bytes, options.memory / kFirstChunkOfMemory));
  return static_cast<int64_t>(kAimOfTarget * bytes / std::max(bytes_per_row, 1.0));
}

}  // namespace

KeysetPlanner::KeysetPlanner(const TableInfo& table, const std::optional<Key>& last_key,
                             const std::vector<Chunk>& planned,
                             const PlanOptions& options)
    : table_(table),
      last_key_(last_key),
      options_(options),
      rows_(FirstRows(table, options)) {
  if (table.estimated_rows > 0)
    bytes_per_row_ = static_cast<double>(table.estimated_bytes) /
                     static_cast<double>(table.estimated_rows);
  if (planned.empty()) return;
  const Chunk& newest = planned.back();
  after_ = newest.range.upto;
  ordinal_ = newest.ordinal;
  // An open upper side has nothing behind it.
  done_ = newest.last || !newest.range.upto;
}

int64_t KeysetPlanner::RowsMin() const {
  if (bytes_per_row_ <= 0) return options_.target_rows_min;
  const double rows = static_cast<double>(options_.source_bytes_min) / bytes_per_row_;
  return std::clamp<int64_t>(static_cast<int64_t>(rows), 1, options_.target_rows_min);
}

int64_t KeysetPlanner::rows_wanted() const {
  if (options_.chunk_rows > 0) return options_.chunk_rows;
  int64_t rows = rows_;
  const int64_t chunks = int64_t{kChunksPerWorker} * std::max(options_.workers, 1);
  // The estimate may be far too low: beyond it, it says nothing.
  if (table_.estimated_rows >= kLargeTableRows && rows_planned_ < table_.estimated_rows)
    rows = std::min(rows, table_.estimated_rows / chunks);
  return std::max(rows, RowsMin());
}

Chunk KeysetPlanner::Emit(const std::optional<Key>& upto, bool last) {
  Chunk chunk{.ordinal = ++ordinal_, .range = {after_, upto}, .last = last};
  after_ = upto;
  done_ = last;
  return chunk;
}

Result<std::optional<Chunk>> KeysetPlanner::Next(Session& session) {
  if (done_) return std::nullopt;
  if (!last_key_) return Emit(std::nullopt, /*last=*/true);
  const int64_t rows = rows_wanted();
  ARROW_ASSIGN_OR_RAISE(const auto bound,
                        session.Bound(table_, {after_, last_key_}, rows));
  in_flight_.push_back(rows);
  rows_planned_ += rows;
  const bool last = !bound || IsIdentical(*bound, *last_key_);
  return Emit(last ? last_key_ : bound, last);
}

void KeysetPlanner::Observe(const ChunkCost& cost) {
  int64_t rows = cost.rows;
  if (!in_flight_.empty()) {
    // Chunks end nearly in the order they began, and neighbours are of nearly one size.
    rows = in_flight_.front();
    in_flight_.pop_front();
  }
  if (cost.rows > 0)
    bytes_per_row_ =
        static_cast<double>(cost.source_bytes) / static_cast<double>(cost.rows);
  double factor = kGrowthMax;
  const double bytes_aim =
      kAimOfTarget * static_cast<double>(options_.target_encoded_bytes);
  if (cost.encoded_bytes > 0)
    factor = std::min(factor, bytes_aim / static_cast<double>(cost.encoded_bytes));
  if (cost.seconds > 0) factor = std::min(factor, options_.seconds_max / cost.seconds);
  // Growth is damped: one chunk of short rows says little about the next. Shrinking is not.
  rows_ = std::max<int64_t>(1, std::llround(static_cast<double>(rows) * factor));
}

}  // namespace sluice
