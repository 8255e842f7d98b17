#include "cli/hidden_passwords.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::cli {
namespace {

/// The arguments as the process list has them afterwards, and "!" where there is a warning.
std::string Left(std::vector<std::string> words) {
  std::vector<char*> argv = {nullptr};
  for (std::string& word : words) argv.push_back(word.data());
  const bool warns = HidePasswords(static_cast<int>(argv.size()), argv.data());
  std::string left = warns ? "!" : "";
  for (const std::string& word : words) left += " " + word;
  return left;
}

TEST(HiddenPasswords, APasswordIsOverwrittenInPlaceAndWarnedOf) {
  EXPECT_EQ(Left({"copy", "mysql://u:hunter2@h/d", "lake"}),
            "! copy mysql://u:*******@h/d lake");
  EXPECT_EQ(Left({"mysql://u:p@h/d"}), "! mysql://u:*@h/d");
  EXPECT_EQ(Left({"--source=mysql://u:a@b/c@h/d"}), "! --source=mysql://u:*****@h/d");
  EXPECT_EQ(Left({"mysql://u:***@h/d"}), "! mysql://u:***@h/d");
}

TEST(HiddenPasswords, APasswordMayHoldAnyCharacter) {
  EXPECT_EQ(Left({"copy", "mysql://u:my s'e\"c<r>#@h/d"}),
            "! copy mysql://u:************@h/d");
  EXPECT_EQ(Left({"copy", "-phunter2"}), " copy -p*******");
  EXPECT_EQ(Left({"copy", "--password", "hunter2"}), " copy --password *******");
}

TEST(HiddenPasswords, WhatHasNoneStays) {
  EXPECT_EQ(Left({"copy", "mysql://u@h:3306/d", "s3://b/p?region=x"}),
            " copy mysql://u@h:3306/d s3://b/p?region=x");
  EXPECT_EQ(Left({}), "");
}

}  // namespace
}  // namespace sluice::cli
