#include "app/text_file.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string Told(const std::string& text, Place place, Showing showing = Showing::kLine) {
  return ErrorAt({"a.yaml", text}, place, "job.value", "wrong", "", showing).message();
}

TEST(TextFile, AnErrorShowsItsLineAndACaret) {
  EXPECT_EQ(Told("a: 1\n  colums: [id]\n", {2, 3}),
            "a.yaml:2:3: wrong\n  2 |   colums: [id]\n    |   ^^^^^^");
  EXPECT_EQ(Told("a: 'x y', b\n", {1, 4}),
            "a.yaml:1:4: wrong\n  1 | a: 'x y', b\n    |    ^^^^^");
  EXPECT_EQ(Told("a: 1", {0, 0}), "a.yaml: wrong");
}

TEST(TextFile, TheCaretStaysBelowItsPlace) {
  EXPECT_EQ(Told("\ta: b\r\n", {1, 5}), "a.yaml:1:5: wrong\n  1 |   a: b\n    |      ^");
  EXPECT_EQ(Told("é: bad\n", {1, 5}), "a.yaml:1:4: wrong\n  1 | é: bad\n    |    ^^^");
  EXPECT_EQ(Told("表: bad\n", {1, 6}), "a.yaml:1:4: wrong\n  1 | 表: bad\n    |     ^^^");
  EXPECT_EQ(Told("e\u0301: bad\n", {1, 6}),
            "a.yaml:1:5: wrong\n  1 | e\u0301: bad\n    |    ^^^");
}

TEST(TextFile, ALongLineIsCutAroundThePlace) {
  const std::string before(500, 'a'), after(500, 'z');
  const std::string told = Told(before + " bad " + after, {1, 502});
  const size_t line = told.find('\n') + 1, marks = told.find('\n', line) + 1;
  EXPECT_EQ(told.substr(line, 9), "  1 | ...");
  EXPECT_LE(marks - line, 80u);
  EXPECT_TRUE(told.substr(0, marks - 1).ends_with("..."));
  EXPECT_EQ(told.find("bad", line) - line, told.find('^', marks) - marks);
  EXPECT_TRUE(told.ends_with("^^^"));
}

TEST(TextFile, APlaceBeyondTheTextIsNoPlaceOutsideMemory) {
  EXPECT_EQ(Told("a\n", {9, 9}), "a.yaml:9:1: wrong");
  EXPECT_EQ(Told("ab\n", {1, 99}), "a.yaml:1:3: wrong\n  1 | ab\n    |   ^");
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

}  // namespace
}  // namespace sluice
