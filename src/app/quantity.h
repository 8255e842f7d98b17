/// \file
/// Sizes, durations and counts as people write and read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/error.h"

namespace sluice {

/// Bytes: "134217728", "128MiB", "128 MiB", "100MB" (10^6); units B kB MB GB TB KiB MiB
/// GiB TiB, case ignored. kUsage "quantity.size": anything else, zero, a unit that means
/// two things ("128M").
Result<int64_t> ParseSize(std::string_view text);
/// Milliseconds: "90s", "15m", "12h", "7d", "2w"; "0" alone needs no unit. kUsage
/// "quantity.duration".
Result<int64_t> ParseDurationMillis(std::string_view text);

/// Bytes a second: a size and "/s", "50MiB/s". kUsage "quantity.rate".
Result<int64_t> ParseRate(std::string_view text);

std::string FormatSize(int64_t bytes);      ///< "7.1 MiB"
std::string FormatCount(int64_t count);     ///< "336,776"
std::string FormatSeconds(double seconds);  ///< "0.4 s", "12 s", "3 m 07 s", "2 h 05 m"
std::string FormatAge(int64_t millis);   ///< "just now", "12 minutes ago", "3 days ago"
std::string FormatTime(int64_t millis);  ///< since 1970 in UTC: "2024-05-01 12:00:00Z"
/// "1 file", "2 files".
std::string Counted(int64_t count, std::string_view one);

}  // namespace sluice
