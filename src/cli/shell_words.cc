#include <algorithm>

#include "base/printable.h"
#include "base/redact.h"
#include "cli/options.h"

namespace sluice::cli {
namespace {

bool IsPlain(char c) {
  constexpr std::string_view kPlain = "@%+=:,./-_";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kPlain.find(c) != std::string_view::npos;
}

std::string Quoted(std::string_view word) {
  const std::string shown = Printable(RedactUri(word));
  if (!shown.empty() && std::all_of(shown.begin(), shown.end(), IsPlain)) return shown;
  std::string quoted = "'";
  for (const char c : shown) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string CommandLineOf(const Arguments& arguments) {
  std::string line = "sluice " + std::string(arguments.verb->name);
  for (const std::string& positional : arguments.positionals)
    line += " " + Quoted(positional);
  for (const Option& option : Options()) {
    const auto found = arguments.options.find(option.name);
    if (found == arguments.options.end() || option.name == "--resume" ||
        option.name == "--restart") {
      continue;
    }
    if (found->second.empty()) line += " " + std::string(option.name);
    for (const std::string& value : found->second) {
      line += " " + std::string(option.name) +
              (option.shape == OptionShape::kChoice ? "=" : " ") + Quoted(value);
    }
  }
  return line;
}

}  // namespace sluice::cli
