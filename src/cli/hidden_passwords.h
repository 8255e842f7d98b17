/// \file
/// Passwords out of the process's arguments, which every user of the machine can read.
#pragma once

namespace sluice::cli {

/// Overwrites, in place, what base/redact.h takes for a secret in any argument; what was copied from
/// them before stays. True where a URI had a password.
bool HidePasswords(int argc, char** argv);

/// That it was seen until now, and what to write instead.
void WarnOfPassword();

}  // namespace sluice::cli
