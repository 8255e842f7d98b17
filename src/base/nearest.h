/// \file
/// The word somebody most likely meant: for unknown keys, flags, verbs, tables, columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The candidate nearest to `word` by insertions, deletions, replacements and swaps of
/// neighbours, case ignored; "" when none is near enough to be worth naming (a third of
/// the word's length, at least one). Ties: the first candidate.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "did you mean orders?" or "".
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sluice
