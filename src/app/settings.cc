#include "app/settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string>

#include "app/open_job.h"
#include "app/quantity.h"
#include "base/nearest.h"
#include "base/path_template.h"
#include "base/type_policy.h"
#include "base/vocabulary_json.h"

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

Status CheckSize(std::string_view what, int64_t size, int64_t min, int64_t max,
                 std::string_view text) {
  if (size >= min && size <= max) return Status::OK();
  return Error(ErrorKind::kUsage, "setting.size",
               fmt::format("{} must be from {} to {}, found {}", what, FormatSize(min),
                           FormatSize(max), text));
}

template <typename T>
struct Word {
  std::string_view word;
  T value;
};
using Words = std::vector<std::string>;

Status WrongWord(std::string_view what, std::string_view text, const Words& words) {
  std::string hint = DidYouMean(text, words);
  return Error(ErrorKind::kUsage, "setting.word",
               fmt::format("{} must be {}, found {}", what, fmt::join(words, " or "),
                           text.empty() ? "nothing" : text),
               std::move(hint));
}

template <typename T, size_t N>
Result<T> OneOf(std::string_view what, std::string_view text,
                const std::array<Word<T>, N>& words) {
  Words names;
  for (const auto& [word, value] : words) {
    if (word == text) return value;
    names.emplace_back(word);
  }
  return WrongWord(what, text, names);
}

template <typename T, size_t N>
std::string WordFor(const std::optional<T>& value, const std::array<Word<T>, N>& words) {
  for (const auto& [word, each] : words) {
    if (value == each) return std::string(word);
  }
  return "";
}

constexpr std::array<Word<VerifyDepth>, 2> kDepths = {
    {{"counts", VerifyDepth::kCounts}, {"content", VerifyDepth::kContent}}};
constexpr std::array<Word<Consistency>, 3> kConsistencies = {
    {{"snapshot", Consistency::kSnapshot},
     {"per-chunk", Consistency::kPerChunk},
     {"snapshot-strict", Consistency::kSnapshotStrict}}};
constexpr std::array<Word<OnTypeMismatch>, 3> kMismatches = {
    {{"error", OnTypeMismatch::kError},
     {"null", OnTypeMismatch::kNull},
     {"string", OnTypeMismatch::kString}}};
constexpr std::array<Word<int>, 3> kCodecs = {{{"zstd", 1}, {"snappy", 0}, {"none", 0}}};

Status SetMemory(std::string_view text, Settings* settings) {
  ARROW_ASSIGN_OR_RAISE(settings->memory, ParseSize(text));
  return CheckSize("memory", *settings->memory, kMemoryMin, kMemoryMax, text);
}

Status SetFileSize(std::string_view text, Settings* settings) {
  ARROW_ASSIGN_OR_RAISE(settings->file_size, ParseSize(text));
  return CheckSize("file_size", *settings->file_size, kFileSizeMin, kFileSizeMax, text);
}

Status SetRate(std::string_view text, Settings* settings) {
  ARROW_ASSIGN_OR_RAISE(settings->rate, ParseRate(text));
  return CheckSize("rate", *settings->rate, kRateMin, kMemoryMax, text);
}

Status SetCompression(std::string_view text, Settings* settings) {
  const size_t colon = text.find(':');
  const std::string_view codec = text.substr(0, colon);
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

std::string ShowCompression(const Settings& settings) {
  if (settings.compression != "zstd") return settings.compression.value_or("");
  return fmt::format("zstd:{}", settings.compression_level.value_or(1));
}

std::string ShowSize(const std::optional<int64_t>& size, std::string_view per = "") {
  return size ? FormatSize(*size) + std::string(per) : "";
}

std::string ShowNumber(const std::optional<int>& number) {
  return number ? fmt::format("{}", *number) : "";
}

struct Known {
  std::string_view name;
  Status (*set)(std::string_view text, Settings* settings);
  std::string (*show)(const Settings& settings);
};
constexpr auto kKnown = std::to_array<Known>({
    {"memory", SetMemory, [](const Settings& s) { return ShowSize(s.memory); }},
    {"connections",
     [](std::string_view text, Settings* s) -> Status {
       ARROW_ASSIGN_OR_RAISE(s->connections,
                             WholeNumber("connections", text, 1, kConnectionsMax));
       return Status::OK();
     },
     [](const Settings& s) { return ShowNumber(s.connections); }},
    {"rate", SetRate, [](const Settings& s) { return ShowSize(s.rate, "/s"); }},
    {"consistency",
     [](std::string_view text, Settings* s) {
       return OneOf("consistency", text, kConsistencies).Value(&s->consistency.emplace());
     },
     [](const Settings& s) { return WordFor(s.consistency, kConsistencies); }},
    {"compression", SetCompression, ShowCompression},
    {"file_size", SetFileSize, [](const Settings& s) { return ShowSize(s.file_size); }},
    {"verify",
     [](std::string_view text, Settings* s) {
       return VerifyDepthFrom(text).Value(&s->verify.emplace());
     },
     [](const Settings& s) { return WordFor(s.verify, kDepths); }},
    {"keep_versions",
     [](std::string_view text, Settings* s) -> Status {
       ARROW_ASSIGN_OR_RAISE(s->keep_versions,
                             WholeNumber("keep_versions", text, 1, kKeepVersionsMax));
       return Status::OK();
     },
     [](const Settings& s) { return ShowNumber(s.keep_versions); }},
    {"path",
     [](std::string_view text, Settings* s) {
       s->path = std::string(text);
       return CheckPathTemplate(text);
     },
     [](const Settings& s) { return s.path.value_or(""); }},
    {"on_type_mismatch",
     [](std::string_view text, Settings* s) {
       return OneOf("on_type_mismatch", text, kMismatches)
           .Value(&s->on_type_mismatch.emplace());
     },
     [](const Settings& s) { return WordFor(s.on_type_mismatch, kMismatches); }},
});

/// "a,b" as columns that are UUIDs.
Status SetUuid(std::string_view text, Settings* settings) {
  for (size_t begin = 0; begin <= text.size();) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    const std::string column(text.substr(begin, comma - begin));
    if (column.empty()) {
      return Error(ErrorKind::kUsage, "setting.columns",
                   fmt::format("uuid must be names of columns, found {}",
                               text.empty() ? "nothing" : text));
    }
    settings->column_policies[column]["uuid"] = "fixed";
    begin = comma + 1;
  }
  return Status::OK();
}

std::string ShowUuid(const Settings& settings) {
  std::string columns;
  for (const auto& [column, policies] : settings.column_policies) {
    if (policies.contains("uuid")) columns += (columns.empty() ? "" : ",") + column;
  }
  return columns;
}

template <typename T>
void Take(const std::optional<T>& over, std::optional<T>* under) {
  if (over) *under = over;
}

void Take(const Policies& over, Policies* under) {
  for (const auto& [policy, word] : over) (*under)[policy] = word;
}

}  // namespace

Settings Merge(const Settings& under, const Settings& over) {
  Settings merged = under;
  Take(over.memory, &merged.memory);
  Take(over.connections, &merged.connections);
  Take(over.rate, &merged.rate);
  Take(over.consistency, &merged.consistency);
  Take(over.file_size, &merged.file_size);
  Take(over.verify, &merged.verify);
  Take(over.keep_versions, &merged.keep_versions);
  Take(over.path, &merged.path);
  Take(over.on_type_mismatch, &merged.on_type_mismatch);
  if (over.compression) {  // A level belongs to its codec.
    merged.compression = over.compression;
    merged.compression_level = over.compression_level;
  }
  Take(over.policies, &merged.policies);
  for (const auto& [type, policies] : over.type_policies)
    Take(policies, &merged.type_policies[type]);
  for (const auto& [column, policies] : over.column_policies)
    Take(policies, &merged.column_policies[column]);
  return merged;
}

const std::vector<std::string>& SettingNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    all.reserve(kKnown.size() + TypePolicies().size());
    for (const Known& known : kKnown) all.emplace_back(known.name);
    for (const TypePolicy& policy : TypePolicies()) all.emplace_back(policy.name);
    return all;
  }();
  return names;
}

Status SetSetting(std::string_view name, std::string_view text, Settings* settings) {
  for (const Known& known : kKnown) {
    if (known.name == name) return known.set(text, settings);
  }
  if (name == "uuid") return SetUuid(text, settings);
  ARROW_RETURN_NOT_OK(CheckPolicyWord(name, text));
  settings->policies[std::string(name)] = std::string(text);
  return Status::OK();
}

std::string ShowSetting(std::string_view name, const Settings& settings) {
  for (const Known& known : kKnown) {
    if (known.name == name) return known.show(settings);
  }
  if (name == "uuid") return ShowUuid(settings);
  const auto found = settings.policies.find(std::string(name));
  return found == settings.policies.end() ? "" : found->second;
}

Result<VerifyDepth> VerifyDepthFrom(std::string_view text) {
  return OneOf("verify", text, kDepths);
}

Status CheckPolicyWord(std::string_view policy, std::string_view word) {
  if (policy == "on_type_mismatch") return OneOf(policy, word, kMismatches).status();
  const TypePolicy* known = FindTypePolicy(policy);
  if (known == nullptr) {
    Words names = {"on_type_mismatch"};
    for (const TypePolicy& each : TypePolicies()) names.emplace_back(each.name);
    std::string hint = DidYouMean(policy, names);
    if (hint.empty()) hint = fmt::format("there are {}", fmt::join(names, " "));
    return Error(ErrorKind::kUsage, "setting.policy",
                 fmt::format("no such type policy: {}", policy), std::move(hint));
  }
  if (HasWord(*known, word)) return Status::OK();
  Words words;
  for (std::string_view rest = known->words; !rest.empty();) {
    const size_t space = std::min(rest.find(' '), rest.size());
    words.emplace_back(rest.substr(0, space));
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  return WrongWord(policy, word, words);
}

std::string FlagOf(std::string_view setting) {
  std::string flag = "--" + std::string(setting);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

std::string VariableOf(std::string_view setting) {
  std::string variable = "SLUICE_" + std::string(setting);
  for (char& c : variable) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return variable;
}

Result<Settings> SettingsFromEnvironment() {
  Settings settings;
  for (const std::string& name : SettingNames()) {
    if (name == "path") continue;
    const std::string variable = VariableOf(name);
    const char* text = std::getenv(variable.c_str());
    if (text == nullptr || text[0] == '\0') continue;
    const Status set = SetSetting(name, text, &settings);
    if (set.ok()) continue;
    const std::string unset = fmt::format("unset {} for the default", variable);
    const Status said =
        HintOf(set).empty() ? Error(KindOf(set), IdOf(set), set.message(), unset) : set;
    return InContext(said, variable);
  }
  return settings;
}

std::vector<std::string> UnknownVariables() {
  constexpr std::string_view kPrefix = "SLUICE_";
  // Those of tests and of the state besides.
  Words known = {"STATE",   "LEASE_SECONDS", "CHUNK_ROWS", "CRASH_AT",
                 "STOP_AT", "HOLD_AT",       "HOLD_FILE"};
  for (const std::string& name : SettingNames()) {
    if (name != "path") known.push_back(VariableOf(name).substr(kPrefix.size()));
  }
  Words sentences;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view variable =
        std::string_view(*each).substr(0, std::string_view(*each).find('='));
    if (!variable.starts_with(kPrefix)) continue;
    const std::string_view name = variable.substr(kPrefix.size());
    if (std::ranges::find(known, name) != known.end()) continue;
    // Others may be somebody's own, for ${env:…}.
    const std::string nearest = Nearest(name, known);
    if (nearest.empty()) continue;
    sentences.push_back(
        fmt::format("the variable {} is not known and does nothing; did "
                    "you mean {}{}?",
                    variable, kPrefix, nearest));
  }
  return sentences;
}

Settings DefaultSettings() {
  const Limits limits;
  const StreamSpec stream;
  Settings settings;
  settings.memory = limits.memory;
  settings.connections = limits.connections;
  settings.consistency = Consistency::kSnapshot;
  settings.compression = stream.compression;
  settings.compression_level = stream.compression_level;
  settings.file_size = stream.file_size;
  settings.verify = stream.verify;
  settings.keep_versions = TransferSpec{}.keep_versions;
  settings.on_type_mismatch = OnTypeMismatch::kError;
  return settings;
}

std::vector<SettingShown> ShownSettings(const JobRequest& request,
                                        const StreamEntry& entry) {
  const std::pair<const Settings*, const char*> layers[] = {
      {&request.flags, "flag"},
      {&request.environment, "environment"},
      {&entry.settings, "stream"}};
  std::vector<SettingShown> shown;
  for (const std::string& name : SettingNames()) {
    if (ShowSetting(name, entry.settings).empty()) continue;
    for (const auto& [settings, origin] : layers) {
      std::string value = ShowSetting(name, *settings);
      if (value.empty()) continue;
      shown.push_back({name, std::move(value), origin});
      break;
    }
  }
  return shown;
}

std::vector<SettingShown> ShownSettings(const JobRequest& request) {
  const Settings defaults = DefaultSettings();
  const std::pair<const Settings*, const char*> layers[] = {
      {&request.flags, "flag"},
      {&request.environment, "environment"},
      {&request.job.settings, "file"},
      {&defaults, "default"}};
  std::vector<SettingShown> shown;
  for (const std::string& name : SettingNames()) {
    for (const auto& [settings, origin] : layers) {
      std::string value = ShowSetting(name, *settings);
      if (value.empty()) continue;
      shown.push_back({name, std::move(value), origin});
      break;
    }
  }
  return shown;
}

}  // namespace sluice
