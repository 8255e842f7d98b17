/// \file
/// SHA-256 (FIPS 180-4), for fingerprints: is this definition the one it was?
#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// 64 lower-case hex digits.
std::string Sha256Hex(std::string_view bytes);

}  // namespace sluice
