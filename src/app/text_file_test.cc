#include "app/text_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

namespace sluice {
namespace {

std::string Told(const std::string& text, Place place, Showing showing = Showing::kLine) {
  return ErrorAt({"a.yaml", text}, place, "job.value", "wrong", "", showing).message();
}

TEST(TextFile, AnErrorShowsItsLineAndACaret) {
  EXPECT_EQ(Told("a: 1\n  colums: [id]\n", {2, 3}),
            "a.yaml:2:3: wrong\n  2 |   colums: ***\n    |   ^^^^^^");
  EXPECT_EQ(Told("sql: 'x y' # b\n", {1, 6}),
            "a.yaml:1:6: wrong\n  1 | sql: 'x y' \n    |      ^^^^^");
  EXPECT_EQ(Told("a: 1", {0, 0}), "a.yaml: wrong");
}

TEST(TextFile, TheCaretStaysBelowItsPlace) {
  EXPECT_EQ(Told("\tsql: b\r\n", {1, 7}),
            "a.yaml:1:7: wrong\n  1 |   sql: b\n    |        ^");
  EXPECT_EQ(Told("sql: é bad\n", {1, 9}),
            "a.yaml:1:8: wrong\n  1 | sql: é bad\n    |        ^^^");
  EXPECT_EQ(Told("sql: 表 bad\n", {1, 10}),
            "a.yaml:1:8: wrong\n  1 | sql: 表 bad\n    |         ^^^");
  EXPECT_EQ(Told("sql: e\u0301 bad\n", {1, 10}),
            "a.yaml:1:9: wrong\n  1 | sql: e\u0301 bad\n    |        ^^^");
}

TEST(TextFile, ALongLineIsCutAroundThePlace) {
  const std::string before(500, 'a'), after(500, 'z');
  const std::string told = Told("sql: " + before + " bad " + after, {1, 507});
  const size_t line = told.find('\n') + 1, marks = told.find('\n', line) + 1;
  EXPECT_EQ(told.substr(line, 9), "  1 | ...");
  EXPECT_LE(marks - line, 80u);
  EXPECT_TRUE(told.substr(0, marks - 1).ends_with("..."));
  EXPECT_EQ(told.find("bad", line) - line, told.find('^', marks) - marks);
  EXPECT_TRUE(told.ends_with("^^^"));
}

TEST(TextFile, APlaceBeyondTheTextIsNoPlaceOutsideMemory) {
  EXPECT_EQ(Told("a\n", {9, 9}), "a.yaml:9:1: wrong");
  EXPECT_EQ(Told("ab\n", {1, 99}), "a.yaml:1:3: wrong\n  1 | ***\n    | ^^^");
}

TEST(TextFile, ASecretIsNotShown) {
  EXPECT_EQ(Told("source: mysql://u:hunter2@h/d # x\nb: 1\n", {1, 33}).find("hunter2"),
            std::string::npos);
  for (const std::string& text :
       {std::string("secrets: {source.pasword: hunter2}"),
        std::string("secrets:\n  a: hunter2"),
        std::string("secrets: {a: hunter2, b: hunter2}"),
        std::string("{\"secrets\": {\"a\": \"hunter2\"}}"),
        std::string("secrets:\n  a: {\n    b: hunter2\n"),
        std::string("{\n\"secrets\": {\n\"a\":\n\"hunter2\"\n}}"),
        std::string("secrets: {a: hunter2: b}")}) {
    int lines = 1;
    for (const char c : text) lines += c == '\n' ? 1 : 0;
    for (int line = 1; line <= lines; ++line) {
      for (int column = 1; column < 40; ++column) {
        EXPECT_EQ(Told(text, {line, column}).find("hunter2"), std::string::npos)
            << text << " " << line << ":" << column << "\n"
            << Told(text, {line, column});
      }
    }
  }
  EXPECT_EQ(Told("source: mysql://u:a b@h/d", {1, 9}, Showing::kUpToPlace),
            "a.yaml:1:9: wrong\n  1 | source: ***\n    |         ^^^");
}

/// The secret is X7X: in a value, its own key unknown, beside another mistake, or without a quote's end.
TEST(TextFile, OnlyHarmlessValuesAreShown) {
  for (const std::string line :
       {"pass: X7X",
        "credentials: X7X",
        "aws_secret_key: X7X",
        "passwords: [X7X]",
        "passwords: [a, X7X]",
        "source: mysql://u@h/d?pass=X7X",
        "destination: s3://b/p?secret_key=a&X7X",
        "password: my X7X phrase",
        "password: Tr0ub&X7X)3",
        "secret: {source.password: X7X}",
        "secrets: X7X:y",
        "bogus: &X7X",
        "bogus: *X7X",
        "bogus: !X7X",
        "bogus: a # X7X",
        "  source: mysql://u:my X7X@h/d",
        "source: mysql://u:my X7X: x@h/d",
        "source: 'mysql://u:my X7X@h/d",
        "source: \"mysql://u:m\"y X7X@h/d\"",
        "source: mysql://u:a@b X7X@h/d",
        "source: mysql://u:my X7X",
        "source: mysql:u:my X7X@h",
        "source: !!str mysql://u:my X7X@h/d",
        "source: {host: h, pass: X7X}",
        "source: {host: h, password: \"a b,X7X\"}",
        "sourc: mysql://u:my X7X@h/d",
        "url: mysql://u:\"X7X@h/d",
        R"({"source":"mysql://u:my X7X@h/d","bogus":1})",
        R"({"bogus":"X7X","streams":{}})",
        "{source: mysql://u:my, X7X@h/d, bogus: 1}",
        "aws: {id: AKIA, secret_access_key: X7X}",
        "streams: {a: {destination: \"s3://k:my X7X@b/p\", bogus: 1}}",
        "X7X",
        "  X7X",
        "- X7X",
        "where: password = 'X7X'",
        "name: https://u:X7X@h",
        "source: mysql://u:${X7X}@h/d",
        "streams: {a: {where: x}} X7X",
        "columns: 'a' X7X"}) {
    for (const std::string above :
         {"", "password:\n", "a: {\n", "streams:\n  orders:\n"}) {
      for (int column = 1; column < 60; ++column) {
        const std::string told =
            Told(above + line + "\nz: 1\n",
                 {static_cast<int>(std::ranges::count(above, '\n')) + 1, column});
        EXPECT_EQ(told.find("X7X"), std::string::npos) << column << "\n" << told;
      }
    }
  }
  EXPECT_EQ(Told("streams: {a: {where: id > 1, compression: zst}}", {1, 43}),
            "a.yaml:1:43: wrong\n  1 | streams: {a: {where: id > 1, compression: zst}}\n"
            "    |                                           ^^^");
  EXPECT_EQ(Told("columns:\n  - id\n  - no\n", {3, 5}),
            "a.yaml:3:5: wrong\n  3 |   - no\n    |     ^^");
  EXPECT_EQ(
      Told("source: mysql://u:my X7X@h/d?tlss=on", {1, 9}),
      "a.yaml:1:9: wrong\n  1 | source: mysql://u:***@h/d?tlss=***\n    |         ^^^^^");
  EXPECT_EQ(Told("{\"source\":\"mysql://u:a b@h/d\",\"bogus\":1}", {1, 31}),
            "a.yaml:1:31: wrong\n  1 | {\"source\":\"mysql://u:***@h/d\",\"bogus\":***\n"
            "    |                               ^^^^^^^");
}

TEST(TextFile, ALongLineIsDrawnAtOnce) {
  constexpr size_t kSize = 1 << 20;
  for (const std::string piece :
       {"[", "{a: ", "- ", "\"a\": 1, ", "where: ", "source: a://b:c@d, ", "://", "'",
        "a@b: ", "\xe8\xa1\xa8"}) {
    std::string line;
    while (line.size() < kSize) line += piece;
    for (const std::string head : {"", "{\"where\": ", "source: "}) {
      for (const size_t at : {size_t{1}, kSize / 2, kSize}) {
        const clock_t begun = clock();  // Of this process: others may be busy.
        const std::string told = Told(head + line, {1, static_cast<int>(at)});
        EXPECT_LT(told.size(), 400u);
        EXPECT_LT(clock() - begun, 2 * CLOCKS_PER_SEC) << head << piece << at;
      }
    }
  }
}

}  // namespace
}  // namespace sluice
