/// \file
/// YAML 1.2 (and so JSON) as a tree whose nodes know their place, bounded against hostile
/// input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/text_file.h"
#include "sluice/error.h"

namespace sluice {

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  Place place;
  std::string text;                ///< of a scalar
  bool quoted = false;             ///< a scalar in quotes or a block
  std::vector<YamlNode> items;     ///< of a list
  std::vector<YamlEntry> entries;  ///< of a map, in order; keys are scalars, each once
};

struct YamlEntry {
  YamlNode key, value;
};

inline constexpr int64_t kYamlBytesMax = 4 << 20;
inline constexpr int64_t kYamlNodesMax =
    500'000;  ///< aliases count with all they stand for
inline constexpr int kYamlDepthMax = 32;

/// kUsage "job.syntax" about a file of that many bytes.
Status YamlTooLarge(const std::string& name, int64_t size);
/// kUsage "job.no-such-file", "job.unreadable", "job.syntax" where it is too large.
Result<TextFile> ReadYamlFile(const std::string& path);
/// One document. kUsage "job.syntax" at its place: not UTF-8, a NUL, not YAML, a key given
/// twice, a key that is no word, several documents, beyond one of the bounds.
Result<YamlNode> ParseYaml(const TextFile& file);

/// A word as it is written in YAML: itself, or in quotes where it would be taken for something else.
std::string YamlText(std::string_view text);

}  // namespace sluice
