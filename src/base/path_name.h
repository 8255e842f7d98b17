/// \file
/// Names of schemas and tables as path segments, injectively.
#pragma once

#include <string>
#include <string_view>

#include "sluice/error.h"
#include "sluice/table.h"

namespace sluice {

/// UTF-8 above 0x7F stays; controls, space, `% / \ = : * ? " < > | ~` and a leading '_' or '.' are
/// percent-encoded (upper-case hex); bytes that are not UTF-8 too. A result over 200 bytes is cut at a
/// character and gets '~' and the first 16 hex digits of the SHA-256 of the name. "" becomes "%".
std::string EncodePathSegment(std::string_view name);
/// The inverse; nothing where the segment was cut (contains '~') or is not of this form.
Result<std::string> DecodePathSegment(std::string_view segment);

/// "{schema}/{table}", encoded.
std::string TableFolder(const TableName& name);

}  // namespace sluice
