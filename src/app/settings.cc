#include <fmt/format.h>

#include <array>
#include <charconv>

#include "app/job.h"
#include "app/quantity.h"
#include "base/nearest.h"

namespace sluice {
namespace {

Result<int64_t> WholeNumber(std::string_view what, std::string_view text, int64_t min,
                            int64_t max) {
  int64_t number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < min ||
      number > max) {
    return Error(ErrorKind::kUsage, "setting.number",
                 fmt::format("{} must be a whole number from {} to {}, found {}", what,
                             min, max, text.empty() ? "nothing" : text));
  }
  return number;
}

Result<int64_t> BoundedSize(std::string_view what, std::string_view text, int64_t min,
                            int64_t max) {
  ARROW_ASSIGN_OR_RAISE(const int64_t size, ParseSize(text));
  if (size < min || size > max) {
    return Error(ErrorKind::kUsage, "setting.size",
                 fmt::format("{} must be from {} to {}, found {}", what, FormatSize(min),
                             FormatSize(max), text));
  }
  return size;
}

template <typename T>
struct Word {
  std::string_view word;
  T value;
};

template <typename T, size_t N>
Result<T> OneOf(std::string_view what, std::string_view text,
                const std::array<Word<T>, N>& words) {
  std::vector<std::string> names;
  std::string list;
  for (const auto& [word, value] : words) {
    if (word == text) return value;
    names.emplace_back(word);
    list += fmt::format("{}{}", list.empty() ? "" : " or ", word);
  }
  return Error(
      ErrorKind::kUsage, "setting.word",
      fmt::format("{} must be {}, found {}", what, list, text.empty() ? "nothing" : text),
      DidYouMean(text, names));
}

template <typename T>
void Take(const std::optional<T>& flag, std::optional<T>* setting) {
  if (flag) *setting = flag;
}

}  // namespace

Settings Merge(const Settings& file, const Settings& flags) {
  Settings merged = file;
  Take(flags.memory, &merged.memory);
  Take(flags.connections, &merged.connections);
  Take(flags.file_size, &merged.file_size);
  Take(flags.verify, &merged.verify);
  Take(flags.consistency, &merged.consistency);
  Take(flags.on_type_mismatch, &merged.on_type_mismatch);
  if (flags.compression) {  // A level belongs to its codec.
    merged.compression = flags.compression;
    merged.compression_level = flags.compression_level;
  }
  return merged;
}

Result<int64_t> MemoryFrom(std::string_view text) {
  return BoundedSize("memory", text, kMemoryMin, kMemoryMax);
}

Result<int> ConnectionsFrom(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const int64_t number,
                        WholeNumber("connections", text, 1, kConnectionsMax));
  return static_cast<int>(number);
}

Result<int64_t> FileSizeFrom(std::string_view text) {
  return BoundedSize("file_size", text, kFileSizeMin, kFileSizeMax);
}

Result<VerifyDepth> VerifyDepthFrom(std::string_view text) {
  return OneOf<VerifyDepth, 2>(
      "verify", text,
      {{{"counts", VerifyDepth::kCounts}, {"content", VerifyDepth::kContent}}});
}

Result<Consistency> ConsistencyFrom(std::string_view text) {
  return OneOf<Consistency, 3>("consistency", text,
                               {{{"snapshot", Consistency::kSnapshot},
                                 {"per-chunk", Consistency::kPerChunk},
                                 {"snapshot-strict", Consistency::kSnapshotStrict}}});
}

Result<OnTypeMismatch> MismatchPolicyFrom(std::string_view text) {
  return OneOf<OnTypeMismatch, 3>("on_type_mismatch", text,
                                  {{{"error", OnTypeMismatch::kError},
                                    {"null", OnTypeMismatch::kNull},
                                    {"string", OnTypeMismatch::kString}}});
}

Status SetCompression(std::string_view text, Settings* settings) {
  const size_t colon = text.find(':');
  const std::string_view codec = text.substr(0, colon);
  constexpr std::array<Word<int>, 3> kCodecs = {
      {{"zstd", 1}, {"snappy", 0}, {"none", 0}}};
  ARROW_ASSIGN_OR_RAISE(int level, OneOf("compression", codec, kCodecs));
  if (colon != std::string_view::npos) {
    if (codec != "zstd") {
      return Error(ErrorKind::kUsage, "setting.compression",
                   fmt::format("{} has no levels, found {}", codec, text));
    }
    ARROW_ASSIGN_OR_RAISE(
        const int64_t number,
        WholeNumber("the level of zstd", text.substr(colon + 1), 1, 22));
    level = static_cast<int>(number);
  }
  settings->compression = std::string(codec);
  settings->compression_level = level;
  return Status::OK();
}

Status CheckJobName(std::string_view name) {
  std::string_view wrong;
  if (name.empty()) wrong = "it is empty";
  if (name.size() > 120) wrong = "it is longer than 120 bytes";
  if (name.starts_with('.')) wrong = "it begins with a dot";
  for (const char c : name) {
    if (c == '/' || c == '\\') wrong = "it holds a slash";
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      wrong = "it holds a control character";
  }
  // What shows a name as another: zero width, and the direction of writing (Unicode TR 36).
  for (const std::string_view prefix : {"\xE2\x80", "\xE2\x81", "\xEF\xBB"}) {
    for (size_t at = name.find(prefix);
         at != std::string_view::npos && at + 2 < name.size();
         at = name.find(prefix, at + 1)) {
      const auto last = static_cast<unsigned char>(name[at + 2]);
      const bool hidden = prefix == "\xE2\x80" ? (last >= 0x8B && last <= 0x8F) ||
                                                     (last >= 0xAA && last <= 0xAE)
                          : prefix == "\xE2\x81" ? last >= 0xA6 && last <= 0xA9
                                                 : last == 0xBF;
      if (hidden) wrong = "it holds an invisible character";
    }
  }
  if (wrong.empty()) return Status::OK();
  std::string shown;
  for (const char c : name.substr(0, 120))
    shown.push_back(static_cast<unsigned char>(c) < 0x20 ? '?' : c);
  return Error(ErrorKind::kUsage, "job.name",
               fmt::format("not usable as a job's name, {}: {}", wrong, shown));
}

}  // namespace sluice
