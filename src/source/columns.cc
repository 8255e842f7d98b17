#include "source/columns.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "arrow/array/data.h"
#include "arrow/array/util.h"
#include "arrow/buffer.h"
#include "arrow/memory_pool.h"
#include "arrow/type.h"
#include "arrow/util/bit_util.h"

namespace sluice {
namespace {

/// The value of `count` digits at `text`, or a negative number.
int Digits(const char* text, int count) {
  int value = 0;
  for (int i = 0; i < count; ++i) {
    const int digit = text[i] - '0';
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

int DaysOfMonth(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && is_leap ? 29 : kDays[month - 1];
}

/// Proleptic Gregorian; the year begins in March, so that the leap day is its last
/// (http://howardhinnant.github.io/date_algorithms.html, days_from_civil).
int32_t DaysSince1970(int year, int month, int day) {
  const int shifted = month <= 2 ? year - 1 : year;
  const int era = shifted / 400;
  const int year_of_era = shifted - era * 400;
  const int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

/// Length of the well-formed sequence that starts with the byte >= 0x80 at `bytes`; 0: none.
int SequenceLength(const unsigned char* bytes, size_t left) {
  const unsigned char lead = bytes[0];
  const int length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || left < static_cast<size_t>(length)) return 0;
  // The second byte alone decides about overlong forms, surrogates and the end of Unicode.
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (bytes[1] < low || bytes[1] > high) return 0;
  for (int i = 2; i < length; ++i)
    if ((bytes[i] & 0xC0) != 0x80) return 0;
  return length;
}

/// Bytes of the sequence that begins at `bytes` and is not well-formed, up to the byte that breaks it:
/// 1 at least.
size_t BegunLength(const unsigned char* bytes, size_t left) {
  constexpr unsigned char kTail[] = {0x80, 0x80, 0x80};
  unsigned char begun[4] = {bytes[0]};
  const unsigned char lead = bytes[0];
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) return 1;
  // Is what is there the beginning of any sequence that is well-formed?
  size_t size = 1;
  for (; size < length && size < left; ++size) {
    begun[size] = bytes[size];
    std::copy_n(kTail, length - size - 1, begun + size + 1);
    if (SequenceLength(begun, length) == 0) break;
  }
  return size;
}

/// Decimals of at most 15 digits are told apart by doubles: where n / 10^4 is this very value, the
/// digits of n are its shortest text. Spares the search for it, for money and rates.
char* FormatFewDecimals(char* out, double value) {
  const double scaled = std::fabs(value) * 10'000;
  if (!(scaled < 1e15)) return nullptr;
  const int64_t whole = std::llround(scaled);
  if (static_cast<double>(whole) / 10'000 != std::fabs(value)) return nullptr;
  if (whole == 0 && value != 0) return nullptr;
  if (std::signbit(value)) *out++ = '-';
  out = FormatInt(out, whole / 10'000);
  *out++ = '.';
  int fraction = static_cast<int>(whole % 10'000);
  int divisor = 1'000;
  do {
    *out++ = static_cast<char>('0' + fraction / divisor);
    fraction %= divisor;
    divisor /= 10;
  } while (fraction != 0);
  return out;
}

}  // namespace

std::optional<int32_t> DaysOfDate(int year, int month, int day) {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
      day > DaysOfMonth(year, month))
    return std::nullopt;
  return DaysSince1970(year, month, day);
}

std::optional<int32_t> ParseDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const int year = Digits(text.data(), 4);
  const int month = Digits(text.data() + 5, 2);
  const int day = Digits(text.data() + 8, 2);
  return DaysOfDate(year, month, day);
}

std::optional<int64_t> ParseTimestamp(std::string_view text) {
  if (text.size() < 19 || text.size() > 26 || text.size() == 20) return std::nullopt;
  const std::optional<int32_t> days = ParseDate(text.substr(0, 10));
  if (!days || (text[10] != ' ' && text[10] != 'T') || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  const int hour = Digits(text.data() + 11, 2);
  const int minute = Digits(text.data() + 14, 2);
  const int second = Digits(text.data() + 17, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
    return std::nullopt;
  int micros = 0;
  if (text.size() > 19) {
    const int count = static_cast<int>(text.size()) - 20;
    micros = Digits(text.data() + 20, count);
    if (text[19] != '.' || micros < 0) return std::nullopt;
    for (int i = count; i < 6; ++i) micros *= 10;
  }
  const int64_t seconds = int64_t{*days} * 86'400 + hour * 3'600 + minute * 60 + second;
  return seconds * 1'000'000 + micros;
}

bool IsUtf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t left = text.size();
  while (left > 0) {
    uint64_t eight;
    if (left >= sizeof(eight)) {
      std::memcpy(&eight, bytes, sizeof(eight));
      if ((eight & 0x8080808080808080u) == 0) {
        bytes += sizeof(eight);
        left -= sizeof(eight);
        continue;
      }
    }
    const int length = bytes[0] < 0x80 ? 1 : SequenceLength(bytes, left);
    if (length == 0) return false;
    bytes += length;
    left -= static_cast<size_t>(length);
  }
  return true;
}

std::string WithReplacements(std::string_view text) {
  std::string out;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  for (size_t at = 0; at < text.size();) {
    const size_t left = text.size() - at;
    const int length = bytes[at] < 0x80 ? 1 : SequenceLength(bytes + at, left);
    if (length > 0) {
      out.append(text.substr(at, static_cast<size_t>(length)));
      at += static_cast<size_t>(length);
      continue;
    }
    out += "\xEF\xBF\xBD";
    at += BegunLength(bytes + at, left);
  }
  return out;
}

char* FormatInt(char* out, int64_t value) {
  return std::to_chars(out, out + kNumberRoom, value).ptr;
}

char* FormatReal(char* out, double value) {
  if (std::isnan(value)) return std::copy_n("NaN", 3, out);
  if (std::isinf(value))
    return value > 0 ? std::copy_n("Inf", 3, out) : std::copy_n("-Inf", 4, out);
  if (char* end = FormatFewDecimals(out, value)) return end;
  const double size = std::fabs(value);
  const bool is_plain = size >= 1e-4 && size < 1e15;
  char* end =
      std::to_chars(out, out + kNumberRoom, value,
                    is_plain ? std::chars_format::fixed : std::chars_format::scientific)
          .ptr;
  if (std::find(out, end, '.') != end) return end;
  char* exponent = std::find(out, end, 'e');
  std::copy_backward(exponent, end, end + 2);
  exponent[0] = '.';
  exponent[1] = '0';
  return end + 2;
}

void RealTexts::Fill(Entry& entry, double value, uint64_t bits) {
  entry.bits = bits;
  entry.size = static_cast<uint8_t>(FormatReal(entry.text, value) - entry.text);
}

ColumnBuilder::ColumnBuilder(std::shared_ptr<arrow::DataType> type,
                             arrow::MemoryPool* pool)
    : type_(std::move(type)), pool_(pool) {
  switch (type_->id()) {
    case arrow::Type::BOOL: width_ = kBits; break;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LIST: width_ = kOffsets; break;
    default: width_ = type_->byte_width();
  }
}

ColumnBuilder::~ColumnBuilder() = default;
ColumnBuilder::ColumnBuilder(ColumnBuilder&&) noexcept = default;

Status ColumnBuilder::Reserve(int64_t rows) {
  const int64_t bitmap_size = arrow::bit_util::BytesForBits(rows);
  ARROW_ASSIGN_OR_RAISE(validity_buffer_,
                        arrow::AllocateResizableBuffer(bitmap_size, pool_));
  validity_ = validity_buffer_->mutable_data();
  std::memset(validity_, 0xff, static_cast<size_t>(bitmap_size));
  int64_t values_size = rows * width_;
  if (width_ == kBits) values_size = bitmap_size;
  if (width_ == kOffsets)
    values_size = (rows + 1) * static_cast<int64_t>(sizeof(int32_t));
  ARROW_ASSIGN_OR_RAISE(values_buffer_,
                        arrow::AllocateResizableBuffer(values_size, pool_));
  values_ = values_buffer_->mutable_data();
  if (width_ == kBits) std::memset(values_, 0, static_cast<size_t>(values_size));
  if (width_ == kOffsets) {
    std::memset(values_, 0, sizeof(int32_t));
    ARROW_ASSIGN_OR_RAISE(bytes_buffer_,
                          arrow::AllocateResizableBuffer(bytes_expected_, pool_));
    bytes_ = bytes_buffer_->mutable_data();
    bytes_capacity_ = bytes_expected_;
  }
  length_ = null_count_ = bytes_size_ = 0;
  return Status::OK();
}

bool ColumnBuilder::GrowBytes(int64_t size) {
  const int64_t needed = bytes_size_ + size;
  if (needed > std::numeric_limits<int32_t>::max()) {
    status_ = Error(ErrorKind::kResource, "source.batch-too-big",
                    "a batch of one column is larger than 2 GiB");
    return false;
  }
  const int64_t capacity = std::max(needed, bytes_capacity_ * 2);
  status_ = bytes_buffer_->Resize(capacity, /*shrink_to_fit=*/false);
  if (!status_.ok()) return false;
  bytes_ = bytes_buffer_->mutable_data();
  bytes_capacity_ = capacity;
  return true;
}

Result<std::shared_ptr<arrow::Array>> ColumnBuilder::Finish() {
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(2);
  const int64_t bitmap_size = arrow::bit_util::BytesForBits(length_);
  if (null_count_ > 0) {
    ARROW_RETURN_NOT_OK(validity_buffer_->Resize(bitmap_size, /*shrink_to_fit=*/false));
    buffers[0] = std::move(validity_buffer_);
  }
  int64_t values_size = length_ * width_;
  if (width_ == kBits) values_size = bitmap_size;
  if (width_ == kOffsets)
    values_size = (length_ + 1) * static_cast<int64_t>(sizeof(int32_t));
  ARROW_RETURN_NOT_OK(values_buffer_->Resize(values_size, /*shrink_to_fit=*/false));
  buffers[1] = std::move(values_buffer_);
  if (width_ == kOffsets) {
    ARROW_RETURN_NOT_OK(bytes_buffer_->Resize(bytes_size_, /*shrink_to_fit=*/false));
    // One batch foretells the next, with a little to spare; a single huge value does not.
    bytes_expected_ = std::min<int64_t>(bytes_size_ + bytes_size_ / 8, 8 << 20);
    buffers.push_back(std::move(bytes_buffer_));
  }
  for (const auto& buffer : buffers)
    if (buffer) buffer->ZeroPadding();
  if (type_->id() == arrow::Type::LIST) return FinishList(std::move(buffers));
  return arrow::MakeArray(
      arrow::ArrayData::Make(type_, length_, std::move(buffers), null_count_));
}

/// The bytes are floats, and the offsets count them.
std::shared_ptr<arrow::Array> ColumnBuilder::FinishList(
    std::vector<std::shared_ptr<arrow::Buffer>> buffers) const {
  constexpr int32_t kFloatSize = 4;
  auto* offsets = reinterpret_cast<int32_t*>(buffers[1]->mutable_data());
  for (int64_t i = 0; i <= length_; ++i) offsets[i] /= kFloatSize;
  auto floats = arrow::ArrayData::Make(arrow::float32(), bytes_size_ / kFloatSize,
                                       {nullptr, std::move(buffers[2])}, 0);
  buffers.pop_back();
  return arrow::MakeArray(arrow::ArrayData::Make(type_, length_, std::move(buffers),
                                                 {std::move(floats)}, null_count_));
}

}  // namespace sluice
