#include "source/mysql_bound.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "arrow/scalar.h"
#include "arrow/type.h"

namespace sluice::mysql {
namespace {

// Below this, stepping over the rows costs about as much as the samples do.
constexpr int64_t kRowsStepped = 50'000;
constexpr int64_t kFirstSample = 1'000;
constexpr int kSamples = 16;
constexpr int64_t kRowsOfSample = 150;
constexpr int64_t kRowsOfSampleMax = 1'500;
constexpr int kRounds = 3;
// How far an estimate may lie from what is wanted.
constexpr double kNearLow = 0.6, kNearHigh = 1.6;
// The optimizer's own estimate sees a crowd between two samples. It may be twice too large.
constexpr int64_t kCrowd = 4;

/// Nothing for what is beyond 64 bits: BIGINT UNSIGNED from 2^63 on is stepped over.
std::optional<int64_t> FirstInteger(const std::optional<Key>& key) {
  if (!key || key->empty() || (*key)[0]->type->id() != arrow::Type::INT64)
    return std::nullopt;
  return static_cast<const arrow::Int64Scalar&>(*(*key)[0]).value;
}

int64_t NumberIn(const std::optional<std::string>& text) {
  int64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

/// `length` values of the key's first column from `first` on.
struct Stretch {
  int64_t first = 0;
  int64_t length = 0;
  int64_t last() const { return first + (length - 1); }
};

/// Rows of a stretch, of a table whose key begins with an integer.
class Estimate {
 public:
  Estimate(Connection& connection, const RelationFacts& facts)
      : connection_(connection), facts_(facts) {}

  /// Rows of one value on average, by counting in samples; nothing where one of them holds a crowd,
  /// or the last value does. `density`: what was found before.
  Result<std::optional<double>> RowsOfValue(const Stretch& stretch,
                                            double density) const {
    const auto wanted =
        static_cast<int64_t>(std::ceil(static_cast<double>(kRowsOfSample) / density));
    const int64_t length =
        std::clamp<int64_t>(wanted, 1, std::max<int64_t>(1, stretch.length / kSamples));
    std::string sql = Counted({stretch.last(), 1}, 0);
    for (int i = 0; i < kSamples; ++i) {
      // Unevenly, for keys are often multiples of something.
      constexpr double kGoldenRatio = 0.6180339887498949;
      const double place = std::fmod((i + 1) * kGoldenRatio, 1.0);
      const auto step =
          static_cast<int64_t>(place * static_cast<double>(stretch.length - length));
      sql += " UNION ALL " + Counted({stretch.first + step, length}, i + 1);
    }
    ARROW_ASSIGN_OR_RAISE(const auto counts, connection_.Query(sql));
    int64_t rows = 0;
    for (const TextRow& row : counts) {
      const int64_t count = NumberIn(row[0]);
      if (count >= kRowsOfSampleMax) return std::nullopt;
      if (NumberIn(row[1]) > 0) rows += count;
    }
    return static_cast<double>(rows) / static_cast<double>(length * kSamples);
  }

  /// The optimizer's.
  Result<int64_t> Rows(const Stretch& stretch) const {
    ARROW_ASSIGN_OR_RAISE(
        const auto plan,
        connection_.Query(fmt::format("EXPLAIN FORMAT=TRADITIONAL SELECT 1{} WHERE {}",
                                      FromClause(facts_), Within(stretch))));
    // … rows, Extra; MySQL has `filtered` between them.
    const size_t behind =
        connection_.server().flavor == Flavor::kMySql ? size_t{3} : size_t{2};
    if (plan.empty() || plan[0].size() < behind) return 0;
    return NumberIn(plan[0][plan[0].size() - behind]);
  }

 private:
  /// A statement that counts the rows of a stretch as far as kRowsOfSampleMax.
  std::string Counted(const Stretch& stretch, int number) const {
    return fmt::format(
        "SELECT COUNT(*), {0} FROM (SELECT 1 AS n{1} WHERE {2} LIMIT {3}) s{0}", number,
        FromClause(facts_), Within(stretch), kRowsOfSampleMax);
  }

  std::string Within(const Stretch& stretch) const {
    return fmt::format("{} BETWEEN {} AND {}", QuoteName(facts_.key[0].name),
                       stretch.first, stretch.last());
  }

  Connection& connection_;
  const RelationFacts& facts_;
};

/// A stretch from `first` on with about `rows_wanted` rows, or what is left; nothing where samples
/// do not tell.
Result<std::optional<Stretch>> FindStretch(const Estimate& estimate, Stretch left,
                                           double density, int64_t rows_wanted) {
  Stretch stretch = left;
  for (int round = 0; round < kRounds; ++round) {
    const double length = static_cast<double>(rows_wanted) / density;
    stretch.length = length >= static_cast<double>(left.length)
                         ? left.length
                         : std::max<int64_t>(1, std::llround(length));
    ARROW_ASSIGN_OR_RAISE(const auto found, estimate.RowsOfValue(stretch, density));
    if (!found) return std::nullopt;
    const double part =
        *found * static_cast<double>(stretch.length) / static_cast<double>(rows_wanted);
    const bool is_rest = stretch.length == left.length;
    if (part <= kNearHigh && (part >= kNearLow || is_rest)) {
      ARROW_ASSIGN_OR_RAISE(const int64_t rows, estimate.Rows(stretch));
      if (rows <= 0 || rows / kCrowd > rows_wanted) return std::nullopt;
      return stretch;
    }
    // A gap: what is behind it is looked at in the next round.
    density = std::max(*found, 0.1 * density);
  }
  return std::nullopt;
}

/// The last row that does not lie behind the stretch, where its end cannot be written as a key.
Result<std::optional<Key>> LastOf(Connection& connection, const RelationFacts& facts,
                                  const KeyRange& within, const Stretch& stretch) {
  RelationFacts first = facts;
  first.key.resize(1);
  const auto end = EndOf(first.key, stretch.last());
  ARROW_ASSIGN_OR_RAISE(std::string below,
                        RangeCondition(first.key, {std::nullopt, end}));
  ARROW_ASSIGN_OR_RAISE(const std::string range, RangeCondition(facts.key, within));
  const std::string sql = fmt::format("SELECT {}{} WHERE {} AND {}{} LIMIT 1",
                                      KeyList(facts.key), FromClause(facts), below, range,
                                      KeyOrder(facts.key, /*descending=*/true));
  ARROW_ASSIGN_OR_RAISE(const auto rows, connection.Query(sql));
  if (rows.empty()) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(Key key, KeyFrom(facts.key, rows[0]));
  return key;
}

}  // namespace

Result<std::optional<Key>> FindKey(Connection& connection, const RelationFacts& facts,
                                   const KeyRange& range, int64_t offset,
                                   bool from_the_end) {
  ARROW_ASSIGN_OR_RAISE(const std::string sql,
                        SelectKey(facts, range, offset, from_the_end));
  ARROW_ASSIGN_OR_RAISE(const auto rows, connection.Query(sql));
  if (rows.empty()) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(Key key, KeyFrom(facts.key, rows[0]));
  return key;
}

Result<std::optional<Key>> FindBound(Connection& connection, const RelationFacts& facts,
                                     const KeyRange& within, int64_t rows_wanted) {
  const auto step = [&] {
    return FindKey(connection, facts, within, rows_wanted - 1, /*from_the_end=*/false);
  };
  const auto limit = FirstInteger(within.upto);
  const bool is_integer = facts.key[0].form == KeyForm::kInteger;
  if (rows_wanted < kRowsStepped || !is_integer || !limit) return step();
  ARROW_ASSIGN_OR_RAISE(const auto first, FindKey(connection, facts, within, 0, false));
  ARROW_ASSIGN_OR_RAISE(const auto near,
                        FindKey(connection, facts, within, kFirstSample - 1, false));
  if (!near) return std::nullopt;
  const auto start = FirstInteger(first), some = FirstInteger(near);
  if (!start || !some || *some <= *start) return step();
  // The distance of two integers may need 64 bits.
  const uint64_t distance = static_cast<uint64_t>(*limit) - static_cast<uint64_t>(*start);
  if (distance >= static_cast<uint64_t>(std::numeric_limits<int64_t>::max() / 2))
    return step();
  const Stretch left{*start, static_cast<int64_t>(distance) + 1};
  const double density =
      static_cast<double>(kFirstSample) / static_cast<double>(*some - *start + 1);
  ARROW_ASSIGN_OR_RAISE(const auto stretch, FindStretch(Estimate(connection, facts), left,
                                                        density, rows_wanted));
  if (!stretch) return step();
  if (stretch->length == left.length) return std::nullopt;
  if (auto end = EndOf(facts.key, stretch->last())) return end;
  return LastOf(connection, facts, within, *stretch);
}

}  // namespace sluice::mysql
