/// \file
/// Values of a server into Arrow columns, and the texts that values are written as. No I/O.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arrow/type_fwd.h"
#include "sluice/error.h"

namespace sluice {

/// "2024-02-29" as days since 1970-01-01. Nothing unless it is a real date of the years 1 to 9999.
std::optional<int32_t> ParseDate(std::string_view text);

/// "2024-02-29 12:00:00" or with 'T', and up to 6 digits of fraction, as microseconds since
/// 1970-01-01. Nothing for anything else: no zone, no leap second, no time without seconds.
std::optional<int64_t> ParseTimestamp(std::string_view text);

/// Days since 1970-01-01. Nothing unless it is a real date of the years 1 to 9999.
std::optional<int32_t> DaysOfDate(int year, int month, int day);

/// Well-formed UTF-8 (RFC 3629): no surrogates, no overlong forms.
bool IsUtf8(std::string_view bytes);

/// `bytes` with U+FFFD in the place of each maximal part of a sequence that is not well-formed, as
/// Unicode 15 advises (chapter 3, "U+FFFD Substitution of Maximal Subparts").
std::string WithReplacements(std::string_view bytes);

/// Room for FormatReal and FormatInt.
inline constexpr int kNumberRoom = 32;
/// The shortest decimal that reads back as the same double, always with a point: "17.0", "0.1",
/// "1.0e+20"; "Inf", "-Inf", "NaN". Returns the end.
char* FormatReal(char* out, double value);
char* FormatInt(char* out, int64_t value);

/// FormatReal, remembered for values that return: prices and rates are few and repeat.
class RealTexts {
 public:
  /// Valid until the next call.
  std::string_view Of(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    Entry& entry = entries_[(bits * 0x9E3779B97F4A7C15u) >> (64 - kIndexBits)];
    if (entry.size == 0 || entry.bits != bits) Fill(entry, value, bits);
    return {entry.text, entry.size};
  }

 private:
  static constexpr int kIndexBits = 8;
  struct Entry {
    uint64_t bits = 0;
    uint8_t size = 0;
    char text[kNumberRoom];
  };
  static void Fill(Entry& entry, double value, uint64_t bits);
  std::vector<Entry> entries_ = std::vector<Entry>(1 << kIndexBits);
};

/// What the cells of a row count for besides the bytes of their texts and blobs.
constexpr int64_t BytesOfCells(size_t columns) {
  return static_cast<int64_t>(columns) * 8;
}

/// One column of one batch, as Arrow lays it out. Reserve, append at most that many values, Finish;
/// and again. Appending does not check the room for rows: that is the caller's loop. A string or a
/// binary column may run out of memory: then Append returns false and status() says so.
class ColumnBuilder {
 public:
  /// bool, int8 to int64, uint8 to uint64, date32, time64[us], timestamp[us], float32, float64,
  /// decimal128, decimal256, fixed_size_binary(16), string, binary, or list<float32>, whose values are
  /// appended as the bytes of their floats, little-endian.
  ColumnBuilder(std::shared_ptr<arrow::DataType> type, arrow::MemoryPool* pool);
  ~ColumnBuilder();
  ColumnBuilder(ColumnBuilder&&) noexcept;
  ColumnBuilder& operator=(ColumnBuilder&&) = delete;

  Status Reserve(int64_t rows);

  void AppendNull() {
    validity_[length_ >> 3] &= static_cast<uint8_t>(~(1u << (length_ & 7)));
    ++null_count_;
    switch (width_) {
      case kBits: return AppendBool(false);
      case kOffsets:
        reinterpret_cast<int32_t*>(values_)[++length_] =
            static_cast<int32_t>(bytes_size_);
        return;
      case 1: return AppendInt8(0);
      case 2: return AppendInt16(0);
      case 4: return AppendInt32(0);
      case 16: return AppendDecimal(0);
      case 32: return AppendWideDecimal(kZeros);
      default: return AppendInt64(0);
    }
  }
  void AppendBool(bool value) {
    if (value) values_[length_ >> 3] |= static_cast<uint8_t>(1u << (length_ & 7));
    ++length_;
  }
  void AppendInt8(int8_t value) { reinterpret_cast<int8_t*>(values_)[length_++] = value; }
  void AppendInt16(int16_t value) {
    reinterpret_cast<int16_t*>(values_)[length_++] = value;
  }
  void AppendInt32(int32_t value) {
    reinterpret_cast<int32_t*>(values_)[length_++] = value;
  }
  void AppendInt64(int64_t value) {
    reinterpret_cast<int64_t*>(values_)[length_++] = value;
  }
  void AppendDouble(double value) {
    reinterpret_cast<double*>(values_)[length_++] = value;
  }
  void AppendFloat(float value) { reinterpret_cast<float*>(values_)[length_++] = value; }
  /// Of a decimal128: the unscaled value.
  void AppendDecimal(__int128 value) {
    std::memcpy(values_ + length_++ * 16, &value, 16);
  }
  /// Of a decimal256: the unscaled value, little-endian.
  void AppendWideDecimal(const uint8_t* value) {
    std::memcpy(values_ + length_++ * 32, value, 32);
  }
  /// Of a fixed_size_binary(16).
  void AppendSixteen(const uint8_t* value) {
    std::memcpy(values_ + length_++ * 16, value, 16);
  }
  [[nodiscard]] bool AppendBytes(std::string_view value) {
    const auto size = static_cast<int64_t>(value.size());
    if (size > bytes_capacity_ - bytes_size_) [[unlikely]] {
      if (!GrowBytes(size)) return false;
    }
    if (size > 0) std::memcpy(bytes_ + bytes_size_, value.data(), value.size());
    bytes_size_ += size;
    reinterpret_cast<int32_t*>(values_)[++length_] = static_cast<int32_t>(bytes_size_);
    return true;
  }

  int64_t length() const { return length_; }
  const Status& status() const { return status_; }
  Result<std::shared_ptr<arrow::Array>> Finish();

 private:
  static constexpr int kBits = -1;    ///< values are a bitmap
  static constexpr int kOffsets = 0;  ///< values are offsets into bytes
  static constexpr uint8_t kZeros[32] = {};
  bool GrowBytes(int64_t size);
  std::shared_ptr<arrow::Array> FinishList(
      std::vector<std::shared_ptr<arrow::Buffer>> buffers) const;

  std::shared_ptr<arrow::DataType> type_;
  arrow::MemoryPool* pool_;
  int width_;  ///< bytes of a value, or one of the two above
  std::unique_ptr<arrow::ResizableBuffer> validity_buffer_, values_buffer_, bytes_buffer_;
  uint8_t* validity_ = nullptr;
  uint8_t* values_ = nullptr;
  uint8_t* bytes_ = nullptr;
  int64_t length_ = 0, null_count_ = 0;
  int64_t bytes_size_ = 0, bytes_capacity_ = 0;
  int64_t bytes_expected_ = 0;  ///< what the last batch needed
  Status status_;
};

}  // namespace sluice
