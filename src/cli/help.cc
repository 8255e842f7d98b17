#include <fmt/format.h>

#include <algorithm>

#include "cli/options.h"
#include "cli/text_width.h"
#include "cli/topics.h"

namespace sluice::cli {
namespace {

std::string Left(const Option& option) {
  if (option.shape == OptionShape::kChoice)
    return fmt::format("{} [{}]", option.name, option.value);
  return option.value.empty() ? std::string(option.name)
                              : fmt::format("{} {}", option.name, option.value);
}

std::string Indented(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    out += fmt::format("  {}\n", lines.substr(0, end));
    lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 1);
  }
  return out;
}

}  // namespace

std::string OverallHelp() {
  std::string help =
      "sluice: tables leave a SQL database and arrive as files, exactly once.\n\n"
      "Usage: sluice VERB ARGUMENTS [OPTIONS]\n\nVerbs:\n";
  for (const Verb& verb : Verbs())
    help += fmt::format("  {:<12}{}\n", verb.name, verb.summary);
  help += "\nTopics, for sluice help TOPIC:\n";
  for (const Topic& topic : Topics())
    help += fmt::format("  {:<13}{}\n", topic.name, topic.summary);
  help +=
      "\nA first copy, of every table of shop.db into the folder lake:\n"
      "  sluice copy shop.db lake\n\n"
      "sluice VERB --help shows a verb's options. docs/commands.md has them all.\n";
  return help;
}

std::string HelpOf(const Verb& verb) {
  std::string help =
      fmt::format("sluice {}: {}\n\nUsage: sluice {}{}{}{}\n", verb.name, verb.summary,
                  verb.name, verb.arguments.empty() ? "" : " ", verb.arguments,
                  verb.bit == kCompletion ? "" : " [OPTIONS]");
  size_t left = 0;
  for (const Option& option : Options()) {
    if ((option.verbs & verb.bit) != 0) left = std::max(left, Left(option).size());
  }
  if (left > 0) help += "\nOptions:\n";
  for (const Option& option : Options()) {
    if ((option.verbs & verb.bit) == 0 || option.shape == OptionShape::kLater) continue;
    help +=
        fmt::format("  {:<{}}  {}\n", Left(option), left, Wrapped(option.help, left + 4));
  }
  help += "\nExamples:\n" + Indented(verb.examples);
  return help;
}

}  // namespace sluice::cli
