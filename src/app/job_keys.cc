#include "app/job_keys.h"

#include <array>

#include "app/job.h"
#include "base/type_policy.h"

namespace sluice {
namespace {

using enum KeyShape;

constexpr auto kKeys = std::to_array<JobKey>({
    {kAtTop, "version", kVersion, "of this format: 1", "required"},
    {kAtTop, "name", kText,
     "of the job in the state and in manifests: at most 120 bytes, no slash, no leading dot",
     "the file's name without its ending"},
    {kAtTop, "source", kText, "URI or path of the database", "required"},
    {kAtTop, "destination", kText, "URI or path of the folder that receives the files",
     "required"},
    {kAtTop, "secrets", kSecrets,
     "passwords by reference: source.password as ${env:NAME} or ${file:/path}"},
    {kAtTop, "streams", kStreams,
     "tables by name, or globs (* and ?), each with its own keys", "required"},
    {kAtTop, "defaults", kSection, "keys of every stream that does not say otherwise"},
    {kAtTop, "consistency", kWord,
     "what the rows of a run have in common: one snapshot, or one each chunk", "snapshot",
     "snapshot per-chunk snapshot-strict"},
    {kAtTop, "limits", kSection, "bounds of memory, connections and speed"},
    {kAtTop, "protect", kLater, ""},
    {kAtTop, "notify", kLater, ""},
    {kAtTop, "schedule", kLater, "let cron or systemd start: sluice run JOB"},

    {kInStream, "columns", kTextList, "columns to copy, in this order", "all"},
    {kInStream, "where", kText,
     "one SQL expression that picks rows; functions of the current time are refused (a text "
     "that only in a row turns out to be `now` cannot be)",
     "all rows"},
    {kInStream, "sql", kText,
     "a query in the source's SQL instead of a table, then without columns and where; the "
     "stream's name is what its rows are called"},
    {kInStream, "destination", kText, "URI or path, other than the job's", "the job's"},
    {kInStream, "exclude", kTrue,
     "these tables are not copied, whatever else matches them"},
    {kOfStreams, "mode", kWord, "every run makes a whole new version", "full", "full"},
    {kOfStreams, "format", kWord, "of the files", "parquet", "parquet"},
    {kOfStreams, "path", kText,
     "template of a load's folder: begins with {schema}/{table}/, holds {load}",
     "{schema}/{table}/{load}"},
    {kOfStreams, "compression", kText, "zstd[:LEVEL], LEVEL from 1 to 22, snappy or none",
     "zstd:1"},
    {kOfStreams, "file_size", kSize, "upper bound of a file, 1MiB to 64GiB", "128MiB"},
    {kAtTop | kOfStreams, "verify", kWord,
     "before the commit: rows are counted, or every row is read back", "counts",
     "counts content"},
    {kOfStreams, "keep_versions", kNumber,
     "committed loads of the stream that stay, the new one among them", "1", "", 1,
     kKeepVersionsMax},
    {kOfStreams, "on_type_mismatch", kWord, "a value that does not fit its column's type",
     "error", "error null string"},
    {kOfStreams, "type_policies", kPolicies,
     "by the source's type: {datetime: {zero_date: null}}"},
    {kOfStreams, "column_policies", kPolicies,
     "by column: {shipped_at: {zero_date: string}}"},
    {kInStream, "key", kLater, ""},
    {kInStream, "cursor", kLater, ""},
    {kInStream, "lookback", kLater, ""},
    {kInStream, "partition_by", kLater, "date placeholders of path make folders"},
    {kInStream, "transform", kLater, "a stream with sql may compute columns"},
    {kInStream, "with", kLater, ""},

    {kInLimits, "memory", kSize,
     "bytes of rows held at once, 64MiB to 1TiB; a row may have a quarter of it",
     "256MiB"},
    {kInLimits, "connections", kNumber, "sessions with the source, and workers", "2", "",
     1, kConnectionsMax},
    {kInLimits, "rate", kRate,
     "decoded bytes a second read from the source, all sessions", "unbounded"},
    {kInLimits, "spool", kLater, "remove the line: copies need no local disk"},
});

JobKey OfPolicy(const TypePolicy& policy) {
  JobKey key{kOfStreams,
             policy.name,
             kWord,
             policy.help,
             policy.default_word.empty() ? "on_type_mismatch" : policy.default_word,
             policy.words};
  if (policy.name != "uuid") return key;
  key.shape = kTextList;
  key.help = "columns of BINARY(16) or UUID that arrive as UUIDs of 16 bytes";
  key.fallback = "none";
  return key;
}

}  // namespace

std::span<const JobKey> JobKeys() {
  static const std::vector<JobKey> keys = [] {
    std::vector<JobKey> all;
    for (const JobKey& key : kKeys) {
      if (key.name == "type_policies") {
        for (const TypePolicy& policy : TypePolicies()) all.push_back(OfPolicy(policy));
      }
      all.push_back(key);
    }
    return all;
  }();
  return keys;
}

const JobKey* FindJobKey(JobSection section, std::string_view name) {
  for (const JobKey& key : JobKeys()) {
    if ((key.sections & section) != 0 && key.name == name) return &key;
  }
  return nullptr;
}

std::vector<std::string> JobKeyNames(JobSection section) {
  std::vector<std::string> names;
  for (const JobKey& key : JobKeys()) {
    if ((key.sections & section) != 0) names.emplace_back(key.name);
  }
  return names;
}

std::string OtherPlaceOf(JobSection section, std::string_view name) {
  for (const JobKey& key : JobKeys()) {
    if ((key.sections & section) != 0 || key.name != name) continue;
    if ((key.sections & kAtTop) != 0) return "at the top of the file";
    if ((key.sections & kInLimits) != 0) return "under limits";
    return key.sections == kOfStreams ? "under defaults or a stream" : "under a stream";
  }
  return "";
}

}  // namespace sluice
