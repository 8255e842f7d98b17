#include "base/path_name.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace sluice {
namespace {

std::string RandomName(std::mt19937_64& random) {
  static const std::vector<std::string> kPieces = {"a",
                                                   "B",
                                                   "_",
                                                   ".",
                                                   "..",
                                                   "%",
                                                   "%2E",
                                                   "/",
                                                   "\\",
                                                   "=",
                                                   ":",
                                                   "*",
                                                   "?",
                                                   "\"",
                                                   "<",
                                                   ">",
                                                   "|",
                                                   "~",
                                                   " ",
                                                   "\n",
                                                   std::string(1, '\0'),
                                                   "\x7F",
                                                   "é",
                                                   "表",
                                                   "🦫",
                                                   "\xFF",
                                                   "\xC3",
                                                   "\xED\xA0\x80",
                                                   "\xC0\xAF",
                                                   "\xF4\x90\x80\x80",
                                                   "2E",
                                                   "F",
                                                   "longer piece of a name",
                                                   std::string(60, 'x')};
  std::string name;
  for (size_t count = random() % 8; count > 0; --count)
    name += kPieces[random() % kPieces.size()];
  return name;
}

TEST(PathName, PlainAndWideNamesStay) {
  for (const char* name :
       {"orders", "Orders-2024.q1", "ünïcode", "表", "🦫", "a_b.c", "it's"}) {
    EXPECT_EQ(EncodePathSegment(name), name);
  }
}

TEST(PathName, WhatAFileSystemOrAReaderMisreadsIsEncoded) {
  EXPECT_EQ(EncodePathSegment(""), "%");
  EXPECT_EQ(EncodePathSegment("%"), "%25");
  EXPECT_EQ(EncodePathSegment("."), "%2E");
  EXPECT_EQ(EncodePathSegment(".."), "%2E.");
  EXPECT_EQ(EncodePathSegment("_tmp"), "%5Ftmp");
  EXPECT_EQ(EncodePathSegment("a/b\\c=d:e*f?g\"h<i>j|k~l m\n"),
            "a%2Fb%5Cc%3Dd%3Ae%2Af%3Fg%22h%3Ci%3Ej%7Ck%7El%20m%0A");
  EXPECT_EQ(EncodePathSegment("\xFFz"), "%FFz");
  EXPECT_EQ(EncodePathSegment("\x7F"), "%7F");
  EXPECT_EQ(TableFolder({"main", "a/b"}), "main/a%2Fb");
}

TEST(PathName, ALongNameIsCutAtACharacterAndCarriesItsDigest) {
  const std::string fits(200, 'x');
  EXPECT_EQ(EncodePathSegment(fits), fits);
  const std::string longer = fits + 'x';
  const std::string cut = EncodePathSegment(longer);
  // printf 'x%.0s' {1..201} | sha256sum
  EXPECT_EQ(cut, std::string(183, 'x') + "~84a0678c90937f5d");
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "表";
  const std::string wide_cut = EncodePathSegment(wide);
  EXPECT_EQ(wide_cut.find('~') % 3, 0u);
  EXPECT_LE(wide_cut.size(), 200u);
  const std::string encoded_cut = EncodePathSegment(std::string(100, ' '));
  EXPECT_EQ(encoded_cut.find('~') % 3, 0u);
  EXPECT_FALSE(DecodePathSegment(cut).ok());
}

TEST(PathName, OneNameOneSegmentAndBack) {
  std::mt19937_64 random(3);
  std::map<std::string, std::string> name_of;
  for (int i = 0; i < 100'000; ++i) {
    const std::string name = RandomName(random);
    const std::string segment = EncodePathSegment(name);
    ASSERT_LE(segment.size(), 200u);
    ASSERT_EQ(segment.find_first_of(std::string("/\\=:*?\"<>| \n\0\x7F", 14)),
              std::string::npos);
    ASSERT_NE(segment[0], '_');
    ASSERT_NE(segment[0], '.');
    const auto [known, is_new] = name_of.emplace(segment, name);
    ASSERT_EQ(known->second, name) << segment;
    const auto decoded = DecodePathSegment(segment);
    if (segment.find('~') != std::string::npos) {
      ASSERT_FALSE(decoded.ok());
      continue;
    }
    ASSERT_TRUE(decoded.ok()) << segment;
    ASSERT_EQ(*decoded, name);
  }
}

TEST(PathName, WhatWasNotWrittenHereDoesNotDecode) {
  for (const char* segment :
       {"", "%2e", "%41", "a%", "a%2", "_x", ".x", "a b", "a~b", "%G0", "\xFF"}) {
    EXPECT_EQ(IdOf(DecodePathSegment(segment).status()), "path.not-encoded") << segment;
  }
}

}  // namespace
}  // namespace sluice
