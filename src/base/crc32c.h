/// \file
/// CRC-32C (Castagnoli, RFC 3720), the checksum of stored bytes.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

/// `crc` is 0 for a new sum, or what an earlier call returned. SSE4.2 where the processor has it.
uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes);
/// The table form, for machines without the instruction and for tests.
uint32_t ExtendCrc32cPortable(uint32_t crc, std::string_view bytes);

}  // namespace sluice
