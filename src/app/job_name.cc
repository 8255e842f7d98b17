#include <fmt/format.h>

#include "app/settings.h"

namespace sluice {

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
