#include "app/job_keys.h"

#include <array>

namespace sluice {
namespace {

using enum KeyShape;

constexpr auto kKeys = std::to_array<JobKey>({
    {"", "version", kNumber, "of this format: 1"},
    {"", "name", kText, "of the job; default: the file's name without its ending"},
    {"", "source", kText, "URI or path of the database"},
    {"", "destination", kText, "URI or path of the folder that receives the files"},
    {"", "streams", kSection,
     "tables by name, or globs (* and ?), each with its own keys"},
    {"", "limits", kSection, "bounds of memory and connections"},
    {"", "secrets", kLater, ""},
    {"", "defaults", kLater, ""},
    {"", "protect", kLater, ""},
    {"", "verify", kLater, ""},
    {"", "notify", kLater, ""},
    {"", "schedule", kLater, ""},
    {"", "consistency", kLater, ""},
    {"", "mode", kLater, ""},
    {"", "format", kLater, ""},
    {"", "compression", kLater, ""},
    {"", "file_size", kLater, ""},
    {"", "path", kLater, ""},
    {"", "keep_versions", kLater, ""},
    {"", "on_type_mismatch", kLater, ""},

    {"streams.*", "columns", kTextList, "columns to copy, in this order; default: all"},
    {"streams.*", "where", kText, "one SQL expression that picks rows; default: all"},
    {"streams.*", "on_type_mismatch", kText,
     "a value that does not fit its column's type: error (default), null or string"},
    {"streams.*", "mode", kLater, ""},
    {"streams.*", "format", kLater, ""},
    {"streams.*", "compression", kLater, ""},
    {"streams.*", "file_size", kLater, ""},
    {"streams.*", "key", kLater, ""},
    {"streams.*", "cursor", kLater, ""},
    {"streams.*", "lookback", kLater, ""},
    {"streams.*", "partition_by", kLater, ""},
    {"streams.*", "transform", kLater, ""},
    {"streams.*", "sql", kLater, ""},
    {"streams.*", "destination", kLater, ""},
    {"streams.*", "exclude", kLater, ""},
    {"streams.*", "path", kLater, ""},
    {"streams.*", "keep_versions", kLater, ""},
    {"streams.*", "verify", kLater, ""},
    {"streams.*", "consistency", kLater, ""},
    {"streams.*", "with", kLater, ""},
    {"streams.*", "zero_date", kLater, ""},
    {"streams.*", "tinyint1", kLater, ""},
    {"streams.*", "unsigned", kLater, ""},
    {"streams.*", "wide_decimal", kLater, ""},
    {"streams.*", "time", kLater, ""},
    {"streams.*", "invalid_utf8", kLater, ""},
    {"streams.*", "uuid", kLater, ""},
    {"streams.*", "enum_error", kLater, ""},
    {"streams.*", "geometry", kLater, ""},

    {"limits", "memory", kSize,
     "bytes of rows held at once; default 256MiB, at least 64MiB"},
    {"limits", "connections", kNumber, "sessions with the source, 1 to 64; default 2"},
    {"limits", "spool", kLater, ""},
    {"limits", "rate", kLater, ""},
});

}  // namespace

std::span<const JobKey> JobKeys() { return kKeys; }

const JobKey* FindJobKey(std::string_view section, std::string_view name) {
  for (const JobKey& key : kKeys) {
    if (key.section == section && key.name == name) return &key;
  }
  return nullptr;
}

std::vector<std::string> JobKeyNames(std::string_view section) {
  std::vector<std::string> names;
  for (const JobKey& key : kKeys) {
    if (key.section == section) names.emplace_back(key.name);
  }
  return names;
}

std::string_view OtherSectionOf(std::string_view section, std::string_view name) {
  for (const JobKey& key : kKeys) {
    if (key.section != section && key.name == name) return key.section;
  }
  return "-";
}

}  // namespace sluice
