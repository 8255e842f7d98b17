#include <fmt/format.h>

#include "cli/options.h"
#include "sluice/version.h"

namespace sluice::cli {
namespace {

/// Text as roff reads it: no line begins a request, no dash is taken for a hyphen.
std::string Roff(std::string_view text) {
  std::string out;
  bool at_begin = true;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (at_begin && (c == '.' || c == '\'')) out += "\\&";
    at_begin = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '~') {
      out += "\\(ti";
    } else if (c == '^') {
      out += "\\(ha";
    } else if (text.substr(i).starts_with("…")) {
      out += "...";
      i += std::string_view("…").size() - 1;
    } else {
      out += c;
    }
  }
  return out;
}

std::string Head(std::string_view page, std::string_view summary) {
  return fmt::format(".TH {} 1 \"\" \"sluice {}\" \"sluice\"\n.SH NAME\n{} \\- {}\n",
                     page, sluice::kVersion, Roff(page), Roff(summary));
}

constexpr std::string_view kExit =
    ".SH EXIT STATUS\n"
    "0 done; 1 failed; 2 the request is wrong; 3 verification mismatch; 4 another run holds\n"
    "the job; 5 may go away by itself, the same command resumes; 6 the source or the state\n"
    "needs an operator; 7 the destination refuses; 8 a bound of memory or disk of our own;\n"
    "130 or 143 stopped by a signal.\n";

std::string SeeAlso(const Verb* but) {
  std::string names = but == nullptr ? "" : ".BR sluice (1)";
  for (const Verb& verb : Verbs()) {
    if (&verb == but) continue;
    names += fmt::format("{}.BR sluice\\-{} (1)", names.empty() ? "" : ",\n", verb.name);
  }
  return ".SH SEE ALSO\n" + names + "\n";
}

std::string OptionsOf(const Verb& verb) {
  std::string text;
  for (const Option& option : Options()) {
    if ((option.verbs & verb.bit) == 0 || option.shape == OptionShape::kLater) continue;
    const bool may = option.shape == OptionShape::kChoice;
    text += fmt::format(".TP\n\\fB{}\\fR", Roff(option.name));
    if (!option.value.empty()) {
      text += fmt::format(" {}\\fI{}\\fR{}", may ? "[" : "", Roff(option.value),
                          may ? "]" : "");
    }
    text += "\n" + Roff(option.help) + ".\n";
  }
  return text.empty() ? text : ".SH OPTIONS\n" + text;
}

std::string ManualOfProgram() {
  std::string text = Head("sluice", "copies tables out of SQL databases, exactly once");
  text +=
      ".SH SYNOPSIS\n.B sluice\n.I VERB ARGUMENTS\n.RI [ OPTIONS ]\n"
      ".SH DESCRIPTION\n"
      "Tables leave a SQL database and arrive as Parquet files on a disk or in S3, exactly "
      "once: a run\nthat was killed at any moment is resumed by the same command.\n"
      ".SH VERBS\n";
  for (const Verb& verb : Verbs()) {
    text += fmt::format(".TP\n.BR sluice\\-{} (1)\n{}.\n", verb.name, Roff(verb.summary));
  }
  return text + std::string(kExit) +
         ".SH FILES\n.TP\n.I $XDG_STATE_HOME/sluice/state.db\n"
         "The state, without \\-\\-state; else \\(ti/.local/state/sluice/state.db.\n" +
         SeeAlso(nullptr);
}

}  // namespace

std::string ManualOf(const Verb* verb) {
  if (verb == nullptr) return ManualOfProgram();
  std::string text = Head(fmt::format("sluice-{}", verb->name), verb->summary);
  text += fmt::format(".SH SYNOPSIS\n.B sluice {}\n", verb->name);
  if (!verb->arguments.empty()) text += fmt::format(".I {}\n", Roff(verb->arguments));
  if (verb->bit != kCompletion) text += ".RI [ OPTIONS ]\n";
  text += OptionsOf(*verb);
  text += ".SH EXAMPLES\n.nf\n" + Roff(verb->examples) + ".fi\n";
  return text + std::string(kExit) + SeeAlso(verb);
}

}  // namespace sluice::cli
