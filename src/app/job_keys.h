/// \file
/// Every key of a job file, once: where it stands, what it holds, whether this version
/// knows it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum class KeyShape {
  kNumber,    ///< a whole number
  kText,      ///< a word or a sentence
  kSize,      ///< "128MiB"
  kTextList,  ///< [a, b]
  kSection,   ///< a map with keys of its own
  kLater,     ///< documented, not in this version
};

struct JobKey {
  std::string_view section;  ///< "" (top), "streams.*" or "limits"
  std::string_view name;
  KeyShape shape;
  std::string_view help;
};

std::span<const JobKey> JobKeys();
/// nullptr when the section has no such key.
const JobKey* FindJobKey(std::string_view section, std::string_view name);
/// The names of a section, those for later versions too; for "did you mean".
std::vector<std::string> JobKeyNames(std::string_view section);
/// The section in which `name` is known, other than `section`; "-" when there is none.
std::string_view OtherSectionOf(std::string_view section, std::string_view name);

}  // namespace sluice
