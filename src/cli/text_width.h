/// \file
/// How many columns of a terminal UTF-8 text takes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::cli {

/// Two for a wide character (East Asian, emoji), none for one that combines with what
/// stands before it. Controls are shown as "?", so they count one.
size_t DisplayWidth(std::string_view text);
/// The beginning of `text` that fits `columns`, with "..." where something was cut.
std::string CutToWidth(std::string_view text, size_t columns);

/// `text` from column `indent` on, broken at spaces before column 90.
std::string Wrapped(std::string_view text, size_t indent);

}  // namespace sluice::cli
