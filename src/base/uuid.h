/// \file
/// Identifiers: loads and runs sort by time (UUIDv7, RFC 9562); attempts and nonces are random.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// Lower-case, with hyphens. Random from the kernel.
std::string NewUuidV7(int64_t now_micros);
/// 16 lower-case hex digits.
std::string NewNonce();
bool IsUuid(std::string_view text);
/// When it was made, microseconds since 1970; nothing for what is no UUIDv7.
std::optional<int64_t> MicrosOfUuidV7(std::string_view text);

}  // namespace sluice
