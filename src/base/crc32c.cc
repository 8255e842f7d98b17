#include "base/crc32c.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace sluice {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // Castagnoli, bits reversed
constexpr size_t kSlices = 8;
using Tables = std::array<std::array<uint32_t, 256>, kSlices>;

constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t slice = 1; slice < kSlices; ++slice) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}
constexpr Tables kTables = MakeTables();

uint64_t LoadLittleEndian(const char* data) {
  uint64_t word = 0;
  std::memcpy(&word, data, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t ExtendBySse42(uint32_t crc,
                                                         std::string_view bytes) {
  const char* data = bytes.data();
  size_t left = bytes.size();
  uint64_t sum = ~crc;
  for (; left >= 8; data += 8, left -= 8)
    sum = _mm_crc32_u64(sum, LoadLittleEndian(data));
  auto narrow = static_cast<uint32_t>(sum);
  for (; left > 0; ++data, --left) {
    narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(*data));
  }
  return ~narrow;
}
#endif

}  // namespace

uint32_t ExtendCrc32cPortable(uint32_t crc, std::string_view bytes) {
  const char* data = bytes.data();
  size_t left = bytes.size();
  uint32_t sum = ~crc;
  for (; left >= kSlices; data += kSlices, left -= kSlices) {
    const uint64_t word = LoadLittleEndian(data) ^ sum;
    sum = 0;
    for (size_t i = 0; i < kSlices; ++i) {
      sum ^= kTables[kSlices - 1 - i][(word >> (8 * i)) & 0xFF];
    }
  }
  for (; left > 0; ++data, --left) {
    sum = (sum >> 8) ^ kTables[0][(sum ^ static_cast<unsigned char>(*data)) & 0xFF];
  }
  return ~sum;
}

uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  if (has_instruction) return ExtendBySse42(crc, bytes);
#endif
  return ExtendCrc32cPortable(crc, bytes);
}

}  // namespace sluice
