/// \file
/// Every key of a job file, once: where it stands, what it holds, whether this version knows it. The
/// parser, the schema for editors and the reference are made from this table.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum JobSection : unsigned {
  kAtTop = 1,
  kInDefaults = 2,
  kInStream = 4,
  kInLimits = 8,
};
inline constexpr unsigned kOfStreams = kInDefaults | kInStream;

enum class KeyShape {
  kVersion,   ///< 1
  kText,      ///< a word or a sentence
  kNumber,    ///< a whole number
  kSize,      ///< "128MiB"
  kRate,      ///< "50MiB/s"
  kWord,      ///< one of `words`
  kTextList,  ///< [a, b]
  kTrue,      ///< true, the only value
  kStreams,   ///< a map of streams
  kSection,   ///< a map with keys of its own
  kSecrets,   ///< a map of references
  kPolicies,  ///< a map from types or columns to their policies
  kLater,     ///< not in this version; `help` says what to do instead
};

struct JobKey {
  unsigned sections;  ///< JobSections
  std::string_view name;
  KeyShape shape;
  std::string_view help;
  std::string_view fallback = "";  ///< what holds without it, as it is written
  std::string_view words = "";     ///< of kWord, separated by spaces
  int min = 0, max = 0;            ///< of kNumber
};

/// With the policies of base/type_policy.h; in the order of the documentation.
std::span<const JobKey> JobKeys();
/// nullptr when the section has no such key.
const JobKey* FindJobKey(JobSection section, std::string_view name);
/// The names of a section, those for later versions too; for "did you mean".
std::vector<std::string> JobKeyNames(JobSection section);
/// Where else `name` is known, in words ("under limits"); "" when nowhere.
std::string OtherPlaceOf(JobSection section, std::string_view name);

/// The secrets a job may name, "source.password".
inline constexpr std::string_view kSourcePassword = "source.password";

}  // namespace sluice
