#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/nearest.h"

namespace sluice::cli {
namespace {

Status UnknownVerb(const std::string& word) {
  const auto later = LaterVerbs();
  if (std::find(later.begin(), later.end(), word) != later.end()) {
    return Error(ErrorKind::kUsage, "cli.not-in-this-version",
                 fmt::format("{} is not in this version", word),
                 "sluice --help lists the verbs");
  }
  std::vector<std::string> names;
  for (const Verb& verb : Verbs()) names.emplace_back(verb.name);
  std::string hint = DidYouMean(word, names);
  if (hint.empty()) hint = "sluice --help lists the verbs";
  return Error(ErrorKind::kUsage, "cli.unknown-verb",
               fmt::format("unknown verb {}", word), std::move(hint));
}

/// What users of the mysql client try, and what they write instead.
constexpr std::string_view kNoOptionFiles =
    "sluice reads no option files and no login paths: give host, user and database in the URI, "
    "mysql://user@host/database, and the password by reference, "
    "'mysql://user:${env:NAME}@host/database' or secrets: in a job file";
constexpr std::pair<std::string_view, std::string_view> kForeignOptions[] = {
    {"--defaults-file", kNoOptionFiles},
    {"--defaults-extra-file", kNoOptionFiles},
    {"--defaults-group-suffix", kNoOptionFiles},
    {"--login-path", kNoOptionFiles},
    {"--password", kNoOptionFiles},
    {"-p", kNoOptionFiles},
    {"--user", kNoOptionFiles},
    {"-u", kNoOptionFiles},
    {"--host", kNoOptionFiles},
};

Status UnknownOption(const std::string& word, const Verb& verb) {
  std::string name = word.substr(0, word.find('='));
  // -pSECRET: what follows is not repeated.
  if (name.starts_with("-p")) name = "-p";
  for (const auto& [foreign, instead] : kForeignOptions) {
    if (name != foreign) continue;
    return Error(ErrorKind::kUsage, "cli.unknown-option",
                 fmt::format("no option {}: it is one of the MySQL client's", name),
                 std::string(instead));
  }
  std::vector<std::string> names, others;
  for (const Option& option : Options()) {
    ((option.verbs & verb.bit) != 0 ? names : others).emplace_back(option.name);
  }
  if (std::find(others.begin(), others.end(), name) != others.end()) {
    return Error(ErrorKind::kUsage, "cli.unknown-option",
                 fmt::format("sluice {} has no option {}", verb.name, name),
                 fmt::format("sluice {} --help lists its options", verb.name));
  }
  std::string hint = DidYouMean(name, names);
  if (hint.empty()) hint = fmt::format("sluice {} --help lists its options", verb.name);
  return Error(ErrorKind::kUsage, "cli.unknown-option",
               fmt::format("unknown option {}", name), std::move(hint));
}

Status CheckPositionals(const Arguments& arguments) {
  const Verb& verb = *arguments.verb;
  const auto count = static_cast<int>(arguments.positionals.size());
  if (count >= verb.arguments_min && count <= verb.arguments_max) return Status::OK();
  const std::string expected =
      verb.arguments_max == 0 ? "no arguments" : std::string(verb.arguments);
  return Error(
      ErrorKind::kUsage, "cli.arguments",
      fmt::format("sluice {} expects {}, found {}", verb.name, expected,
                  count == 0 ? "nothing"
                             : fmt::format("{}", fmt::join(arguments.positionals, " "))),
      fmt::format("sluice {} --help shows examples", verb.name));
}

/// What CLI11 found, as Arguments.
struct Slots {
  std::map<std::string, std::vector<std::string>, std::less<>> values;
  std::map<std::string, bool, std::less<>> flags;
};

void Declare(const Verb& verb, CLI::App* app, Slots* slots,
             std::vector<std::string>* positionals) {
  app->set_help_flag();
  app->allow_extras();
  for (const Option& option : Options()) {
    if ((option.verbs & verb.bit) == 0) continue;
    const std::string name(option.name);
    if (option.value.empty()) {
      app->add_flag(name, slots->flags[name]);
    } else {
      app->add_option(name == "--output" ? "-o,--output" : name, slots->values[name])
          ->expected(1)
          ->allow_extra_args(false)
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
  }
  app->add_option("arguments", *positionals);
}

/// "--progress" and "--progress json" as "--progress=WORD", which cannot swallow an argument.
void JoinChoices(std::vector<std::string>* words) {
  for (size_t i = 0; i < words->size() && (*words)[i] != "--"; ++i) {
    for (const Option& option : Options()) {
      if (option.shape != OptionShape::kChoice || (*words)[i] != option.name) continue;
      const std::string_view choices = ChoicesOf(option.name);
      std::string word(choices.substr(0, choices.find(' ')));
      if (i + 1 < words->size() && IsChoiceOf(option.name, (*words)[i + 1])) {
        word = (*words)[i + 1];
        words->erase(words->begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
      (*words)[i] += "=" + word;
    }
  }
}

/// "--table=" has no value: the word behind it, an option perhaps, must not become it.
Status CheckValues(const std::vector<std::string>& words) {
  for (const Option& option : Options()) {
    if (option.value.empty() ||
        std::ranges::count(words, std::string(option.name) + "=") == 0)
      continue;
    return Error(ErrorKind::kUsage, "cli.no-value",
                 fmt::format("{} needs a value", option.name));
  }
  return Status::OK();
}

Result<Arguments> ParseVerb(const Verb& verb, std::vector<std::string> words) {
  Arguments arguments;
  arguments.verb = &verb;
  Slots slots;
  CLI::App app;
  Declare(verb, &app, &slots, &arguments.positionals);
  JoinChoices(&words);
  const auto dashes = std::find(words.begin(), words.end(), "--");
  const std::vector<std::string> after(dashes == words.end() ? dashes : dashes + 1,
                                       words.end());
  words.erase(dashes, words.end());
  ARROW_RETURN_NOT_OK(CheckValues(words));
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back.
  try {
    app.parse(words);
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string what = error.what();
    return Error(ErrorKind::kUsage, "cli.no-value",
                 what.substr(0, what.find(':')) + " needs a value");
  } catch (const CLI::Error& error) {
    return Error(
        ErrorKind::kUsage, "cli.syntax", error.what(),
        fmt::format("sluice {} --help shows which options take a value", verb.name));
  }
  arguments.positionals.insert(arguments.positionals.end(), after.begin(), after.end());
  for (const std::string& extra : app.remaining()) return UnknownOption(extra, verb);
  for (const auto& [name, given] : slots.flags) {
    if (given) arguments.options[name];
  }
  for (const auto& [name, values] : slots.values) {
    if (!values.empty()) arguments.options[name] = values;
  }
  for (const Option& option : Options()) {
    const auto found = arguments.options.find(option.name);
    if (found == arguments.options.end()) continue;
    if (option.shape == OptionShape::kLater) {
      return Error(ErrorKind::kUsage, "cli.not-in-this-version",
                   fmt::format("{} is not in this version", option.name));
    }
    const bool once =
        option.shape == OptionShape::kValue || option.shape == OptionShape::kChoice;
    if (once && found->second.size() > 1) {
      return Error(ErrorKind::kUsage, "cli.twice",
                   fmt::format("{} is given twice", option.name));
    }
  }
  return arguments;
}

}  // namespace

Result<Arguments> ParseCommandLine(const std::vector<std::string>& words) {
  Arguments arguments;
  if (words.empty()) {
    return Error(ErrorKind::kUsage, "cli.no-verb", "expected a verb",
                 "sluice --help lists the verbs");
  }
  const std::string& first = words.front();
  if (first == "--help" || first == "-h") {
    arguments.verb = FindVerb("help");
    return arguments;
  }
  if (first == "--version" || first == "-V") {
    arguments.verb = FindVerb("version");
    return arguments;
  }
  if (first == "-v") {
    return Error(ErrorKind::kUsage, "cli.no-verb", "expected a verb, found -v",
                 "sluice --version, or sluice VERB … --verbose for every step");
  }
  if (first.starts_with('-')) {
    return Error(ErrorKind::kUsage, "cli.no-verb",
                 "expected a verb before the options, found " +
                     (first.starts_with("-p") ? "-p" : first),
                 "write sluice VERB ARGUMENTS OPTIONS");
  }
  const Verb* verb = FindVerb(first);
  if (verb == nullptr) return UnknownVerb(first);
  std::vector<std::string> rest(words.begin() + 1, words.end());
  // Asked for help, whatever else is wrong.
  const auto end = std::find(rest.begin(), rest.end(), "--");
  for (const char* help : {"--help", "-h"}) {
    if (std::find(rest.begin(), end, help) == end) continue;
    arguments.verb = FindVerb("help");
    arguments.positionals = {first};
    return arguments;
  }
  ARROW_ASSIGN_OR_RAISE(arguments, ParseVerb(*verb, std::move(rest)));
  ARROW_RETURN_NOT_OK(CheckPositionals(arguments));
  return arguments;
}

}  // namespace sluice::cli
