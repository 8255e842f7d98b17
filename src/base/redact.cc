#include "base/redact.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <vector>

namespace sluice {
namespace {

constexpr std::string_view kHidden = "***";
constexpr std::array<std::string_view, 14> kSecretNames = {
    "password",  "passwd",     "pwd",         "passphrase", "pass",
    "secret",    "token",      "api_key",     "apikey",     "access_key",
    "accesskey", "secret_key", "private_key", "signature",
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

/// The length of what stays and of what is hidden; 0 and 0: no secret.
struct Span {
  size_t keep = 0, hide = 0;
};

/// Whether "host:rest" goes on with a port, not with a password.
bool IsPort(std::string_view rest) {
  const size_t end = std::min(rest.find_first_not_of("0123456789"), rest.size());
  return end > 0 && end <= 5 &&
         (end == rest.size() || rest[end] == '/' || rest[end] == '?');
}

/// Where the colon before a password stands in what follows "://"; npos: none. A user may be
/// a reference with a colon of its own.
size_t ColonOf(std::string_view account) {
  if (account.starts_with('[') && account.find('@') == std::string_view::npos)
    return std::string_view::npos;
  const bool is_reference = account.starts_with("${");
  return account.find(':',
                      is_reference ? std::min(account.find('}'), account.size()) : 0);
}

/// At "://" in a text: a password may hold '@', '/' and '?' unencoded, so the last '@' of
/// the word counts. Where the word has none, a space may stand in the password: then the
/// last one of the line.
Span PasswordAt(std::string_view rest, char before) {
  size_t end = 3;
  const bool quoted = before == '"' || before == '\'';
  const size_t close = quoted ? rest.find(before, 3) : std::string_view::npos;
  if (close != std::string_view::npos) {
    end = close;
  } else {
    while (end < rest.size() && !EndsUri(rest[end])) ++end;
  }
  const std::string_view word = rest.substr(0, end);
  size_t at = word.rfind('@');
  size_t colon = ColonOf(word.substr(std::min<size_t>(3, word.size())));
  if (colon == std::string_view::npos) return {};
  colon += 3;
  if (at == std::string_view::npos) {
    if (IsPort(word.substr(colon + 1))) return {};
    if (word.substr(3, colon - 3).find('/') != std::string_view::npos) return {};
    std::string_view line = rest.substr(0, rest.find('\n'));
    line = line.substr(0, line.find("://", 3));
    at = line.rfind('@');
  }
  if (at == std::string_view::npos || colon >= at) return {};
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

/// What stands before the scheme that ends at `colon`.
char BeforeScheme(std::string_view text, size_t colon) {
  while (colon > 0 && (IsWordByte(text[colon - 1]) || text[colon - 1] == '+')) --colon;
  return colon > 0 ? text[colon - 1] : ' ';
}

Span SecretAt(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at);
  if (rest.starts_with("://")) return PasswordAt(rest, BeforeScheme(text, at));
  if (IsWhetherGiven(rest)) return {};
  for (const std::string_view name : kSecretNames) {
    if (!StartsWithIgnoringCase(rest, name)) continue;
    if (rest.size() > name.size() && IsWordByte(rest[name.size()])) continue;
    const Span value = ValueAt(rest.substr(name.size()));
    if (value.hide > 0) return {name.size() + value.keep, value.hide};
  }
  if (at > 0 && IsWordByte(text[at - 1])) return {};
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
  if (value.starts_with("${file:")) return value.find('}') >= value.size() - 1;
  constexpr std::string_view kVariable = "${env:";
  if (!value.starts_with(kVariable)) return false;
  size_t i = kVariable.size();
  while (i < value.size() && IsWordByte(value[i]) && value[i] != '-') ++i;
  return i + 1 >= value.size();
}

class Literals {
 public:
  void Add(std::string_view secret) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (std::ranges::find(all_, secret) != all_.end()) return;
    all_.emplace_back(secret);
    // A secret that begins another must not leave the other's end.
    std::ranges::stable_sort(
        all_, [](const auto& a, const auto& b) { return a.size() > b.size(); });
  }
  std::string Without(std::string_view text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::string out(text);
    for (const std::string& secret : all_) Hide(secret, &out);
    return out;
  }

 private:
  static void Hide(std::string_view secret, std::string* text) {
    constexpr size_t kShort = 8;
    const bool is_word =
        secret.size() < kShort && std::ranges::all_of(secret, IsWordByte);
    for (size_t at = text->find(secret); at != std::string::npos;
         at = text->find(secret, at)) {
      const size_t end = at + secret.size();
      const bool alone = (at == 0 || !IsWordByte((*text)[at - 1])) &&
                         (end == text->size() || !IsWordByte((*text)[end]));
      if (is_word && !alone) {
        ++at;
        continue;
      }
      text->replace(at, secret.size(), kHidden);
      at += kHidden.size();
    }
  }

  std::mutex mutex_;
  std::vector<std::string> all_;
};

Literals& TheLiterals() {
  static Literals literals;
  return literals;
}

}  // namespace

void HideLiterally(std::string_view secret) {
  constexpr size_t kSizeMin = 4;
  if (secret.size() >= kSizeMin) TheLiterals().Add(secret);
}

size_t UriSchemeLength(std::string_view text) {
  size_t i = 0;
  while (i < text.size() && (IsWordByte(text[i]) || text[i] == '+' || text[i] == '.'))
    ++i;
  return i > 0 && text.substr(i).starts_with("://") ? i : 0;
}

PasswordSpan PasswordOfUri(std::string_view text) {
  const size_t begin = UriSchemeLength(text) + 3;
  if (begin == 3) return {};
  const std::string_view rest = text.substr(begin);
  const size_t at = rest.rfind('@');
  size_t colon = ColonOf(rest);
  if (at == std::string_view::npos) {
    colon = ColonOf(rest.substr(0, rest.find('/')));
    if (colon == std::string_view::npos || IsPort(rest.substr(colon + 1))) return {};
    return {begin + colon + 1, text.size()};
  }
  if (colon >= at) return {};
  return {begin + colon + 1, begin + at};
}

std::string RedactUri(std::string_view text) {
  size_t begin = 0;
  if (text.starts_with("--")) begin = std::min(text.find('='), text.size() - 1) + 1;
  const std::string_view uri = text.substr(begin);
  if (UriSchemeLength(uri) == 0) return Redact(text);
  const auto [from, to] = PasswordOfUri(uri);
  const std::string_view password = uri.substr(from, to - from);
  std::string out(text.substr(0, begin));
  out += uri.substr(0, from);
  if (from > 0) out += IsReference(password) ? password : kHidden;
  out += uri.substr(to);
  // The value of an option ends at the next one, not at a space.
  for (size_t at = out.find('?', out.rfind('@') + 1); at < out.size();
       at = out.find('&', at + 1)) {
    const size_t equals = out.find('=', at);
    const size_t end = std::min(out.find('&', at + 1), out.size());
    if (equals >= end) continue;
    const std::string name = out.substr(at + 1, equals - at - 1);
    const std::string_view value =
        std::string_view(out).substr(equals + 1, end - equals - 1);
    if (value.empty() || IsReference(value) || !Redact(name + "=x").ends_with(kHidden))
      continue;
    out.replace(equals + 1, end - equals - 1, kHidden);
  }
  return Redact(out);
}

std::string Redact(std::string_view given) {
  const std::string text = TheLiterals().Without(given);
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const Span secret = SecretAt(text, i);
    if (secret.hide == 0) {
      out.push_back(text[i++]);
      continue;
    }
    out.append(text, i, secret.keep);
    const std::string_view value =
        std::string_view(text).substr(i + secret.keep, secret.hide);
    out.append(IsReference(value) ? value : kHidden);
    i += secret.keep + secret.hide;
  }
  return out;
}

}  // namespace sluice
