#include "cli/command_line.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/settings.h"
#include "base/type_policy.h"

namespace sluice::cli {
namespace {

std::string Refused(const std::vector<std::string>& words) {
  const auto arguments = ParseCommandLine(words);
  if (arguments.ok()) return "accepted";
  EXPECT_EQ(KindOf(arguments.status()), ErrorKind::kUsage);
  return arguments.status().message() + " | " + std::string(HintOf(arguments.status()));
}

TEST(CommandLine, AVerbItsArgumentsAndItsOptions) {
  const auto arguments = ParseCommandLine({"copy", "a.db", "--table", "x", "lake",
                                           "--table=y", "--json", "--where", "-1 < id"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->verb->name, "copy");
  EXPECT_EQ(arguments->positionals, (std::vector<std::string>{"a.db", "lake"}));
  EXPECT_EQ(arguments->Values("--table"), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(arguments->Value("--where"), "-1 < id");
  EXPECT_TRUE(arguments->Has("--json"));
  EXPECT_FALSE(arguments->Has("--quiet"));
}

TEST(CommandLine, AfterTwoDashesEverythingIsAnArgument) {
  const auto arguments = ParseCommandLine({"copy", "--", "--odd.db", "lake"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->positionals[0], "--odd.db");
}

TEST(CommandLine, HelpWinsOverMistakes) {
  const auto arguments = ParseCommandLine({"copy", "--frut", "--help"});
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->verb->name, "help");
  EXPECT_EQ(arguments->positionals, std::vector<std::string>{"copy"});
  EXPECT_EQ(ParseCommandLine({"--version"})->verb->name, "version");
  EXPECT_EQ(ParseCommandLine({"--help"})->verb->name, "help");
}

TEST(CommandLine, MistakesAreToldWithTheNearestWord) {
  EXPECT_EQ(Refused({}), "expected a verb | sluice --help lists the verbs");
  EXPECT_EQ(Refused({"cop", "a", "b"}), "unknown verb cop | did you mean copy?");
  EXPECT_EQ(Refused({"fruit"}), "unknown verb fruit | sluice --help lists the verbs");
  EXPECT_EQ(Refused({"archive"}),
            "archive is not in this version | sluice --help lists the verbs");
  EXPECT_EQ(Refused({"--json", "copy"}),
            "expected a verb before the options, found --json | write sluice VERB "
            "ARGUMENTS OPTIONS");
  EXPECT_EQ(Refused({"copy", "a", "b", "--tabel", "x"}),
            "unknown option --tabel | did you mean --table?");
  EXPECT_EQ(Refused({"copy", "a", "b", "--fruit=1"}),
            "unknown option --fruit | sluice copy --help lists its options");
  EXPECT_EQ(Refused({"copy", "a", "b", "--dry-run"}),
            "sluice copy has no option --dry-run | sluice copy --help lists its options");
  EXPECT_EQ(Refused({"copy", "a", "b", "-x"}),
            "unknown option -x | sluice copy --help lists its options");
  EXPECT_EQ(Refused({"run", "a.yaml", "--execute"}),
            "--execute is not in this version | ");
  EXPECT_EQ(Refused({"copy", "a", "b", "--memory"}), "--memory needs a value | ");
  EXPECT_EQ(Refused({"copy", "a", "b", "--memory", "1GiB", "--memory", "2GiB"}),
            "--memory is given twice | ");
  EXPECT_EQ(Refused({"copy", "a"}),
            "sluice copy expects SOURCE_URI DEST_URI, found a | sluice copy --help shows "
            "examples");
  EXPECT_EQ(Refused({"run"}),
            "sluice run expects JOB, found nothing | sluice run --help shows examples");
  EXPECT_EQ(Refused({"version", "x"}),
            "sluice version expects no arguments, found x | sluice version --help shows "
            "examples");
}

/// SLUICE_UPDATE_GOLDEN=1 rewrites.
TEST(Help, ReadsAsItDid) {
  for (const std::string name : {"sluice", "copy"}) {
    const auto path =
        std::filesystem::path(__FILE__).parent_path() / ("help_" + name + ".golden");
    const std::string help = name == "sluice" ? OverallHelp() : HelpOf(*FindVerb(name));
    if (std::getenv("SLUICE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << help;
    std::ostringstream golden;
    golden << std::ifstream(path).rdbuf();
    EXPECT_EQ(help, golden.str()) << path;
  }
}

TEST(Help, EveryVerbHasHelpThatFitsAScreen) {
  for (const Verb& verb : Verbs()) {
    std::istringstream lines(HelpOf(verb));
    for (std::string line; std::getline(lines, line);)
      EXPECT_LE(line.size(), 90u) << line;
  }
}

TEST(CommandLine, WhatTheMysqlClientReadsIsExplained) {
  for (const char* option : {"--defaults-file=x", "--login-path=x", "--password=x"}) {
    const std::string told = Refused({"copy", "a", "b", option});
    EXPECT_NE(told.find("sluice reads no option files"), std::string::npos) << told;
    EXPECT_NE(told.find("${env:NAME}"), std::string::npos) << told;
  }
}

TEST(CommandLine, EveryPolicyIsAnOption) {
  for (const TypePolicy& policy : TypePolicies()) {
    const auto found = ParseCommandLine({"copy", "a", "b", FlagOf(policy.name), "x"});
    ASSERT_TRUE(found.ok()) << policy.name;
    EXPECT_EQ(found->Value(FlagOf(policy.name)), "x");
  }
}

}  // namespace
}  // namespace sluice::cli
