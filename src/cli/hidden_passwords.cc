#include "cli/hidden_passwords.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "app/secrets.h"
#include "base/log.h"
#include "base/redact.h"

namespace sluice::cli {
namespace {

/// All between what `shown` and `argument` have in common at their ends.
void Overwrite(char* argument, std::string_view shown) {
  const std::string_view whole(argument);
  const auto same =
      static_cast<size_t>(std::ranges::mismatch(whole, shown).in1 - whole.begin());
  size_t tail = 0;
  const size_t shorter = std::min(whole.size(), shown.size());
  while (tail < shorter - std::min(shorter, same) &&
         whole[whole.size() - 1 - tail] == shown[shown.size() - 1 - tail]) {
    ++tail;
  }
  std::memset(argument + same, '*', whole.size() - same - tail);
}

/// As it may be seen: a URI, or how users of the mysql client give a password.
std::string Shown(std::string_view argument, std::string_view before) {
  if (before == "--password" && !argument.starts_with('-')) return "***";
  if (argument.starts_with("-p") && argument.size() > 2) return "-p***";
  return RedactUri(argument);
}

}  // namespace

bool HidePasswords(int argc, char** argv) {
  bool in_uri = false;
  std::string before;
  for (int i = 1; i < argc; ++i) {
    const std::string argument(argv[i]);
    in_uri = in_uri || HasLiteralPassword(argument);
    const std::string shown = Shown(argument, before);
    if (shown != argument) Overwrite(argv[i], shown);
    HidePasswordOf(argument);
    before = argument;
  }
  return in_uri;
}

void WarnOfPassword() {
  Log(LogLevel::kWarning,
      "a password on the command line stays in the shell's history, and others could see "
      "it until now\n"
      "HINT: write 'mysql://user:${env:NAME}@host/database' in single quotes, or a job file "
      "with secrets: {source.password: \"${env:NAME}\"}");
}

}  // namespace sluice::cli
