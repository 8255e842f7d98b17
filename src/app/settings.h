/// \file
/// What may be set by a flag, a variable of the environment or a key of the job file, each thing
/// once under one name: `file_size` is --file-size, SLUICE_FILE_SIZE and `file_size:`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/error.h"
#include "sluice/table.h"

namespace sluice {

/// Nothing said: nothing set.
struct Settings {
  // Of a run.
  std::optional<int64_t> memory;
  std::optional<int> connections;
  std::optional<int64_t> rate;  ///< bytes a second
  std::optional<Consistency> consistency;
  // Of a stream.
  std::optional<std::string> compression;
  std::optional<int> compression_level;
  std::optional<int64_t> file_size;
  std::optional<VerifyDepth> verify;
  std::optional<int> keep_versions;
  std::optional<std::string> path;
  std::optional<OnTypeMismatch> on_type_mismatch;
  Policies policies;
  std::map<std::string, Policies> type_policies, column_policies;
};
/// `over` where it says something, else `under`; policies one by one.
Settings Merge(const Settings& under, const Settings& over);

inline constexpr int64_t kMemoryMin = 64 << 20;
inline constexpr int64_t kMemoryMax = int64_t{1} << 40;
inline constexpr int64_t kRateMin = 1 << 10;
inline constexpr int kConnectionsMax = 64;
inline constexpr int kKeepVersionsMax = 100'000;
inline constexpr int64_t kFileSizeMin = 1 << 20;
inline constexpr int64_t kFileSizeMax = int64_t{64} << 30;

/// "memory", "file_size", …, the policies among them.
const std::vector<std::string>& SettingNames();
/// From the words of flags, variables and files; kUsage "setting.…" with what would do. `name` is one of
/// SettingNames().
Status SetSetting(std::string_view name, std::string_view text, Settings* settings);
/// As it would be written; "" where nothing is said.
std::string ShowSetting(std::string_view name, const Settings& settings);
/// "--file-size", "SLUICE_FILE_SIZE".
std::string FlagOf(std::string_view setting);
std::string VariableOf(std::string_view setting);

/// What SLUICE_… variables say; kUsage, naming the variable. `path` has none.
Result<Settings> SettingsFromEnvironment();
/// A sentence for each SLUICE_… variable that is nearly one of ours, and none.
std::vector<std::string> UnknownVariables();
/// What holds where nobody says anything.
Settings DefaultSettings();

/// A value and who said it: "flag", "environment", "file", "stream" or "default".
struct SettingShown {
  std::string name, value, origin;
};
struct JobRequest;
struct StreamEntry;
/// All that is set or has a default, for `plan`.
std::vector<SettingShown> ShownSettings(const JobRequest& request);
/// What a stream says itself, as it holds: "stream", or what overrules it.
std::vector<SettingShown> ShownSettings(const JobRequest& request,
                                        const StreamEntry& entry);

/// "counts" or "content"; kUsage "setting.word".
Result<VerifyDepth> VerifyDepthFrom(std::string_view text);
/// A policy's word under its name; kUsage "setting.word".
Status CheckPolicyWord(std::string_view policy, std::string_view word);
/// A name usable for a job: 1 to 120 bytes, no control character, no slash, no leading dot.
Status CheckJobName(std::string_view name);

}  // namespace sluice
