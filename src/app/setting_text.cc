#include <fmt/format.h>

#include <algorithm>

#include "app/settings.h"
#include "base/nearest.h"

namespace sluice {
namespace {

Status WrongPath(std::string_view why, std::string_view text, std::string hint = {}) {
  return Error(ErrorKind::kUsage, "setting.path",
               fmt::format("not usable as a path, {}: {}", why, text), std::move(hint));
}

/// The rules of names in destinations: no folder above, none that readers take for hidden.
Status CheckSegment(std::string_view segment, std::string_view text) {
  if (segment.empty()) return WrongPath("it has an empty part", text);
  if (segment == "." || segment == "..") return WrongPath("it leaves its folder", text);
  if (segment.front() == '_' || segment.front() == '.') {
    return WrongPath("a part begins with _ or .", text,
                     "Hive, Spark and Athena take such folders for hidden");
  }
  return Status::OK();
}

Status CheckPlaceholders(std::string_view text) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '}') return WrongPath("it has a } without a {", text);
    if (text[at] != '{') continue;
    const size_t close = text.find_first_of("{}", at + 1);
    if (close == std::string_view::npos || text[close] == '{')
      return WrongPath("it has a { without a }", text);
    const std::string name(text.substr(at + 1, close - at - 1));
    if (std::ranges::count(PathPlaceholders(), name) == 0) {
      const std::string meant = Nearest(name, PathPlaceholders());
      return WrongPath(
          fmt::format("there is no {{{}}}", name), text,
          meant.empty()
              ? fmt::format("there are {{{}}}", fmt::join(PathPlaceholders(), "} {"))
              : fmt::format("did you mean {{{}}}? there are {{{}}}", meant,
                            fmt::join(PathPlaceholders(), "} {")));
    }
    at = close;
  }
  return Status::OK();
}

}  // namespace

const std::vector<std::string>& PathPlaceholders() {
  static const std::vector<std::string> names = {
      "schema", "table", "stream", "job", "load", "year", "month", "day", "hour", "date"};
  return names;
}

Status CheckPathTemplate(std::string_view text) {
  constexpr std::string_view kHead = "{schema}/{table}/";
  if (text.size() > 1000) return WrongPath("it is longer than 1000 bytes", "");
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\')
      return WrongPath("it holds a control character or a backslash", "");
  }
  ARROW_RETURN_NOT_OK(CheckPlaceholders(text));
  if (!text.starts_with(kHead)) {
    return WrongPath(fmt::format("it does not begin with {}", kHead), text,
                     fmt::format("a load's slot lies there: {}…/{{load}}", kHead));
  }
  if (text.find("{load}") == std::string_view::npos) {
    return WrongPath("it does not hold {load}", text,
                     "two loads would share a folder: end it with /{load}");
  }
  for (size_t begin = 0; begin <= text.size();) {
    const size_t slash = std::min(text.find('/', begin), text.size());
    ARROW_RETURN_NOT_OK(CheckSegment(text.substr(begin, slash - begin), text));
    begin = slash + 1;
  }
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
