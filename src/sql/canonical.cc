#include "sql/canonical.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <iterator>

namespace sluice {
namespace {

/// `value` with at least `width` digits.
char* WritePadded(char* out, uint64_t value, int width) {
  char digits[20];
  char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  for (int length = static_cast<int>(end - digits); length < width; ++length)
    *out++ = '0';
  std::memcpy(out, digits, static_cast<size_t>(end - digits));
  return out + (end - digits);
}

char* WriteTwo(char* out, int64_t value) {
  *out++ = static_cast<char>('0' + value / 10);
  *out++ = static_cast<char>('0' + value % 10);
  return out;
}

/// `digits` from the last to the first, the last `scale` of the text behind the point.
char* WriteDigits(char* out, const char* digits, int count, int scale) {
  while (count > 0) {
    *out++ = digits[--count];
    if (count == scale && scale > 0) *out++ = '.';
  }
  return out;
}

int64_t FloorDiv(int64_t value, int64_t by) {
  int64_t quotient = value / by;
  return quotient - (value % by < 0 ? 1 : 0);
}

}  // namespace

char* WriteInt(char* out, int64_t value) {
  return std::to_chars(out, out + 24, value).ptr;
}

char* WriteUint(char* out, uint64_t value) {
  return std::to_chars(out, out + 24, value).ptr;
}

char* WriteDouble(char* out, double value) {
  auto bits = std::bit_cast<uint64_t>(value);
  for (int shift = 0; shift < 64; shift += 8) *out++ = static_cast<char>(bits >> shift);
  return out;
}

char* WriteDecimal(char* out, const uint8_t* value, int scale) {
  unsigned __int128 rest = 0;
  for (int i = 15; i >= 0; --i) rest = (rest << 8) | value[i];
  if ((value[15] & 0x80) != 0) {
    *out++ = '-';
    rest = -rest;
  }
  char digits[48];
  int count = 0;
  while (rest != 0 || count <= scale) {
    digits[count++] = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  return WriteDigits(out, digits, count, scale);
}

char* WriteWideDecimal(char* out, const uint8_t* value, int scale) {
  // In digits of 2^32, the least first.
  uint32_t rest[8];
  std::memcpy(rest, value, sizeof(rest));
  if ((value[31] & 0x80) != 0) {
    *out++ = '-';
    uint64_t carry = 1;
    for (uint32_t& digit : rest) {
      carry += static_cast<uint32_t>(~digit);
      digit = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
  }
  char digits[96];
  int count = 0;
  const auto is_zero = [&rest] {
    return std::all_of(std::begin(rest), std::end(rest),
                       [](uint32_t d) { return d == 0; });
  };
  while (!is_zero() || count <= scale) {
    uint64_t remainder = 0;
    for (int i = 7; i >= 0; --i) {
      const uint64_t part = (remainder << 32) | rest[i];
      rest[i] = static_cast<uint32_t>(part / 10);
      remainder = part % 10;
    }
    digits[count++] = static_cast<char>('0' + static_cast<int>(remainder));
  }
  return WriteDigits(out, digits, count, scale);
}

char* WriteTimeOfDay(char* out, int64_t micros) {
  const int64_t seconds = micros / 1'000'000;
  out = WriteTwo(out, seconds / 3600);
  *out++ = ':';
  out = WriteTwo(out, seconds / 60 % 60);
  *out++ = ':';
  out = WriteTwo(out, seconds % 60);
  *out++ = '.';
  return WritePadded(out, static_cast<uint64_t>(micros % 1'000'000), 6);
}

char* WriteDate(char* out, int64_t days) {
  // Days to civil date in the proleptic Gregorian calendar; eras of 400 years that begin
  // in March.
  int64_t shifted = days + 719'468;
  int64_t era = FloorDiv(shifted, 146'097);
  int64_t day_of_era = shifted - era * 146'097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t march_month = (5 * day_of_year + 2) / 153;
  int64_t day = day_of_year - (153 * march_month + 2) / 5 + 1;
  int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
  int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  if (year < 0) {
    *out++ = '-';
    year = -year;
  }
  if (year < 10'000) {
    out = WriteTwo(WriteTwo(out, year / 100), year % 100);
  } else {
    out = WritePadded(out, static_cast<uint64_t>(year), 4);
  }
  *out++ = '-';
  out = WriteTwo(out, month);
  *out++ = '-';
  return WriteTwo(out, day);
}

char* WriteTimestamp(char* out, int64_t ticks, int digits) {
  int64_t per_second = 1;
  for (int i = 0; i < digits; ++i) per_second *= 10;
  int64_t seconds = FloorDiv(ticks, per_second);
  int64_t fraction = ticks - seconds * per_second;
  int64_t days = FloorDiv(seconds, 86'400);
  int64_t of_day = seconds - days * 86'400;
  out = WriteDate(out, days);
  *out++ = ' ';
  out = WriteTwo(out, of_day / 3600);
  *out++ = ':';
  out = WriteTwo(out, of_day / 60 % 60);
  *out++ = ':';
  out = WriteTwo(out, of_day % 60);
  if (digits == 0) return out;
  *out++ = '.';
  return WritePadded(out, static_cast<uint64_t>(fraction), digits);
}

}  // namespace sluice
