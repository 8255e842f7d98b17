/// \file
/// A job before anything was opened: what a job file or copy's arguments ask for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/yaml_tree.h"
#include "sluice/table.h"
#include "sluice/transfer.h"

namespace sluice {

/// One entry of `streams`, or one --table.
struct StreamEntry {
  std::string pattern;  ///< a table's name, schema.table, or a pattern with * and ?
  std::vector<std::string> columns;  ///< empty: all
  std::string where;                 ///< empty: all rows
  std::optional<OnTypeMismatch> on_type_mismatch;
  Place place;  ///< in the job file
};

/// What may be set in a file or by a flag; a flag wins.
struct Settings {
  std::optional<int64_t> memory;
  std::optional<int> connections;
  std::optional<std::string> compression;
  std::optional<int> compression_level;
  std::optional<int64_t> file_size;
  std::optional<VerifyDepth> verify;
  std::optional<Consistency> consistency;
  std::optional<OnTypeMismatch> on_type_mismatch;
};
/// `flags` where it says something, else `file`.
Settings Merge(const Settings& file, const Settings& flags);

struct Job {
  std::string name;
  std::string file;                  ///< as given; "" for copy
  std::string source, destination;   ///< URIs as written
  std::vector<StreamEntry> streams;  ///< empty: every base table
  Settings settings;
};

inline constexpr int64_t kMemoryMin = 64 << 20;
inline constexpr int64_t kMemoryMax = int64_t{1} << 40;
inline constexpr int kConnectionsMax = 64;
inline constexpr int64_t kFileSizeMin = 1 << 20;
inline constexpr int64_t kFileSizeMax = int64_t{64} << 30;

/// Reads and checks a job file; opens nothing else. kUsage, with file, line and column.
Result<Job> ReadJobFile(const std::string& path);
/// The same of text that was read elsewhere; `file` is for messages and the default name.
Result<Job> ParseJob(std::string_view text, const std::string& file);

/// Words of flags and files; kUsage "setting.…" with what would do.
Result<int64_t> MemoryFrom(std::string_view text);
Result<int> ConnectionsFrom(std::string_view text);
Result<int64_t> FileSizeFrom(std::string_view text);
Result<VerifyDepth> VerifyDepthFrom(std::string_view text);
Result<Consistency> ConsistencyFrom(std::string_view text);
Result<OnTypeMismatch> MismatchPolicyFrom(std::string_view text);
/// "zstd", "zstd:9", "snappy", "none" into `settings`.
Status SetCompression(std::string_view text, Settings* settings);
/// A name usable for a job: 1 to 120 bytes, no control character, no slash, no leading
/// dot.
Status CheckJobName(std::string_view name);

}  // namespace sluice
