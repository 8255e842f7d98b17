/// \file
/// Every verb and every option of the command line, described once: parsing, help and
/// "did you mean" are made from these tables.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

enum VerbBit : unsigned {
  kCopy = 1,
  kRun = 2,
  kPlan = 4,
  kCheck = 8,
  kDiscover = 16,
  kVerify = 32,
  kStatus = 64,
  kGc = 128,
  kVersion = 256,
  kHelp = 512,
  kLog = 4096,
  kConnectors = 8192,
  kCompletion = 16384,
  kJob = 1U << 20,
};

enum class OptionShape {
  kFlag,
  kValue,   ///< once
  kValues,  ///< as often as wanted
  kChoice,  ///< a flag, or one of its choices: "--progress", "--progress json"
  kLater,   ///< documented, refused in this version
};

struct Option {
  std::string_view name;   ///< "--table"
  std::string_view value;  ///< how help names its value; "" for a flag
  OptionShape shape;
  unsigned verbs;  ///< VerbBits
  std::string_view help;
};

struct Verb {
  std::string_view name;
  VerbBit bit;
  std::string_view arguments;  ///< "SOURCE_URI DEST_URI"
  int arguments_min, arguments_max;
  std::string_view summary;   ///< one line
  std::string_view examples;  ///< lines
};

std::span<const Option> Options();
std::span<const Verb> Verbs();
/// Verbs of later versions, refused by name.
std::span<const std::string_view> LaterVerbs();
const Verb* FindVerb(std::string_view name);
/// The words an option's value may be, with spaces between; "" where it is no choice. Of a
/// kChoice the first is what the flag alone means.
std::string_view ChoicesOf(std::string_view option);
bool IsChoiceOf(std::string_view option, std::string_view word);

/// What was given, by name; values are not checked yet.
struct Arguments {
  const Verb* verb = nullptr;
  std::vector<std::string> positionals;
  std::map<std::string, std::vector<std::string>, std::less<>> options;

  bool Has(std::string_view option) const { return options.contains(option); }
  /// The value, or "" when it was not given.
  std::string Value(std::string_view option) const;
  std::vector<std::string> Values(std::string_view option) const;
};

/// `sluice --help`: the verbs.
std::string OverallHelp();
/// `sluice VERB --help`: usage, options, examples.
std::string HelpOf(const Verb& verb);
/// The manual page of a verb, or of the program where there is none, for man(1).
std::string ManualOf(const Verb* verb);
/// A completion script; "" for a shell that is not bash, zsh or fish.
std::string CompletionFor(std::string_view shell);
/// What would be typed to the same end: "sluice copy shop.db lake --table 'a b'". Secrets
/// are hidden, --resume and --restart left out.
std::string CommandLineOf(const Arguments& arguments);

}  // namespace sluice::cli
