#include "destination/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/path_name.h"
#include "base/path_template.h"

namespace sluice {
namespace {

constexpr std::string_view kControl = "_sluice";
constexpr std::string_view kStaging = "staging";
constexpr std::string_view kPartSuffix = ".parquet";
constexpr std::string_view kSlotSuffix = ".json";
constexpr std::string_view kDroppedSuffix = ".dropped.json";

std::vector<std::string_view> SegmentsOf(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    path = slash == std::string_view::npos ? "" : path.substr(slash + 1);
  }
  return segments;
}

/// Takes at least `digits_min` digits off the front.
bool TakeDigits(std::string_view* text, size_t digits_min) {
  const size_t count = std::min(text->find_first_not_of("0123456789"), text->size());
  text->remove_prefix(count);
  return count >= digits_min;
}

/// Exactly what Part makes. Other programs have their part-0.parquet too, and gc must never take
/// theirs for ours.
bool IsPartName(std::string_view name) {
  if (!name.starts_with("part-") || !name.ends_with(kPartSuffix)) return false;
  name.remove_prefix(std::string_view("part-").size());
  name.remove_suffix(kPartSuffix.size());
  if (!TakeDigits(&name, 6) || !name.starts_with('-')) return false;
  name.remove_prefix(1);
  if (!TakeDigits(&name, 3)) return false;
  return name.empty() || (name.starts_with('.') && name.size() > 1 &&
                          name.find('.', 1) == std::string_view::npos);
}

/// Of a part, below its table's folder: the one segment that stands for a load, which a template's
/// folder has exactly once. The default folder is the load's name alone, whatever it is.
std::string LoadOfFolders(const std::vector<std::string_view>& segments) {
  if (segments.size() == 4 && LoadOfSegment(segments[2]).empty())
    return std::string(segments[2]);
  std::string_view found;
  for (size_t i = 2; i + 1 < segments.size(); ++i) {
    const std::string_view load = LoadOfSegment(segments[i]);
    if (load.empty()) continue;
    if (!found.empty()) return {};
    found = load;
  }
  return std::string(found);
}

}  // namespace

LoadLayout::LoadLayout(const TableName& table, std::string_view load) {
  auto segment = EncodePathSegment(load);
  auto root = TableFolder(table);
  folder_ = fmt::format("{}/{}", root, segment);
  staging_ = fmt::format("{}/{}/{}/{}", root, kControl, kStaging, segment);
  control_ = fmt::format("{}/{}/{}", root, kControl, segment);
}

Result<LoadLayout> LoadLayout::Of(const LoadSpec& spec) {
  LoadLayout layout(spec.relation.name, spec.load);
  if (spec.path.empty()) return layout;
  ARROW_ASSIGN_OR_RAISE(layout.folder_,
                        ExpandPath(spec.path, {.table = spec.relation.name,
                                               .stream = spec.stream,
                                               .job = spec.job,
                                               .load = spec.load}));
  return layout;
}

std::string LoadLayout::Part(int64_t ordinal, int64_t n, std::string_view attempt) const {
  return fmt::format("{}/part-{:06}-{:03}{}{}{}", folder_, ordinal, n,
                     attempt.empty() ? "" : ".", attempt, kPartSuffix);
}

std::string LoadLayout::StagingPart(int64_t ordinal, int64_t n,
                                    std::string_view attempt) const {
  return fmt::format("{}/{:06}-{:03}.{}.tmp", staging_, ordinal, n, attempt);
}

bool LoadLayout::IsPart(std::string_view path) const {
  return path.starts_with(folder_) && path.size() > folder_.size() &&
         path[folder_.size()] == '/' && IsPartName(path.substr(folder_.size() + 1)) &&
         path.find('/', folder_.size() + 1) == std::string_view::npos;
}

std::string StagingFolder(const TableName& table) {
  return fmt::format("{}/{}/{}", TableFolder(table), kControl, kStaging);
}

PathMeaning MeaningOf(std::string_view path) {
  PathMeaning meaning;
  auto segments = SegmentsOf(path);
  if (segments.size() < 4) return meaning;
  meaning.table_folder = fmt::format("{}/{}", segments[0], segments[1]);
  if (segments[2] != kControl) {
    if (!IsPartName(segments.back())) return meaning;
    meaning.load = LoadOfFolders(segments);
    if (!meaning.load.empty()) meaning.kind = PathMeaning::Kind::kPart;
    meaning.deep = segments.size() != 4;
    return meaning;
  }
  if (segments[3] == kStaging) {
    meaning.kind = PathMeaning::Kind::kStaged;
    if (segments.size() > 5) meaning.load = segments[4];
    return meaning;
  }
  if (segments.size() != 4) return meaning;
  for (auto [suffix, kind] : {std::pair{kDroppedSuffix, PathMeaning::Kind::kDropped},
                              std::pair{kSlotSuffix, PathMeaning::Kind::kSlot}}) {
    if (!segments[3].ends_with(suffix)) continue;
    meaning.kind = kind;
    meaning.load = segments[3].substr(0, segments[3].size() - suffix.size());
    return meaning;
  }
  return meaning;
}

std::optional<TableName> TableOfFolder(std::string_view folder) {
  auto segments = SegmentsOf(folder);
  if (segments.size() != 2) return std::nullopt;
  auto schema = DecodePathSegment(segments[0]);
  auto table = DecodePathSegment(segments[1]);
  if (!schema.ok() || !table.ok()) return std::nullopt;
  return TableName{*schema, *table};
}

Result<SlotAddress> ParseSlotAddress(std::string_view address) {
  auto malformed = [&] {
    return Error(
        ErrorKind::kUsage, "manifest.address",
        fmt::format("wanted …/{{schema}}/{{table}}/_sluice/{{load}}.json, found {}",
                    address),
        "`sluice status` and the result of a run name the manifest of a load");
  };
  // The last four segments; what is before them is the root.
  size_t cut = address.size();
  for (int i = 0; i < 4; ++i) {
    if (cut == 0) return malformed();
    cut = address.rfind('/', cut - 1);
    if (cut == std::string_view::npos) break;
  }
  std::string_view root = cut == std::string_view::npos ? "" : address.substr(0, cut);
  std::string_view path =
      cut == std::string_view::npos ? address : address.substr(cut + 1);
  auto meaning = MeaningOf(path);
  if (meaning.kind != PathMeaning::Kind::kSlot) return malformed();
  return SlotAddress{std::string(root), meaning.table_folder, meaning.load};
}

}  // namespace sluice
