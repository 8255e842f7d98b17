#include "app/secrets.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "app/connectors.h"
#include "base/redact.h"
#include "base/uri.h"
#include "testing/scratch_folder.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

class SecretsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("SHOP_PASSWORD", "p@ss/w:rd?&#%é ", 1);
    setenv("SHOP_EMPTY", "", 1);
    unsetenv("SHOP_MISSING");
  }
  void TearDown() override {
    unsetenv("SHOP_PASSWORD");
    unsetenv("SHOP_EMPTY");
  }
  std::string File(const std::string& text, fs::perms mode) {
    const fs::path path = fs::path(folder_.path()) / "secret";
    std::ofstream(path, std::ios::binary) << text;
    fs::permissions(path, mode);
    return path.string();
  }
  static std::string Told(const Status& status) {
    EXPECT_EQ(KindOf(status), ErrorKind::kUsage);
    return status.message() + " | " + std::string(HintOf(status));
  }
  ScratchFolder folder_;
};

TEST_F(SecretsTest, AVariableIsReplaced) {
  EXPECT_EQ(*ReplaceReferences("a ${env:SHOP_PASSWORD}b", {}), "a p@ss/w:rd?&#%é b");
  EXPECT_EQ(*ReplaceReferences("none", {}), "none");
  EXPECT_EQ(
      Told(ReplaceReferences("${env:SHOP_MISSING}", {}).status()),
      "the environment variable SHOP_MISSING is not set | set SHOP_MISSING where "
      "sluice is started; cron and systemd pass few variables: give them a file of it to read, "
      "or write ${file:/path}");
  EXPECT_FALSE(ReplaceReferences("${env:SHOP_EMPTY}", {}).ok());
  EXPECT_FALSE(ReplaceReferences("${env:A B}", {}).ok());
  EXPECT_FALSE(ReplaceReferences("${env:", {}).ok());
  EXPECT_FALSE(ReplaceReferences("${vault:x}", {}).ok());
}

TEST_F(SecretsTest, InAUriItIsEncodedForItsPlace) {
  const auto uri = ReplaceInUri("mysql://u:${env:SHOP_PASSWORD}@h/d", {});
  ASSERT_TRUE(uri.ok());
  const auto parsed = ParseUri(*uri);
  ASSERT_TRUE(parsed.ok()) << *uri;
  EXPECT_EQ(ParseAuthority(*parsed)->password, "p@ss/w:rd?&#%é ");
  setenv("SHOP_PASSWORD", "/data/lake", 1);
  EXPECT_EQ(*ReplaceInUri("${env:SHOP_PASSWORD}/x", {}), "/data/lake/x");
  EXPECT_EQ(*ReplaceInUri("file:${env:SHOP_PASSWORD}", {}), "file:/data/lake");
  EXPECT_EQ(*ReplaceInUri("file://${env:SHOP_PASSWORD}", {}), "file:///data/lake");
  EXPECT_EQ(*ReplaceInUri("s3://b${env:SHOP_PASSWORD}", {}), "s3://b%2Fdata%2Flake");
  EXPECT_EQ(*ReplaceInUri("s3://b/x?endpoint=${env:SHOP_PASSWORD}", {}),
            "s3://b/x?endpoint=%2Fdata%2Flake");
  setenv("SHOP_PASSWORD", "mysql://u:p@h/d", 1);
  EXPECT_EQ(*ReplaceInUri("${env:SHOP_PASSWORD}", {}), "mysql://u:p@h/d");
}

TEST_F(SecretsTest, AFileIsReadOnlyWhereOthersCannotReadIt) {
  const std::string path = File("hunter2\n", fs::perms::owner_read);
  EXPECT_EQ(*ReplaceReferences("${file:" + path + "}", {}), "hunter2");
  File("two\n\n", fs::perms::owner_all);
  EXPECT_EQ(*ReplaceReferences("${file:" + path + "}", {}), "two\n");
  for (const fs::perms others : {fs::perms::group_read, fs::perms::others_read}) {
    File("hunter2", fs::perms::owner_read | others);
    const std::string told = Told(ReplaceReferences("${file:" + path + "}", {}).status());
    EXPECT_NE(told.find("is open to others"), std::string::npos) << told;
    EXPECT_TRUE(told.ends_with("| chmod 600 " + path)) << told;
  }
  File("", fs::perms::owner_read);
  EXPECT_FALSE(ReplaceReferences("${file:" + path + "}", {}).ok());
  EXPECT_FALSE(ReplaceReferences("${file:secret}", {}).ok());
  EXPECT_FALSE(ReplaceReferences("${file:/nonexistent}", {}).ok());
  EXPECT_FALSE(ReplaceReferences("${file:/}", {}).ok());
}

TEST_F(SecretsTest, ACommandRunsOnlyWhereItIsAllowed) {
  EXPECT_EQ(*ReplaceReferences("${cmd:echo hunter2}", {.allow_commands = true}),
            "hunter2");
  EXPECT_EQ(IdOf(ReplaceReferences("${cmd:echo hunter2}", {}).status()),
            "secret.command");
  const Status failed =
      ReplaceReferences("${cmd:sh -c 'echo hunter2; exit 3'}", {.allow_commands = true})
          .status();
  EXPECT_EQ(IdOf(failed), "secret.command");
  EXPECT_EQ(failed.ToString().find("hunter2"), std::string::npos);
}

TEST_F(SecretsTest, APasswordInLettersIsSeen) {
  for (const char* uri :
       {"mysql://u:p@h/d", "mysql://u:p@ss@h/d", "mysql://u:p w@h/d",
        "mysql://${env:U}:p@h/d", "mysql://u:${env:A}x@h/d", "mysql://u:x${env:A}@h/d"})
    EXPECT_TRUE(HasLiteralPassword(uri)) << uri;
  for (const char* uri :
       {"mysql://u@h/d", "mysql://h:3306/d", "mysql://u:${env:A}@h/d",
        "mysql://${env:U}@h/d", "sqlite:///a:b@c.db", "s3://b/p:q@r", "mysql://u:@h/d",
        "shop.db", "${env:URL}", "mysql://u:${file:/a@b:c}@h/d"})
    EXPECT_FALSE(HasLiteralPassword(uri)) << uri;
}

TEST_F(SecretsTest, APasswordIsPutWhereItBelongs) {
  EXPECT_EQ(*WithPassword("mysql://u@h:3306/d?tls=required", "p@:/"),
            "mysql://u:p%40%3A%2F@h:3306/d?tls=required");
  EXPECT_EQ(IdOf(WithPassword("mysql://u:x@h/d", "p").status()), "secret.twice");
  EXPECT_EQ(IdOf(WithPassword("shop.db", "p").status()), "secret.no-account");
  std::string password;
  EXPECT_EQ(WithoutPassword("mysql://u:${env:A}@h/d", &password), "mysql://u@h/d");
  EXPECT_EQ(password, "${env:A}");
  EXPECT_EQ(WithoutPassword("mysql://u@h/d", &password), "mysql://u@h/d");
  EXPECT_EQ(password, "");
}

TEST_F(SecretsTest, WhatWasReplacedIsHiddenFromThenOn) {
  setenv("SHOP_PASSWORD", "gr8 Secret#1", 1);
  ASSERT_TRUE(ReplaceReferences("${env:SHOP_PASSWORD}", {}).ok());
  EXPECT_EQ(Redact("denied: gr8 Secret#1"), "denied: ***");
  setenv("SHOP_PASSWORD", "mysql://u:an other#1@h/gr9", 1);
  ASSERT_TRUE(ReplaceInUri("${env:SHOP_PASSWORD}", {}).ok());
  EXPECT_EQ(Redact("denied: an other#1 on gr9"), "denied: *** on gr9");
  setenv("SHOP_PASSWORD", "p/third 3", 1);
  ASSERT_TRUE(ReplaceInUri("mysql://u:${env:SHOP_PASSWORD}@h/d", {}).ok());
  EXPECT_EQ(Redact("p/third 3, p%2Fthird%203"), "***, ***");
  HidePasswordOf("mysql://reader:reader@h/d");
  EXPECT_EQ(Redact("user reader"), "user reader") << "it is shown anyway";
}

}  // namespace
}  // namespace sluice
