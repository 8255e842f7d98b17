#include <fmt/format.h>

#include <algorithm>

#include "cli/options.h"
#include "cli/topics.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

bool IsShown(const Option& option, const Verb& verb) {
  return (option.verbs & verb.bit) != 0 && option.shape != OptionShape::kLater;
}

std::string VerbNames() {
  std::string names;
  for (const Verb& verb : Verbs())
    names += (names.empty() ? "" : " ") + std::string(verb.name);
  return names;
}

std::string TopicNames() {
  std::string names;
  for (const Topic& topic : Topics()) names += fmt::format(" {}", topic.name);
  return names;
}

/// The words a verb's arguments are chosen from; "" where they are files.
std::string ArgumentWords(const Verb& verb) {
  if (verb.bit == kHelp) return VerbNames() + TopicNames();
  if (verb.bit == kCompletion) return "bash zsh fish";
  return {};
}

/// In single quotes of a shell.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

/// In a message of zsh's _arguments: brackets and colons mean something there.
std::string ForZsh(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string Bash() {
  std::string text =
      "# bash completion for sluice; made by: sluice completion bash\n"
      "_sluice() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local verb= options= words=\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n";
  text += fmt::format(
      "    COMPREPLY=($(compgen -W '{} --help --version' -- \"$word\"))\n"
      "    return\n  fi\n  verb=${{COMP_WORDS[1]}}\n  case $verb in\n",
      VerbNames());
  for (const Verb& verb : Verbs()) {
    std::string options;
    for (const Option& option : Options()) {
      if (IsShown(option, verb))
        options += (options.empty() ? "" : " ") + std::string(option.name);
    }
    text += fmt::format("    {}) options='{}' words='{}' ;;\n", verb.name, options,
                        ArgumentWords(verb));
  }
  text += "    *) return ;;\n  esac\n  case $before in\n";
  std::string free;
  for (const Option& option : Options()) {
    if (option.shape == OptionShape::kLater || option.value.empty() ||
        option.shape == OptionShape::kChoice) {
      continue;
    }
    const std::string_view choices = ChoicesOf(option.name);
    if (choices.empty()) {
      free += (free.empty() ? "" : "|") + std::string(option.name);
    } else {
      text +=
          fmt::format("    {}) COMPREPLY=($(compgen -W '{}' -- \"$word\")); return ;;\n",
                      option.name, choices);
    }
  }
  text += fmt::format(
      "    {}) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n  esac\n", free);
  text +=
      "  case $word in\n"
      "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
      "    *) if [ -n \"$words\" ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "       else COMPREPLY=($(compgen -f -- \"$word\")); fi ;;\n"
      "  esac\n"
      "}\n"
      "complete -o filenames -F _sluice sluice\n";
  return text;
}

std::string ZshOption(const Option& option) {
  const std::string repeat = option.shape == OptionShape::kValues ? "*" : "";
  std::string spec = fmt::format("{}{}[{}]", repeat, option.name, ForZsh(option.help));
  if (option.shape == OptionShape::kChoice) {
    spec = fmt::format("{}=-[{}]::{}:({})", option.name, ForZsh(option.help),
                       option.value, ChoicesOf(option.name));
  } else if (!option.value.empty()) {
    const std::string_view choices = ChoicesOf(option.name);
    spec += fmt::format(":{}:{}", ForZsh(option.value),
                        choices.empty() ? "_files" : fmt::format("({})", choices));
  }
  return Quoted(spec);
}

std::string Zsh() {
  std::string text =
      "#compdef sluice\n"
      "# zsh completion for sluice; made by: sluice completion zsh\n"
      "_sluice() {\n"
      "  if (( CURRENT == 2 )); then\n"
      "    local -a verbs=(\n";
  for (const Verb& verb : Verbs()) {
    text += fmt::format("      {}\n",
                        Quoted(fmt::format("{}:{}", verb.name, ForZsh(verb.summary))));
  }
  text +=
      "    )\n"
      "    _describe verb verbs\n"
      "    return\n"
      "  fi\n"
      "  local verb=$words[2]\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n"
      "  case $verb in\n";
  for (const Verb& verb : Verbs()) {
    text += fmt::format("    {})\n      _arguments \\\n", verb.name);
    for (const Option& option : Options()) {
      if (IsShown(option, verb))
        text += fmt::format("        {} \\\n", ZshOption(option));
    }
    const std::string words = ArgumentWords(verb);
    text += fmt::format("        {}\n      ;;\n",
                        Quoted(words.empty() ? "*:argument:_files"
                                             : fmt::format("*:argument:({})", words)));
  }
  text +=
      "  esac\n"
      "}\n"
      "# As a file of $fpath this is the function's body; sourced, it makes it known.\n"
      "if [[ ${funcstack[1]-} == _sluice ]]; then _sluice \"$@\"; else compdef _sluice "
      "sluice; fi\n";
  return text;
}

std::string Fish() {
  std::string text =
      "# fish completion for sluice; made by: sluice completion fish\n"
      "complete -c sluice -n __fish_use_subcommand -f\n";
  for (const Verb& verb : Verbs()) {
    text += fmt::format("complete -c sluice -n __fish_use_subcommand -a {} -d {}\n",
                        verb.name, Quoted(verb.summary));
  }
  for (const Verb& verb : Verbs()) {
    const std::string when =
        fmt::format("-n '__fish_seen_subcommand_from {}'", verb.name);
    const std::string words = ArgumentWords(verb);
    if (!words.empty())
      text += fmt::format("complete -c sluice {} -f -a '{}'\n", when, words);
    for (const Option& option : Options()) {
      if (!IsShown(option, verb)) continue;
      const std::string_view choices = ChoicesOf(option.name);
      std::string value;
      if (!choices.empty()) {
        value = fmt::format(" -f -a '{}'", choices);
        if (option.shape != OptionShape::kChoice) value += " -r";
      } else if (!option.value.empty()) {
        value = " -r";
      }
      text += fmt::format("complete -c sluice {} -l {}{} -d {}\n", when,
                          option.name.substr(2), value, Quoted(option.help));
    }
  }
  return text;
}

}  // namespace

std::string CompletionFor(std::string_view shell) {
  if (shell == "bash") return Bash();
  if (shell == "zsh") return Zsh();
  return shell == "fish" ? Fish() : std::string();
}

Outcome Completion(const Invocation& invocation) {
  const std::string& shell = invocation.arguments.positionals.front();
  Outcome outcome;
  outcome.text = CompletionFor(shell);
  if (!outcome.text.empty()) return outcome;
  return Failed(Error(ErrorKind::kUsage, "cli.shell",
                      fmt::format("no completion for the shell {}", shell),
                      "there is one for bash, zsh and fish"));
}

}  // namespace sluice::cli
