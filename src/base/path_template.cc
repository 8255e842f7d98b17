// A load must be found again by the paths of its files alone: gc knows nothing else of a load whose
// slot was never written. Therefore its id is a segment, or ends one behind a '=', and no other
// segment below the table's folder may look like an id.
#include "base/path_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <vector>

#include "base/nearest.h"
#include "base/path_name.h"
#include "base/uuid.h"

namespace sluice {
namespace {

constexpr std::string_view kTableFolder = "{schema}/{table}/";
constexpr std::string_view kLoad = "{load}";
/// Of a file system, and what S3 leaves for the names of files.
constexpr size_t kSegmentBytesMax = 255;
constexpr size_t kFolderBytesMax = 900;
constexpr auto kPlaceholders = std::to_array<std::string_view>(
    {"schema", "table", "stream", "job", "load", "date", "year", "month", "day", "hour"});

Status Refuse(std::string_view path, std::string message, std::string hint) {
  return Error(ErrorKind::kUsage, "path.template",
               fmt::format("path {}: {}", path, message), std::move(hint));
}

std::vector<std::string_view> SegmentsOf(std::string_view path) {
  std::vector<std::string_view> segments;
  for (;;) {
    const size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-_.=+,@!").find(c) != std::string_view::npos;
}

Status CheckPlaceholder(std::string_view path, std::string_view name) {
  if (std::ranges::find(kPlaceholders, name) != kPlaceholders.end()) return Status::OK();
  const std::string meant =
      DidYouMean(std::string(name), {kPlaceholders.begin(), kPlaceholders.end()});
  return Refuse(path, fmt::format("no placeholder {{{}}}", name),
                meant.empty() ? "there are {schema} {table} {stream} {job} {load} {date} "
                                "{year} {month} {day} {hour}"
                              : meant);
}

Status CheckSegment(std::string_view path, std::string_view segment) {
  if (segment.empty())
    return Refuse(path, "wanted a name between two slashes, found nothing",
                  "leave out the slash too many; none stands at the end");
  if (segment[0] == '.' || segment[0] == '_')
    return Refuse(path,
                  fmt::format("a folder that begins with {}: {}", segment[0], segment),
                  "readers of Parquet pass over such folders: begin with a letter");
  for (size_t at = 0; at < segment.size(); ++at) {
    if (IsPlain(segment[at])) continue;
    const size_t end = segment.find('}', at);
    if (segment[at] != '{' || end == std::string_view::npos)
      return Refuse(path, fmt::format("found {} in {}", segment.substr(at, 1), segment),
                    "letters, digits, - _ . = + , @ ! and placeholders may stand there");
    ARROW_RETURN_NOT_OK(CheckPlaceholder(path, segment.substr(at + 1, end - at - 1)));
    at = end;
  }
  return Status::OK();
}

Result<std::string> ValueOf(std::string_view name, const PathNames& names) {
  if (name == "schema") return EncodePathSegment(names.table.schema);
  if (name == "table") return EncodePathSegment(names.table.table);
  if (name == "stream") return EncodePathSegment(names.stream);
  if (name == "job") return EncodePathSegment(names.job);
  if (name == "load") return EncodePathSegment(names.load);
  using std::chrono::sys_time, std::chrono::microseconds, std::chrono::days;
  const auto micros = MicrosOfUuidV7(names.load);
  if (!micros)
    return Error(
        ErrorKind::kFailed, "path.load",
        fmt::format("wanted a load whose id has its time, found {}", names.load));
  const sys_time<microseconds> moment{microseconds(*micros)};
  const auto midnight = std::chrono::floor<days>(moment);
  const std::chrono::year_month_day date(midnight);
  const auto year = static_cast<int>(date.year());
  const auto month = static_cast<unsigned>(date.month());
  const auto day = static_cast<unsigned>(date.day());
  if (name == "year") return fmt::format("{:04}", year);
  if (name == "month") return fmt::format("{:02}", month);
  if (name == "day") return fmt::format("{:02}", day);
  if (name == "date") return fmt::format("{:04}-{:02}-{:02}", year, month, day);
  const auto hour = std::chrono::duration_cast<std::chrono::hours>(moment - midnight);
  return fmt::format("{:02}", hour.count());
}

Result<std::string> ExpandSegment(std::string_view segment, const PathNames& names) {
  std::string text;
  for (size_t at = 0; at < segment.size(); ++at) {
    if (segment[at] != '{') {
      text += segment[at];
      continue;
    }
    const size_t end = segment.find('}', at);
    ARROW_ASSIGN_OR_RAISE(const std::string value,
                          ValueOf(segment.substr(at + 1, end - at - 1), names));
    text += value;
    at = end;
  }
  return text;
}

/// Below the table's folder exactly one segment stands for a load, and it is this one.
Status CheckExpanded(std::string_view path, const std::string& folder,
                     std::string_view load) {
  size_t loads = 0;
  for (const std::string_view segment : SegmentsOf(folder)) {
    if (segment.size() > kSegmentBytesMax)
      return Refuse(path, fmt::format("a folder's name of {} bytes", segment.size()),
                    fmt::format("at most {} fit", kSegmentBytesMax));
  }
  const auto segments = SegmentsOf(folder);
  for (size_t i = 2; i < segments.size(); ++i) {
    if (segments[i].ends_with(load) || !LoadOfSegment(segments[i]).empty()) ++loads;
  }
  if (loads != 1)
    return Refuse(path, "a name in it looks like the id of a load: " + folder,
                  "leave out the placeholder of that name");
  if (folder.size() <= kFolderBytesMax) return Status::OK();
  return Refuse(path, fmt::format("a folder of {} bytes", folder.size()),
                fmt::format("at most {} fit", kFolderBytesMax));
}

}  // namespace

std::string_view LoadOfSegment(std::string_view segment) {
  const size_t equals = segment.rfind('=');
  if (equals != std::string_view::npos) segment.remove_prefix(equals + 1);
  return IsUuid(segment) ? segment : std::string_view();
}

Status CheckPathTemplate(std::string_view path) {
  if (!path.starts_with(kTableFolder))
    return Refuse(
        path, fmt::format("wanted {} at its beginning", kTableFolder),
        "the manifests of a table lie below that folder, and so must its files; "
        "for example {schema}/{table}/dt={date}/{load}");
  int loads = 0;
  for (const std::string_view segment : SegmentsOf(path)) {
    ARROW_RETURN_NOT_OK(CheckSegment(path, segment));
    const size_t at = segment.find(kLoad);
    if (at == std::string_view::npos) continue;
    ++loads;
    const bool alone =
        at + kLoad.size() == segment.size() && (at == 0 || segment[at - 1] == '=');
    if (!alone)
      return Refuse(path,
                    fmt::format("wanted {{load}} as a whole folder, found {}", segment),
                    "write {load}, or load={load}, between slashes");
  }
  if (loads == 1) return Status::OK();
  return Refuse(path, fmt::format("wanted {{load}} once, found it {} times", loads),
                "each load has a folder of its own; for example "
                "{schema}/{table}/dt={date}/{load}");
}

Result<std::string> ExpandPath(std::string_view path, const PathNames& names) {
  ARROW_RETURN_NOT_OK(CheckPathTemplate(path));
  std::string folder;
  for (const std::string_view segment : SegmentsOf(path)) {
    ARROW_ASSIGN_OR_RAISE(const std::string text, ExpandSegment(segment, names));
    folder += (folder.empty() ? "" : "/") + text;
  }
  ARROW_RETURN_NOT_OK(CheckExpanded(path, folder, names.load));
  return folder;
}

}  // namespace sluice
