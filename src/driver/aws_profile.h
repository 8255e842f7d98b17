/// \file
/// The files ~/.aws/config and ~/.aws/credentials. No network.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "driver/aws_credentials.h"

namespace sluice::aws {

/// Name and value of each line of a section.
using Section = std::map<std::string, std::string>;
using Sections = std::map<std::string, Section>;

/// Lines that are no section, setting or comment are passed over, as are nested settings.
Sections ParseSections(std::string_view text);

struct Profiles {
  std::map<std::string, Section> profiles;      ///< both files; credentials win
  std::map<std::string, Section> sso_sessions;  ///< of the config file
  std::string config_path, credentials_path;
};
/// Files that are not there are empty. kUsage "credentials.unreadable".
Result<Profiles> LoadProfiles(const Surroundings& surroundings);

/// The profile in force: asked for by name, AWS_PROFILE, AWS_DEFAULT_PROFILE, or "default".
std::string ProfileName(const Surroundings& surroundings);
/// Whether somebody named it, so that its absence is an error.
bool ProfileIsNamed(const Surroundings& surroundings);

/// "~/x" below HOME.
std::string ExpandHome(const Surroundings& surroundings, std::string path);
/// Nothing where the file cannot be read. At most 1 MiB.
std::optional<std::string> ReadSmallFile(const std::string& path);

}  // namespace sluice::aws
