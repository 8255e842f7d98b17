/// \file
/// A line of a job file as an error may show it: what can hold a secret is hidden, whatever stands
/// around it.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// A line as it may be shown, and what of it a caret points at, in bytes.
struct MaskedLine {
  std::string line;
  size_t at = 0, length = 1;
};

/// Keys stay, and the values of those known to be harmless. URIs stand without password and options;
/// from any other value on the rest of the line is "***". `text` is the whole file, for a line that does
/// not begin with its key; what follows far behind `at` is left out.
MaskedLine MaskLine(std::string_view text, std::string_view line, size_t at);

/// The length of the word, or of the text in quotes, that begins `rest`; at least 1.
size_t WordLength(std::string_view rest);

}  // namespace sluice
