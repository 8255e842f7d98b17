#include "base/path_template.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

// 2026-01-31 23:59:59.999 UTC.
constexpr char kLoad[] = "019c167f-cbff-7000-8000-000000000001";

PathNames Names() { return {{"main", "or/ders"}, "st=ream", "nightly", kLoad}; }

TEST(PathTemplate, PlaceholdersAreNamesAndTheTimeOfTheLoad) {
  const auto folder = ExpandPath(
      "{schema}/{table}/{job}/s-{stream}/dt={date}/{year}{month}{day}T{hour}/load={load}",
      Names());
  ASSERT_TRUE(folder.ok()) << folder.status().ToString();
  EXPECT_EQ(*folder,
            "main/or%2Fders/nightly/s-st%3Dream/dt=2026-01-31/20260131T23/load=" +
                std::string(kLoad));
}

TEST(PathTemplate, WhatWouldLoseALoadIsRefused) {
  for (const char* wrong : {"",
                            "{load}",
                            "{table}/{schema}/{load}",
                            "{schema}/{table}",
                            "{schema}/{table}/x",
                            "{schema}/{table}/{load}/",
                            "{schema}/{table}//{load}",
                            "{schema}/{table}/../{load}",
                            "{schema}/{table}/_sluice/{load}",
                            "{schema}/{table}/.x/{load}",
                            "{schema}/{table}/{load}/{load}",
                            "{schema}/{table}/{load}{load}",
                            "{schema}/{table}/x{load}",
                            "{schema}/{table}/{load}x",
                            "{schema}/{table}/{loads}",
                            "{schema}/{table}/{load",
                            "{schema}/{table}/a b/{load}",
                            "{schema}/{table}/%41/{load}",
                            "{schema}/{table}/a~b/{load}",
                            "/{schema}/{table}/{load}",
                            "s/{table}/{load}"}) {
    EXPECT_EQ(IdOf(CheckPathTemplate(wrong)), "path.template") << wrong;
    EXPECT_EQ(KindOf(CheckPathTemplate(wrong)), ErrorKind::kUsage) << wrong;
    EXPECT_NE(HintOf(CheckPathTemplate(wrong)), "") << wrong;
  }
}

TEST(PathTemplate, ANearPlaceholderIsNamed) {
  EXPECT_NE(HintOf(CheckPathTemplate("{schema}/{table}/{dat}/{load}")).find("date"),
            std::string_view::npos);
}

TEST(PathTemplate, ANameThatLooksLikeALoadIsRefused) {
  PathNames names = Names();
  names.stream = "019c167f-cbff-7000-8000-000000000002";
  EXPECT_EQ(IdOf(ExpandPath("{schema}/{table}/{stream}/{load}", names).status()),
            "path.template");
  EXPECT_EQ(IdOf(ExpandPath("{schema}/{table}/s={stream}/{load}", names).status()),
            "path.template");
  EXPECT_TRUE(ExpandPath("{schema}/{table}/{job}/{load}", names).ok());
}

TEST(PathTemplate, TheTimeOfALoadIsInItsId) {
  PathNames names = Names();
  names.load = "L1";
  const Status refused = ExpandPath("{schema}/{table}/{date}/{load}", names).status();
  EXPECT_EQ(IdOf(refused), "path.load");
  EXPECT_EQ(KindOf(refused), ErrorKind::kFailed);
}

TEST(PathTemplate, FoldersThatNoStoreTakesAreRefused) {
  PathNames names = Names();
  const std::string stream(150, 's');
  names.stream = stream;
  EXPECT_TRUE(ExpandPath("{schema}/{table}/{stream}/{load}", names).ok());
  EXPECT_FALSE(ExpandPath("{schema}/{table}/{stream}{stream}/{load}", names).ok());
  EXPECT_FALSE(ExpandPath("{schema}/{table}/{stream}/{stream}/{stream}/{stream}/{stream}/"
                          "{stream}/{load}",
                          names)
                   .ok());
}

TEST(PathTemplate, ASegmentSaysWhichLoadItIs) {
  EXPECT_EQ(LoadOfSegment(kLoad), kLoad);
  EXPECT_EQ(LoadOfSegment(std::string("load=") + kLoad), kLoad);
  EXPECT_EQ(LoadOfSegment("dt=2026-01-31"), "");
  EXPECT_EQ(LoadOfSegment(std::string("x") + kLoad), "");
}

}  // namespace
}  // namespace sluice
