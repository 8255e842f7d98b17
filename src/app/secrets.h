/// \file
/// References in a job file and in URIs: ${env:NAME}, ${file:/path}, ${cmd:…}. What they stand for is in
/// memory alone, and shown nowhere.
#pragma once

#include <string>
#include <string_view>

#include "app/job.h"
#include "sluice/error.h"

namespace sluice {

bool HasReference(std::string_view text);

/// `text` with every reference replaced. kUsage "secret.…": a kind that does not exist, a variable
/// that is not set, a file that others may read, a command that is not allowed.
Result<std::string> ReplaceReferences(std::string_view text, const JobRules& rules);

/// The same of a URI: what replaces a part of it is percent-encoded for its place there. A URI
/// that is nothing but one reference is taken as it is.
Result<std::string> ReplaceInUri(std::string_view uri, const JobRules& rules);

/// Whether a URI holds a password in letters: one that is no reference.
bool HasLiteralPassword(std::string_view uri);
/// `uri` without its password, which is put into `password` as it was written; "" where there is none.
std::string WithoutPassword(std::string_view uri, std::string* password);
/// Has the redactor hide the password of `uri` wherever it appears, encoded or not; not where it is what
/// the user, the host or the database is called, which is shown anyway.
void HidePasswordOf(std::string_view uri);
std::string PasswordIn(std::string_view uri);
/// A reference as it may be shown: a command may hold what it must not tell. "" for no reference.
std::string ShownReference(std::string_view text);
/// `uri`, which has a user and a host and no password, with this one.
Result<std::string> WithPassword(std::string_view uri, std::string_view password);

}  // namespace sluice
