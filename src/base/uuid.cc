#include "base/uuid.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>

namespace sluice {
namespace {

template <size_t kSize>
std::array<uint8_t, kSize> RandomBytes() {
  std::array<uint8_t, kSize> bytes{};
  size_t done = 0;
  while (done < kSize) {
    const ssize_t got = getrandom(bytes.data() + done, kSize - done, 0);
    if (got > 0) {
      done += static_cast<size_t>(got);
      continue;
    }
    // Without randomness two attempts could share a name: nothing may be written at all.
    if (errno != EINTR) std::abort();
  }
  return bytes;
}

constexpr char kHex[] = "0123456789abcdef";

bool IsLowerHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

std::string NewUuidV7(int64_t now_micros) {
  auto bytes = RandomBytes<16>();
  now_micros = std::max<int64_t>(now_micros, 0);
  const uint64_t millis = static_cast<uint64_t>(now_micros) / 1000;
  // RFC 9562 section 6.2, method 3: the fraction of the millisecond leads the random
  // bits.
  const uint64_t fraction = static_cast<uint64_t>(now_micros) % 1000 * 4096 / 1000;
  for (size_t i = 0; i < 6; ++i) bytes[i] = static_cast<uint8_t>(millis >> (40 - 8 * i));
  bytes[6] = static_cast<uint8_t>(0x70 | (fraction >> 8));
  bytes[7] = static_cast<uint8_t>(fraction);
  bytes[8] = static_cast<uint8_t>(0x80 | (bytes[8] & 0x3F));
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHex[bytes[i] >> 4];
    text += kHex[bytes[i] & 0xF];
  }
  return text;
}

std::string NewNonce() {
  std::string text;
  for (const uint8_t byte : RandomBytes<8>()) {
    text += kHex[byte >> 4];
    text += kHex[byte & 0xF];
  }
  return text;
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : !IsLowerHex(text[i])) return false;
  }
  return true;
}

std::optional<int64_t> MicrosOfUuidV7(std::string_view text) {
  if (!IsUuid(text) || text[14] != '7') return std::nullopt;
  const std::string digits = std::string(text.substr(0, 8)).append(text.substr(9, 4));
  int64_t millis = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), millis, 16);
  return millis * 1000;
}

}  // namespace sluice
