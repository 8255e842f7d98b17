#include "base/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sluice {
namespace {

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SetLogWriter([this](std::string_view line) { lines_ += line; });
  }
  void TearDown() override {
    SetLogWriter(nullptr);
    SetLogRun("");
    ConfigureLog({});
  }
  std::string lines_;
};

TEST_F(LogTest, PeopleSeeLevelMessageAndFields) {
  Log(LogLevel::kWarning, "the source moved",
      {{"stream", "orders"}, {"load", ""}, {"chunk", "7"}});
  EXPECT_EQ(lines_, "warning: the source moved (stream orders, chunk 7)\n");
}

TEST_F(LogTest, WhatIsBelowTheLevelIsNotWritten) {
  Log(LogLevel::kInfo, "opened");
  EXPECT_EQ(lines_, "");
  ConfigureLog({LogFormat::kHuman, LogLevel::kInfo});
  Log(LogLevel::kInfo, "opened");
  EXPECT_EQ(lines_, "opened\n");
}

TEST_F(LogTest, AJsonLineHasRunAndFields) {
  ConfigureLog({LogFormat::kJson, LogLevel::kWarning});
  SetLogRun("0198");
  Log(LogLevel::kError, "bad \xff byte\nand a line", {{"stream", "orders"}});
  const auto line = nlohmann::json::parse(lines_);
  EXPECT_EQ(line["level"], "error");
  EXPECT_EQ(line["run"], "0198");
  EXPECT_EQ(line["stream"], "orders");
  EXPECT_EQ(line["message"], "bad \xef\xbf\xbd byte\nand a line");
  EXPECT_EQ(std::count(lines_.begin(), lines_.end(), '\n'), 1);
}

TEST_F(LogTest, ANumberIsANumberInJson) {
  ConfigureLog({LogFormat::kJson, LogLevel::kWarning});
  Log(LogLevel::kError, "no", {{"chunk", "7", /*is_number=*/true}, {"stream", "8"}});
  const auto line = nlohmann::json::parse(lines_);
  EXPECT_EQ(line["chunk"], 7);
  EXPECT_EQ(line["stream"], "8");
}

TEST_F(LogTest, AnObjectIsJsonWhateverTheFormatAndHidesSecrets) {
  SetLogRun("0198");
  LogObject(LogLevel::kInfo, "to mysql://u:hunter2@h/d",
            {{"event", "phase"}, {"at", "x?password=abc"}});
  const auto line = nlohmann::json::parse(lines_);
  EXPECT_EQ(line["run"], "0198");
  EXPECT_EQ(line["event"], "phase");
  EXPECT_EQ(line["message"], "to mysql://u:***@h/d");
  EXPECT_EQ(line["at"], "x?password=***");
}

TEST_F(LogTest, NamesAndNumbersStayAndJsonStaysJson) {
  LogObject(LogLevel::kInfo, "at",
            {{"stream", "token="},
             {"tables", {{"token", 5}, {"token=", 6}, {"password", 7}}},
             {"tries", {"x?password=\"abc"}},
             {"token", "abc"}});
  const auto line = nlohmann::json::parse(lines_);
  EXPECT_EQ(line["stream"], "token=");
  EXPECT_EQ(line["tables"]["token"], 5);
  EXPECT_EQ(line["tables"]["token="], 6);
  EXPECT_EQ(line["tables"]["password"], 7);
  EXPECT_EQ(line["token"], "***");
  EXPECT_EQ(lines_.find("abc"), std::string::npos);
  lines_.clear();
  Log(LogLevel::kError, "no", {{"stream", "token"}, {"chunk", "7", /*is_number=*/true}});
  EXPECT_EQ(lines_, "error: no (stream token, chunk 7)\n");
}

TEST_F(LogTest, EveryLinePassesTheRedactor) {
  Log(LogLevel::kError, "cannot open mysql://u:hunter2@h/d", {{"uri", "x?password=abc"}});
  EXPECT_EQ(lines_, "error: cannot open mysql://u:***@h/d (uri x?password=***)\n");
  lines_.clear();
  ConfigureLog({LogFormat::kJson, LogLevel::kWarning});
  Log(LogLevel::kError, "said \"password\": \"abc\"");
  EXPECT_EQ(lines_.find("abc"), std::string::npos);
}

}  // namespace
}  // namespace sluice
