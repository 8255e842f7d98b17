/// \file
/// Text of others, safe to show on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice {

/// The length in bytes of the character of UTF-8 that begins `text`, which is not empty; 0: none does.
size_t CharacterLength(std::string_view text);

/// Control characters and what is not UTF-8 become "?".
std::string Printable(std::string_view text);

}  // namespace sluice
