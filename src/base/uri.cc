#include "base/uri.h"

#include <fmt/format.h>

#include "base/redact.h"

namespace sluice {
namespace {

bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Status Malformed(std::string_view text, std::string_view what, std::string hint = {}) {
  std::string shown;
  for (const char c : RedactUri(text)) {
    if (static_cast<unsigned char>(c) < 0x20) {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      shown.push_back(c);
    }
  }
  return Error(ErrorKind::kUsage, "uri.malformed",
               fmt::format("not a usable URI, {}: {}", what, shown), std::move(hint));
}

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> Decode(std::string_view part, std::string_view whole) {
  std::string out;
  for (size_t i = 0; i < part.size(); ++i) {
    if (part[i] != '%') {
      out.push_back(part[i]);
      continue;
    }
    const int high = i + 2 < part.size() ? HexValue(part[i + 1]) : -1;
    const int low = i + 2 < part.size() ? HexValue(part[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return Malformed(whole, "a % without two hex digits after it",
                       "write a percent sign as %25, or give the path without a scheme");
    }
    if (high == 0 && low == 0) return Malformed(whole, "it holds a NUL (%00)");
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

/// The length of "scheme" in "scheme:rest"; 0 when there is none.
size_t SchemeLength(std::string_view text) {
  if (text.empty() || !IsAlpha(text[0])) return 0;
  size_t i = 1;
  while (i < text.size() && (IsAlpha(text[i]) || IsDigit(text[i]) || text[i] == '+' ||
                             text[i] == '-' || text[i] == '.')) {
    ++i;
  }
  return i < text.size() && text[i] == ':' ? i : 0;
}

Status ParseQuery(std::string_view query, std::string_view whole, Uri* uri) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    ARROW_ASSIGN_OR_RAISE(std::string name, Decode(pair.substr(0, equals), whole));
    std::string value;
    if (equals != std::string_view::npos) {
      ARROW_ASSIGN_OR_RAISE(value, Decode(pair.substr(equals + 1), whole));
    }
    if (!uri->query.emplace(name, value).second) {
      return Malformed(whole, fmt::format("the option {} is given twice", name));
    }
  }
  return Status::OK();
}

}  // namespace

Result<Uri> ParseUri(std::string_view text) {
  if (text.empty()) {
    return Error(ErrorKind::kUsage, "uri.empty",
                 "expected a URI or a path, found nothing");
  }
  if (text.find('\0') != std::string_view::npos) return Malformed(text, "it holds a NUL");
  Uri uri;
  const size_t scheme = SchemeLength(text);
  if (scheme == 0) {
    uri.path = std::string(text);
    return uri;
  }
  for (const char c : text.substr(0, scheme)) {
    uri.scheme.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  std::string_view rest = text.substr(scheme + 1);
  if (rest.find('#') != std::string_view::npos) {
    return Malformed(text, "it holds a #",
                     "write # as %23, or give the path without a scheme");
  }
  const size_t question = rest.find('?');
  if (question != std::string_view::npos) {
    ARROW_RETURN_NOT_OK(ParseQuery(rest.substr(question + 1), text, &uri));
    rest = rest.substr(0, question);
  }
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const size_t slash = rest.find('/');
    uri.authority = std::string(rest.substr(0, slash));
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
  }
  ARROW_ASSIGN_OR_RAISE(uri.path, Decode(rest, text));
  return uri;
}

Result<UriAuthority> ParseAuthority(const Uri& uri) {
  const std::string shown = uri.scheme + "://***";
  UriAuthority authority;
  std::string_view place = uri.authority;
  // The last one: a password may hold an @ that somebody did not write as %40.
  const size_t at = place.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view account = place.substr(0, at);
    const size_t colon = account.find(':');
    ARROW_ASSIGN_OR_RAISE(authority.user, Decode(account.substr(0, colon), shown));
    if (colon != std::string_view::npos) {
      ARROW_ASSIGN_OR_RAISE(authority.password, Decode(account.substr(colon + 1), shown));
    }
    place.remove_prefix(at + 1);
  }
  const bool is_bracketed = place.starts_with('[');
  const size_t close = is_bracketed ? place.find(']') : 0;
  if (close == std::string_view::npos)
    return Malformed(shown, "its host has a [ without a ]");
  const size_t colon = place.find(':', close);
  const std::string_view host = place.substr(0, colon);
  ARROW_ASSIGN_OR_RAISE(authority.host,
                        Decode(is_bracketed ? host.substr(1, close - 1) : host, shown));
  if (colon == std::string_view::npos) return authority;
  for (const char c : place.substr(colon + 1)) {
    authority.port =
        IsDigit(c) && authority.port <= 65'535 ? authority.port * 10 + (c - '0') : 65'536;
  }
  if (authority.port < 1 || authority.port > 65'535)
    return Malformed(shown, "its port is not a number of 1 to 65535");
  return authority;
}

std::string EncodeUriPath(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '%' || c == '?' || c == '#') {
      out += fmt::format("%{:02X}", byte);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace sluice
