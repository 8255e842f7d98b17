#include "base/redact.h"

#include <array>

namespace sluice {
namespace {

constexpr std::string_view kHidden = "***";
constexpr std::array<std::string_view, 11> kSecretNames = {
    "password", "passwd", "pwd",        "passphrase", "secret",    "token",
    "api_key",  "apikey", "access_key", "accesskey",  "signature",
};
constexpr std::array<std::string_view, 2> kSchemesOfAuthorization = {"bearer ", "basic "};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsWordByte(char c) {
  return (c >= '0' && c <= '9') || (Lower(c) >= 'a' && Lower(c) <= 'z') || c == '_' ||
         c == '-';
}

bool StartsWithIgnoringCase(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if (Lower(text[i] == '-' ? '_' : text[i]) != word[i]) return false;
  }
  return true;
}

bool EndsUri(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\'' || c == '<' ||
         c == '>';
}

/// At "://": the length of what stays and of what is hidden, from there; 0 and 0: no
/// password. A password may hold '@', '/' and '?' unencoded, so the last '@' of the word
/// counts.
struct Span {
  size_t keep = 0, hide = 0;
};
Span PasswordAt(std::string_view rest) {
  size_t end = 3;
  while (end < rest.size() && !EndsUri(rest[end])) ++end;
  const std::string_view word = rest.substr(0, end);
  const size_t at = word.rfind('@');
  const size_t colon = word.find(':', 3);
  if (at == std::string_view::npos || colon == std::string_view::npos || colon >= at)
    return {};
  return {colon + 1, at - colon - 1};
}

/// Where the value ends whose opening quote is at `quote`. Within a string that was
/// itself quoted the closing quote is escaped as the opening one is; elsewhere an escaped
/// quote is part of the value.
size_t EndOfQuoted(std::string_view rest, size_t quote, bool escaped) {
  for (size_t i = quote + 1; i < rest.size(); ++i) {
    if (rest[i] == '\\' && escaped) return i;
    if (rest[i] == '\\') {
      ++i;
    } else if (rest[i] == rest[quote]) {
      return i;
    }
  }
  return rest.size();
}

/// What MySQL says of a login it refuses, "(using password: YES)", holds no password.
bool IsWhetherGiven(std::string_view rest) {
  return rest.starts_with("password: YES)") || rest.starts_with("password: NO)");
}

/// At a word boundary: "name" up to and including what separates it from its value, and
/// the value.
Span ValueAt(std::string_view rest) {
  size_t i = 0;
  while (i < rest.size() && (rest[i] == '\\' || rest[i] == '"' || rest[i] == '\'')) ++i;
  while (i < rest.size() && rest[i] == ' ') ++i;
  if (i == rest.size() || (rest[i] != '=' && rest[i] != ':')) return {};
  ++i;
  while (i < rest.size() && rest[i] == ' ') ++i;
  size_t quote = i;
  while (quote < rest.size() && rest[quote] == '\\') ++quote;
  if (quote < rest.size() && (rest[quote] == '"' || rest[quote] == '\'')) {
    const size_t end = EndOfQuoted(rest, quote, /*escaped=*/quote > i);
    return {quote + 1, end - quote - 1};
  }
  size_t end = i;
  constexpr std::string_view kEnds = "&,;)}]\"'\\";
  while (end < rest.size() && static_cast<unsigned char>(rest[end]) > ' ' &&
         kEnds.find(rest[end]) == std::string_view::npos) {
    ++end;
  }
  return {i, end - i};
}

Span SecretAt(std::string_view rest, bool boundary) {
  if (rest.starts_with("://")) return PasswordAt(rest);
  if (IsWhetherGiven(rest)) return {};
  for (const std::string_view name : kSecretNames) {
    if (!StartsWithIgnoringCase(rest, name)) continue;
    if (rest.size() > name.size() && IsWordByte(rest[name.size()])) continue;
    const Span value = ValueAt(rest.substr(name.size()));
    if (value.hide > 0) return {name.size() + value.keep, value.hide};
  }
  if (!boundary) return {};
  for (const std::string_view scheme : kSchemesOfAuthorization) {
    if (!StartsWithIgnoringCase(rest, scheme)) continue;
    size_t end = scheme.size();
    while (end < rest.size() && !EndsUri(rest[end]) && rest[end] != '\\') ++end;
    // Prose such as "basic types" has no credentials; those are long.
    if (end - scheme.size() >= 8) return {scheme.size(), end - scheme.size()};
  }
  return {};
}

/// "${env:SHOP_PASSWORD}" says where a secret is, not what it is.
bool IsReference(std::string_view value) {
  if (!value.starts_with("${env:") && !value.starts_with("${file:")) return false;
  return value.find('}') >= value.size() - 1;
}

}  // namespace

std::string Redact(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const bool boundary = i == 0 || !IsWordByte(text[i - 1]);
    const Span secret = SecretAt(text.substr(i), boundary);
    if (secret.hide == 0) {
      out.push_back(text[i++]);
      continue;
    }
    out.append(text.substr(i, secret.keep));
    const std::string_view value = text.substr(i + secret.keep, secret.hide);
    out.append(IsReference(value) ? value : kHidden);
    i += secret.keep + secret.hide;
  }
  return out;
}

}  // namespace sluice
