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
/// Bearer and Basic; what HideLiterally was told. References (`${env:NAME}`, `${file:/path}`) stay. It
/// rather hides too much.
std::string Redact(std::string_view text);

/// The same of a text that is one URI, or `--option=URI`, or neither: where it is known to end, a
/// password may hold any character, spaces and quotes too.
std::string RedactUri(std::string_view text);

/// From now on Redact hides `secret` wherever it stands. Any thread. Below 4 bytes: too common, ignored;
/// a short word of letters only where it stands alone.
void HideLiterally(std::string_view secret);

/// Where in `text`, which begins with "scheme://", the password stands: [begin, end), or nothing.
struct PasswordSpan {
  size_t begin = 0, end = 0;
};
PasswordSpan PasswordOfUri(std::string_view text);

/// The length of "scheme" where `text` begins with "scheme://"; else 0.
size_t UriSchemeLength(std::string_view text);

}  // namespace sluice
