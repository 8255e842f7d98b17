#include "driver/aws_profile.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace sluice::aws {
namespace {

constexpr size_t kFileMax = 1 << 20;

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string PathOf(const Surroundings& surroundings, const char* variable,
                   const char* usual) {
  const auto named = surroundings.variable(variable);
  return ExpandHome(surroundings, named && !named->empty() ? *named : usual);
}

Result<Sections> Load(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return Sections();
  const auto text = ReadSmallFile(path);
  if (text) return ParseSections(*text);
  return Error(ErrorKind::kUsage, "credentials.unreadable",
               "cannot read the AWS settings of " + path,
               "look at the file's permissions");
}

}  // namespace

Sections ParseSections(std::string_view text) {
  Sections sections;
  Section* section = nullptr;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const bool nested = line.starts_with(' ') || line.starts_with('\t');
    const std::string_view words = Trimmed(line);
    if (words.empty() || words[0] == '#' || words[0] == ';' || nested) continue;
    if (words[0] == '[') {
      const size_t close = words.find(']');
      if (close == std::string_view::npos) continue;
      section = &sections[std::string(Trimmed(words.substr(1, close - 1)))];
      continue;
    }
    const size_t equals = words.find('=');
    if (section == nullptr || equals == std::string_view::npos) continue;
    (*section)[std::string(Trimmed(words.substr(0, equals)))] =
        std::string(Trimmed(words.substr(equals + 1)));
  }
  return sections;
}

std::optional<std::string> ReadSmallFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(kFileMax, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return std::nullopt;
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

std::string ExpandHome(const Surroundings& surroundings, std::string path) {
  if (!path.starts_with("~/")) return path;
  const auto home = surroundings.variable("HOME");
  return home ? *home + path.substr(1) : path;
}

bool ProfileIsNamed(const Surroundings& surroundings) {
  if (!surroundings.profile.empty()) return true;
  for (const char* name : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}) {
    const auto value = surroundings.variable(name);
    if (value && !value->empty()) return true;
  }
  return false;
}

std::string ProfileName(const Surroundings& surroundings) {
  if (!surroundings.profile.empty()) return surroundings.profile;
  for (const char* name : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}) {
    const auto value = surroundings.variable(name);
    if (value && !value->empty()) return *value;
  }
  return "default";
}

Result<Profiles> LoadProfiles(const Surroundings& surroundings) {
  Profiles loaded;
  loaded.config_path = PathOf(surroundings, "AWS_CONFIG_FILE", "~/.aws/config");
  loaded.credentials_path =
      PathOf(surroundings, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
  ARROW_ASSIGN_OR_RAISE(Sections config, Load(loaded.config_path));
  for (auto& [name, section] : config) {
    constexpr std::string_view kProfile = "profile ", kSession = "sso-session ";
    const std::string_view title = name;
    if (title.starts_with(kSession)) {
      loaded.sso_sessions[std::string(Trimmed(title.substr(kSession.size())))] = section;
    } else if (title.starts_with(kProfile)) {
      loaded.profiles[std::string(Trimmed(title.substr(kProfile.size())))] = section;
    } else if (title == "default") {
      loaded.profiles["default"] = section;
    }
  }
  ARROW_ASSIGN_OR_RAISE(const Sections credentials, Load(loaded.credentials_path));
  for (const auto& [name, section] : credentials) {
    for (const auto& [key, value] : section) loaded.profiles[name][key] = value;
  }
  return loaded;
}

std::optional<std::string> ProfileSetting(const Surroundings& surroundings,
                                          const std::string& name) {
  const auto loaded = LoadProfiles(surroundings);
  if (!loaded.ok()) return std::nullopt;
  const auto profile = loaded->profiles.find(ProfileName(surroundings));
  if (profile == loaded->profiles.end()) return std::nullopt;
  const auto setting = profile->second.find(name);
  if (setting == profile->second.end() || setting->second.empty()) return std::nullopt;
  return setting->second;
}

}  // namespace sluice::aws
