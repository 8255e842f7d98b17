/// \file
/// Secrets out of text. The log sink, the error printer and every description pass
/// through here.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// `text` with "***" for: the password of `scheme://user:password@host`; the value after
/// a name that ends in password, passwd, pwd, secret, token, api_key, access_key,
/// signature (`name=value`, `name: value`, `"name": "value"`); the credentials after
/// Bearer and Basic. References (`${env:NAME}`, `${file:/path}`) stay. It rather hides too much.
std::string Redact(std::string_view text);

}  // namespace sluice
