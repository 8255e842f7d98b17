#include "encode/column_choice.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string_view>

#include "arrow/array/array_binary.h"
#include "arrow/array/array_dict.h"
#include "arrow/array/array_primitive.h"
#include "arrow/array/data.h"
#include "arrow/type.h"
#include "arrow/type_traits.h"

namespace sluice {
namespace {

constexpr int64_t kSampleMax = 16 * 1024;
constexpr int64_t kFirstLook = 4 * 1024;
/// Extremes of longer values are seldom of use, and each costs a comparison per value.
constexpr int64_t kStatisticsMeanMax = 64;

/// Counts distinct values by their hashes; a collision in 2^32 changes a guess, not a
/// result.
class DistinctCounter {
 public:
  DistinctCounter() : slots_(4 * kSampleMax, 0) {}
  void Add(std::string_view value) {
    auto hash = std::hash<std::string_view>{}(value);
    auto tag = static_cast<uint32_t>(hash >> 32) | 1u;
    for (size_t at = hash % slots_.size();; at = (at + 1) % slots_.size()) {
      if (slots_[at] == tag) return;
      if (slots_[at] != 0) continue;
      slots_[at] = tag;
      ++distinct_;
      return;
    }
  }
  int64_t distinct() const { return distinct_; }

 private:
  std::vector<uint32_t> slots_;
  int64_t distinct_ = 0;
};

bool IsBinaryLike(const arrow::DataType& type) {
  return arrow::is_base_binary_like(type.id());
}

/// The bytes of one value; `width` of a fixed-width type, 0 for strings.
std::string_view ValueAt(const arrow::Array& array, int width, int64_t row) {
  if (width > 0) {
    const auto& data = *array.data();
    const auto* begin = data.buffers[1]->data() + (data.offset + row) * width;
    return {reinterpret_cast<const char*>(begin), static_cast<size_t>(width)};
  }
  if (array.type_id() == arrow::Type::LARGE_STRING ||
      array.type_id() == arrow::Type::LARGE_BINARY) {
    return static_cast<const arrow::LargeBinaryArray&>(array).GetView(row);
  }
  return static_cast<const arrow::BinaryArray&>(array).GetView(row);
}

/// Bytes per value of types that are sampled; -1 for those that are not.
int WidthOf(const arrow::DataType& type) {
  if (IsBinaryLike(type)) return 0;
  if (type.id() == arrow::Type::BOOL || !arrow::is_fixed_width(type.id())) return -1;
  return type.bit_width() / 8;
}

/// Differences are packed into as many bits as they need: less to write, and less to
/// compress.
bool StoredAsInteger(const arrow::DataType& type) {
  return arrow::is_signed_integer(type.id()) || type.id() == arrow::Type::DATE32 ||
         type.id() == arrow::Type::TIMESTAMP;
}

/// Whether a dictionary pays: few enough distinct values among those sampled.
bool DictionaryPays(const arrow::ArrayVector& chunks, int width, int64_t rows) {
  DistinctCounter counter;
  int64_t stride = std::max<int64_t>(1, rows / kSampleMax);
  int64_t sampled = 0;
  int64_t skip = 0;
  for (const auto& chunk : chunks) {
    for (; skip < chunk->length() && sampled < kSampleMax; skip += stride) {
      if (chunk->IsNull(skip)) continue;
      counter.Add(ValueAt(*chunk, width, skip));
      if (++sampled == kFirstLook) {
        if (counter.distinct() * 10 > sampled * 9) return false;
        if (counter.distinct() * 4 < sampled) return true;
      }
    }
    skip = std::max<int64_t>(0, skip - chunk->length());
  }
  return counter.distinct() * 2 <= sampled;
}

/// Extremes tell a reader something only if parts of the rows differ in theirs. Without
/// any order, every page and row group spans the same values, and comparing each string
/// was for nothing.
bool ExtremesTell(const arrow::ArrayVector& chunks, int64_t rows) {
  constexpr int64_t kParts = 8;
  constexpr int64_t kLooksPerPart = 64;
  if (rows < kParts * kLooksPerPart) return true;
  int64_t stride = std::max<int64_t>(1, rows / (kParts * kLooksPerPart));
  std::vector<std::string_view> looks;
  int64_t skip = 0;
  for (const auto& chunk : chunks) {
    for (; skip < chunk->length(); skip += stride) {
      if (chunk->IsValid(skip)) looks.push_back(ValueAt(*chunk, 0, skip));
    }
    skip -= chunk->length();
  }
  std::string_view low, high;
  for (size_t part = 0; part < kParts; ++part) {
    auto begin = looks.begin() + static_cast<int64_t>(looks.size() * part / kParts);
    auto end = looks.begin() + static_cast<int64_t>(looks.size() * (part + 1) / kParts);
    if (begin == end) return true;
    auto [least, most] = std::minmax_element(begin, end);
    // Parts that do not overlap, in either direction, are an order.
    if (part > 0 && (*most < low || *least > high)) return true;
    low = part == 0 ? *least : std::min(low, *least);
    high = part == 0 ? *most : std::max(high, *most);
  }
  return false;
}

/// Keys in order: differences are small, and DELTA beats everything on them.
bool Ascends(const arrow::ArrayVector& chunks) {
  int64_t last = INT64_MIN;
  for (const auto& chunk : chunks) {
    if (chunk->type_id() != arrow::Type::INT64 || chunk->null_count() > 0) return false;
    const auto& numbers = static_cast<const arrow::Int64Array&>(*chunk);
    const int64_t* values = numbers.raw_values();
    for (int64_t i = 0; i < numbers.length(); ++i) {
      if (values[i] < last) return false;
      last = values[i];
    }
  }
  return true;
}

struct BinarySize {
  int64_t bytes = 0, longest = 0;
};

template <typename ArrayType>
BinarySize SizeOf(const ArrayType& array) {
  BinarySize size;
  for (int64_t i = 0; i < array.length(); ++i) {
    int64_t length = array.value_length(i);
    size.bytes += length;
    size.longest = std::max(size.longest, length);
  }
  return size;
}

BinarySize SizeOfBinary(const arrow::Array& array) {
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return SizeOf(static_cast<const arrow::BinaryArray&>(array));
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return SizeOf(static_cast<const arrow::LargeBinaryArray&>(array));
    default: return {};
  }
}

const arrow::Array& ValuesOf(const arrow::Array& array) {
  if (array.type_id() != arrow::Type::DICTIONARY) return array;
  return *static_cast<const arrow::DictionaryArray&>(array).dictionary();
}

}  // namespace

int64_t LongestValue(const arrow::Array& array) {
  return SizeOfBinary(ValuesOf(array)).longest;
}

ColumnChoice ChooseColumn(const arrow::Field& field, const arrow::ArrayVector& chunks) {
  ColumnChoice choice;
  const auto& type = *field.type();
  int width = WidthOf(type);
  if (width < 0) return choice;
  int64_t rows = 0;
  BinarySize size;
  bool plain = false;
  for (const auto& chunk : chunks) {
    plain |= chunk->type_id() != arrow::Type::DICTIONARY;
    rows += chunk->length();
    auto one = SizeOfBinary(ValuesOf(*chunk));
    size.bytes += one.bytes;
    size.longest = std::max(size.longest, one.longest);
  }
  if (type.id() == arrow::Type::BINARY || size.bytes > rows * kStatisticsMeanMax) {
    choice.statistics = false;
  }
  if (size.longest > kDictionaryValueMax) {
    choice.encoding = ColumnEncoding::kPlain;
    return choice;
  }
  if (!plain || rows == 0) return choice;
  if (type.id() == arrow::Type::INT64 && Ascends(chunks)) {
    choice.encoding = ColumnEncoding::kDelta;
    return choice;
  }
  arrow::ArrayVector dense;
  for (const auto& chunk : chunks) {
    if (chunk->type_id() != arrow::Type::DICTIONARY) dense.push_back(chunk);
  }
  if (width == 0 && choice.statistics) choice.statistics = ExtremesTell(dense, rows);
  if (DictionaryPays(dense, width, rows)) return choice;
  choice.encoding =
      StoredAsInteger(type) ? ColumnEncoding::kDelta : ColumnEncoding::kPlain;
  return choice;
}

}  // namespace sluice
