/// \file
/// URIs as users write them: `sqlite:///abs.db`, `sqlite:rel.db`, `file:rel`, or a bare
/// path. Syntax only; which schemes exist is app/connectors' affair.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "sluice/error.h"

namespace sluice {

struct Uri {
  std::string scheme;                        ///< lower case; "" for a bare path
  std::string authority;                     ///< between "//" and the path, as written
  std::string path;                          ///< decoded; a bare path as written
  std::map<std::string, std::string> query;  ///< decoded
};

/// kUsage: "uri.empty", "uri.malformed" (a NUL, a bad or forbidden %-sequence, a
/// fragment, an option given twice). A bare path is not decoded and has no options: `?`,
/// `#` and `%` are part of it. A word before a colon is a scheme, so a path with a colon
/// starts with "./" or "/".
Result<Uri> ParseUri(std::string_view text);

/// "user:password@host:port", each part decoded; "" and 0 where there is none.
struct UriAuthority {
  std::string user, password, host;
  int port = 0;
};
/// kUsage "uri.malformed": a port that is none, a bad %-sequence. Names no password.
Result<UriAuthority> ParseAuthority(const Uri& uri);

/// `path` percent-encoded where a URI needs it; the inverse of what ParseUri decodes.
std::string EncodeUriPath(std::string_view path);

}  // namespace sluice
