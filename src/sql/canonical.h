/// \file
/// The canonical bytes of values, as every digest of a row takes them (docs/digest.md).
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice {

/// Strings and bytes longer than this enter a row as '#' and the hex of their own
/// SHA-256.
inline constexpr int64_t kDigestInlineMax = 4096;
/// Room that every function here needs behind `out`.
inline constexpr size_t kCanonicalRoom = 96;

/// Each writes a value's bytes, without their length, and returns the end.
char* WriteInt(char* out, int64_t value);
char* WriteUint(char* out, uint64_t value);
char* WriteDouble(char* out, double value);  ///< 8 little-endian bytes
/// Little-endian 128-bit two's complement; as many digits behind the point as `scale`, 0
/// to 38.
char* WriteDecimal(char* out, const uint8_t* value, int scale);
/// Likewise of 256 bits; `scale` 0 to 76.
char* WriteWideDecimal(char* out, const uint8_t* value, int scale);
/// Microseconds since midnight: HH:MM:SS.ffffff.
char* WriteTimeOfDay(char* out, int64_t micros);
char* WriteDate(char* out, int64_t days);  ///< since 1970-01-01: YYYY-MM-DD
/// `ticks` since 1970-01-01, 10^digits a second: YYYY-MM-DD HH:MM:SS.f… with `digits`
/// digits.
char* WriteTimestamp(char* out, int64_t ticks, int digits);

}  // namespace sluice
