#include "app/settings.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "app/open_job.h"

namespace sluice {
namespace {

std::string Told(const Status& status) {
  return status.message() + " | " + std::string(HintOf(status));
}

TEST(Settings, WhatIsSaidOverWins) {
  Settings under, over;
  under.memory = 1;
  under.connections = 2;
  over.memory = 3;
  ASSERT_TRUE(SetSetting("compression", "zstd:9", &under).ok());
  ASSERT_TRUE(SetSetting("compression", "snappy", &over).ok());
  under.policies = {{"zero_date", "null"}, {"tinyint1", "bool"}};
  over.policies = {{"zero_date", "error"}};
  under.column_policies["d"] = {{"zero_date", "null"}};
  over.column_policies["d"] = {{"time", "micros"}};
  const Settings merged = Merge(under, over);
  EXPECT_EQ(merged.memory, 3);
  EXPECT_EQ(merged.connections, 2);
  EXPECT_EQ(merged.compression, "snappy");
  EXPECT_EQ(merged.compression_level, 0);
  EXPECT_EQ(merged.policies, (Policies{{"zero_date", "error"}, {"tinyint1", "bool"}}));
  EXPECT_EQ(merged.column_policies.at("d"),
            (Policies{{"zero_date", "null"}, {"time", "micros"}}));
}

TEST(Settings, ACompressionHasACodecAndPerhapsALevel) {
  Settings settings;
  EXPECT_TRUE(SetSetting("compression", "zstd", &settings).ok());
  EXPECT_EQ(settings.compression_level, 1);
  EXPECT_EQ(SetSetting("compression", "gzip", &settings).message(),
            "compression must be zstd or snappy or none, found gzip");
  EXPECT_EQ(SetSetting("compression", "zstd:99", &settings).message(),
            "the level of zstd must be a whole number from 1 to 22, found 99");
  EXPECT_EQ(SetSetting("compression", "snappy:1", &settings).message(),
            "snappy has no levels, found snappy:1");
}

TEST(Settings, WhatIsShownCanBeSetAgain) {
  const std::pair<const char*, const char*> words[] = {
      {"memory", "512MiB"},         {"connections", "3"},
      {"rate", "50MiB/s"},          {"consistency", "per-chunk"},
      {"compression", "zstd:7"},    {"file_size", "1MiB"},
      {"verify", "content"},        {"keep_versions", "4"},
      {"on_type_mismatch", "null"}, {"path", "{schema}/{table}/{load}"},
      {"zero_date", "string"},      {"uuid", "a,b"}};
  for (const auto& [name, text] : words) {
    Settings settings;
    EXPECT_EQ(ShowSetting(name, settings), "") << name;
    ASSERT_TRUE(SetSetting(name, text, &settings).ok()) << name;
    EXPECT_NE(ShowSetting(name, settings), "") << name;
  }
  EXPECT_EQ(FlagOf("file_size"), "--file-size");
  EXPECT_EQ(VariableOf("file_size"), "SLUICE_FILE_SIZE");
}

TEST(Settings, AFlagBeatsTheEnvironmentThatBeatsTheFile) {
  JobRequest request;
  request.flags.memory = 64 << 20;
  request.environment.memory = 65 << 20;
  request.environment.connections = 3;
  request.job.settings.connections = 4;
  request.job.settings.file_size = 1 << 20;
  std::map<std::string, std::string> shown;
  for (const SettingShown& setting : ShownSettings(request))
    shown[setting.name] = setting.value + " " + setting.origin;
  EXPECT_EQ(shown["memory"], "64.0 MiB flag");
  EXPECT_EQ(shown["connections"], "3 environment");
  EXPECT_EQ(shown["file_size"], "1.0 MiB file");
  EXPECT_EQ(shown["compression"], "zstd:1 default");
  EXPECT_FALSE(shown.contains("rate"));
}

TEST(Settings, TheEnvironmentHasTheNamesOfTheFlags) {
  setenv("SLUICE_RATE", "2MiB/s", 1);
  setenv("SLUICE_ZERO_DATE", "null", 1);
  const auto settings = SettingsFromEnvironment();
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->rate, 2 << 20);
  EXPECT_EQ(settings->policies, (Policies{{"zero_date", "null"}}));
  setenv("SLUICE_RATE", "fast", 1);
  EXPECT_EQ(SettingsFromEnvironment().status().message(),
            "SLUICE_RATE: expected a rate such as 50MiB/s, found fast");
  unsetenv("SLUICE_RATE");
  unsetenv("SLUICE_ZERO_DATE");
}

TEST(Settings, APathIsATemplate) {
  Settings settings;
  EXPECT_TRUE(SetSetting("path", "{schema}/{table}/dt={date}/{load}", &settings).ok());
  EXPECT_EQ(IdOf(SetSetting("path", "{schema}/{table}/x", &settings)), "path.template");
}

TEST(Settings, APolicyHasItsWordsAndNoOther) {
  EXPECT_TRUE(CheckPolicyWord("zero_date", "null").ok());
  EXPECT_TRUE(CheckPolicyWord("on_type_mismatch", "string").ok());
  EXPECT_FALSE(CheckPolicyWord("on_type_mismatch", "replace").ok());
  EXPECT_EQ(Told(CheckPolicyWord("zero_date", "nul")),
            "zero_date must be error or null or string, found nul | did you mean null?");
  EXPECT_EQ(Told(CheckPolicyWord("zero_dat", "null")),
            "no such type policy: zero_dat | did you mean zero_date?");
}

}  // namespace
}  // namespace sluice
