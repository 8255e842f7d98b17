/// \file
/// A text somebody wrote, and errors that point into it: "file:line:column: message", the line
/// itself and a caret below the place.
#pragma once

#include <string>
#include <string_view>

#include "sluice/error.h"

namespace sluice {

/// Counted from 1, columns in bytes; 0: nowhere.
struct Place {
  int line = 0, column = 0;
};

struct TextFile {
  std::string name;  ///< as the user gave it
  std::string text;
  bool names_job = true;  ///< false of a pipe, whose name says nothing
};

/// How much of the line an error shows.
enum class Showing {
  kLine,
  kUpToPlace,  ///< what stands at the place and behind it is a secret
};

/// kUsage `id` at a place of `file`. Of the line only keys and harmless values are shown
/// (app/masked_line.h), of one below the key `secrets` no value; a long line is cut around the place. The column that is named
/// counts characters. Without a place, the file's name alone stands before the message.
Status ErrorAt(const TextFile& file, Place place, std::string_view id,
               std::string_view message, std::string hint = {},
               Showing showing = Showing::kLine);

/// The line of a place, without its end; "" where there is none.
std::string_view LineAt(std::string_view text, int line);

}  // namespace sluice
