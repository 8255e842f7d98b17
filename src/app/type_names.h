/// \file
/// Which types a server has, and which policies concern them: what is said of others would be ignored.
#pragma once

#include <string_view>

#include "sluice/error.h"

namespace sluice {

/// Whether the names of the types of a source of this scheme are known beforehand. SQLite's are
/// whatever was declared.
bool HasKnownTypes(std::string_view scheme);

/// A type of MySQL and MariaDB as it is written under `type_policies`; its first word counts. kUsage
/// "setting.type", with the nearest.
Status CheckTypeName(std::string_view type);
/// kUsage "setting.type" where `policy` has no meaning for that type, with the types it goes with.
Status CheckPolicyOfType(std::string_view type, std::string_view policy);

}  // namespace sluice
