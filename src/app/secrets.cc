#include "app/secrets.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>

#include "app/connectors.h"
#include "base/redact.h"

namespace sluice {
namespace {

constexpr std::string_view kOpen = "${";
constexpr size_t kSecretMax = 64 << 10;

bool IsVariableName(std::string_view name) {
  const auto is_letter = [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !name.empty() && is_letter(name[0]) && std::ranges::all_of(name, [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9');
  });
}

Result<std::string> FromEnvironment(const std::string& name) {
  if (!IsVariableName(name)) {
    return Error(ErrorKind::kUsage, "secret.variable",
                 "what stands after env: is not the name of a variable",
                 "write ${env:NAME} with letters, digits and underscores");
  }
  const char* value = std::getenv(name.c_str());
  if (value != nullptr && value[0] != '\0') return std::string(value);
  return Error(
      ErrorKind::kUsage, "secret.variable",
      fmt::format("the environment variable {} is {}", name,
                  value == nullptr ? "not set" : "empty"),
      fmt::format(
          "set {} where sluice is started; cron and systemd pass few variables: give "
          "them a file of it to read, or write ${{file:/path}}",
          name));
}

Result<std::string> FromFile(const std::string& path) {
  const auto unusable = [&](const std::string& why, std::string hint = {}) {
    return Error(ErrorKind::kUsage, "secret.file",
                 fmt::format("the secret file {} {}", path, why), std::move(hint));
  };
  if (!path.starts_with('/'))
    return unusable("is not absolute",
                    "write ${file:/path/to/it}, beginning with a slash");
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) {
    return unusable(fmt::format("cannot be read: {}", std::strerror(errno)),
                    "it holds the secret and nothing else, readable by you alone");
  }
  if (!S_ISREG(facts.st_mode))
    return unusable("is no file", "name the file that holds the secret");
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return unusable(
        fmt::format("is open to others, its mode is {:04o}", facts.st_mode & 07777U),
        fmt::format("chmod 600 {}", path));
  }
  std::ifstream stream(path, std::ios::binary);
  std::string text(kSecretMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(stream.gcount()));
  if (stream.bad() || (text.empty() && !stream.eof()))
    return unusable("cannot be read", "it must be readable by the user sluice runs as");
  if (text.size() > kSecretMax)
    return unusable("is larger than 64 KiB", "it must be the secret and nothing else");
  return text;
}

/// A file or a command gives nothing but secrets, or the whole URI; a variable may hold a host's name too.
void HideValue(std::string_view kind, const std::string& value) {
  if (kind != "env" && value.find("://") == std::string::npos && !value.starts_with('/'))
    HideLiterally(value);
}

Result<std::string> ValueOf(std::string_view reference, const JobRules& rules) {
  const size_t colon = std::min(reference.find(':'), reference.size());
  const std::string_view kind = reference.substr(0, colon);
  const std::string name(reference.substr(std::min(colon + 1, reference.size())));
  std::string value;
  if (kind == "env") {
    ARROW_ASSIGN_OR_RAISE(value, FromEnvironment(name));
  } else if (kind == "file") {
    ARROW_ASSIGN_OR_RAISE(value, FromFile(name));
  } else if (kind == "cmd" && rules.allow_commands) {
    ARROW_ASSIGN_OR_RAISE(value, OutputOfCommand(name));
  } else if (kind == "cmd") {
    return Error(
        ErrorKind::kUsage, "secret.command",
        "a ${cmd:…} reference, and commands are not allowed",
        "if you trust the file, give --allow-commands; else write ${env:NAME} or "
        "${file:/path}");
  } else {
    return Error(ErrorKind::kUsage, "secret.reference",
                 "expected ${env:NAME}, ${file:/path} or ${cmd:command}",
                 "the word before the colon says where the value is");
  }
  if (kind != "env" && value.ends_with('\n')) value.pop_back();
  if (kind != "env" && value.ends_with('\r')) value.pop_back();
  if (value.empty() || value.find('\0') != std::string::npos) {
    return Error(ErrorKind::kUsage, "secret.empty",
                 fmt::format("what ${{{}:…}} stands for {}", kind,
                             value.empty() ? "is empty" : "holds a NUL byte"),
                 "it must be the secret and nothing else");
  }
  HideValue(kind, value);
  return value;
}

/// Every reference through `put`, which is given what stands before it.
Result<std::string> Replace(
    std::string_view text, const JobRules& rules,
    const std::function<std::string(std::string_view before, const std::string& value)>&
        put) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t open = text.find(kOpen, at);
    out += text.substr(at, open - at);
    if (open == std::string_view::npos) break;
    const size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      return Error(ErrorKind::kUsage, "secret.reference", "a ${ without a } after it",
                   "write ${env:NAME}");
    }
    ARROW_ASSIGN_OR_RAISE(
        const std::string value,
        ValueOf(text.substr(open + kOpen.size(), close - open - kOpen.size()), rules));
    out += put(text.substr(0, open), value);
    at = close + 1;
  }
  return out;
}

bool IsUnreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         c == '-' || c == '.' || c == '_' || c == '~';
}

std::string Decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    int byte = 0;
    const bool encoded =
        text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr ==
            text.data() + i + 3;
    out.push_back(encoded ? static_cast<char>(byte) : text[i]);
    if (encoded) i += 2;
  }
  return out;
}

std::string Encoded(std::string_view value, std::string_view kept) {
  std::string out;
  for (const char c : value) {
    if (IsUnreserved(c) || kept.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

/// In a path a slash stays one; in a name, a password and an option it is a letter. A bare path is
/// not encoded at all.
std::string EncodedAfter(std::string_view before, const std::string& value) {
  const size_t colon = before.find(':');
  if (colon == std::string_view::npos || before.find('/') < colon) return value;
  if (before.find('?') != std::string_view::npos) return Encoded(value, "");
  const std::string_view rest = before.substr(colon + 1);
  const bool in_authority =
      rest.starts_with("//") && rest.find('/', 2) == std::string_view::npos;
  const bool is_path = rest == "//" && value.starts_with('/');
  if (in_authority && !is_path) return Encoded(value, "");
  return Encoded(value, "/");
}

/// The account of "scheme://account@host…", or nothing; a reference may hold any character.
std::string_view AccountOf(std::string_view uri, size_t* end) {
  const size_t begin = uri.find("://");
  if (begin == std::string_view::npos) return {};
  size_t at = std::string_view::npos;
  for (size_t i = begin + 3; i < uri.size(); ++i) {
    if (uri.substr(i).starts_with(kOpen)) {
      const size_t close = uri.find('}', i);
      if (close == std::string_view::npos) break;
      i = close;
    } else if (uri[i] == '@') {
      at = i;
    }
  }
  // As the log's redactor: a password may hold '/' unencoded, so the last '@' counts.
  if (at == std::string_view::npos) return {};
  *end = at;
  return uri.substr(begin + 3, at - begin - 3);
}

}  // namespace

bool HasReference(std::string_view text) {
  return text.find(kOpen) != std::string_view::npos;
}

Result<std::string> ReplaceReferences(std::string_view text, const JobRules& rules) {
  return Replace(text, rules, [](std::string_view, const std::string& value) {
    HideLiterally(value);
    return value;
  });
}

Result<std::string> ReplaceInUri(std::string_view uri, const JobRules& rules) {
  ARROW_ASSIGN_OR_RAISE(std::string replaced, Replace(uri, rules, EncodedAfter));
  HidePasswordOf(replaced);
  return replaced;
}

bool HasLiteralPassword(std::string_view uri) {
  const std::string password = PasswordIn(uri);
  return !password.empty() &&
         (!password.starts_with(kOpen) || password.find('}') != password.size() - 1);
}

std::string WithoutPassword(std::string_view uri, std::string* password) {
  size_t end = 0;
  const std::string_view account = AccountOf(uri, &end);
  password->clear();
  // A user may be a reference with a colon of its own.
  size_t colon = 0;
  while (colon < account.size() && account[colon] != ':') {
    if (account[colon] == '/') return std::string(uri);  // Already the path.
    if (account.substr(colon).starts_with(kOpen))
      colon = std::min(account.find('}', colon), account.size() - 1);
    ++colon;
  }
  if (colon >= account.size()) return std::string(uri);
  *password = std::string(account.substr(colon + 1));
  return fmt::format("{}{}", uri.substr(0, end - account.size() + colon),
                     uri.substr(end));
}

void HidePasswordOf(std::string_view uri) {
  if (uri.starts_with("--")) uri.remove_prefix(std::min(uri.find('=') + 1, uri.size()));
  const auto [begin, end] = PasswordOfUri(uri);
  const std::string_view password = uri.substr(begin, end - begin);
  if (password.empty() || password.find(kOpen) != std::string_view::npos) return;
  const std::string_view user =
      uri.substr(UriSchemeLength(uri) + 3, begin - UriSchemeLength(uri) - 4);
  const std::string_view rest = uri.substr(std::min(end + 1, uri.size()));
  const size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view database = rest.substr(slash, rest.find('?') - slash);
  if (password == user || password == rest.substr(0, rest.find_first_of(":/")) ||
      (!database.empty() && password == database.substr(1)))
    return;
  HideLiterally(password);
  HideLiterally(Decoded(password));
}

std::string PasswordIn(std::string_view uri) {
  std::string password;
  WithoutPassword(uri, &password);
  return password;
}

std::string ShownReference(std::string_view text) {
  if (!text.starts_with(kOpen) || text.find('}') != text.size() - 1) return {};
  return std::string(text.starts_with("${cmd:") ? "the ${cmd:…} reference" : text);
}

Result<std::string> WithPassword(std::string_view uri, std::string_view password) {
  size_t end = 0;
  const std::string_view account = AccountOf(uri, &end);
  if (account.empty()) {
    return Error(ErrorKind::kUsage, "secret.no-account",
                 "the source has no user that a password could belong to",
                 "write source: mysql://user@host/database");
  }
  if (account.find(':') != std::string_view::npos) {
    return Error(ErrorKind::kUsage, "secret.twice",
                 "the source has a password already, in its URI",
                 "leave it to secrets: write mysql://user@host/database");
  }
  return fmt::format("{}:{}{}", uri.substr(0, end), Encoded(password, ""),
                     uri.substr(end));
}

}  // namespace sluice
