#include "destination/layout.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using Kind = PathMeaning::Kind;

TEST(LoadLayout, EveryObjectHasItsPlace) {
  LoadLayout layout({"main", "or/ders"}, "L1");
  EXPECT_EQ(layout.folder(), "main/or%2Fders/L1");
  EXPECT_EQ(layout.slot(), "main/or%2Fders/_sluice/L1.json");
  EXPECT_EQ(layout.dropped(), "main/or%2Fders/_sluice/L1.dropped.json");
  EXPECT_EQ(layout.staging(), "main/or%2Fders/_sluice/staging/L1");
  EXPECT_EQ(layout.Part(1, 0, ""), "main/or%2Fders/L1/part-000001-000.parquet");
  EXPECT_EQ(layout.Part(1234567, 1000, "a1"),
            "main/or%2Fders/L1/part-1234567-1000.a1.parquet");
  EXPECT_EQ(layout.StagingPart(2, 3, "a1"),
            "main/or%2Fders/_sluice/staging/L1/000002-003.a1.tmp");
  EXPECT_EQ(StagingFolder({"main", "t"}), "main/t/_sluice/staging");
}

TEST(LoadLayout, OnlyPartsOfThisLoadAreItsParts) {
  LoadLayout layout({"main", "t"}, "L1");
  EXPECT_TRUE(layout.IsPart("main/t/L1/part-000001-000.parquet"));
  EXPECT_TRUE(layout.IsPart("main/t/L1/part-000001-000.a1.parquet"));
  for (const char* other :
       {"main/t/L2/part-000001-000.parquet", "main/t/L1x/part-000001-000.parquet",
        "main/t/L1/notes.txt", "main/t/L1/x/part-000001-000.parquet", "main/t/L1",
        "main/t/L1/../L2/part-000001-000.parquet", "main/t/_sluice/L1.json", ""}) {
    EXPECT_FALSE(layout.IsPart(other)) << other;
  }
}

TEST(PathMeaning, PathsSayWhatTheyAre) {
  struct Case {
    const char* path;
    Kind kind;
    const char* load;
  };
  for (const auto& [path, kind, load] : {
           Case{"main/t/L1/part-000001-000.parquet", Kind::kPart, "L1"},
           Case{"main/t/_sluice/L1.json", Kind::kSlot, "L1"},
           Case{"main/t/_sluice/L1.dropped.json", Kind::kDropped, "L1"},
           Case{"main/t/_sluice/staging/L1/000001-000.a.tmp", Kind::kStaged, "L1"},
           Case{"main/t/_sluice/staging/put-1.tmp", Kind::kStaged, ""},
           Case{"main/t/_sluice/L1.txt", Kind::kOther, ""},
           Case{"main/t/L1/notes.txt", Kind::kOther, ""},
           Case{"main/t", Kind::kOther, ""},
           Case{"", Kind::kOther, ""},
       }) {
    auto meaning = MeaningOf(path);
    EXPECT_EQ(meaning.kind, kind) << path;
    EXPECT_EQ(meaning.load, load) << path;
    if (kind == Kind::kOther) continue;
    EXPECT_EQ(meaning.table_folder, "main/t") << path;
  }
}

constexpr char kLoad[] = "019c167f-cbff-7000-8000-000000000001";

TEST(LoadLayout, ATemplateMovesTheFolderAndNothingElse) {
  LoadSpec spec;
  spec.load = kLoad;
  spec.relation.name = {"main", "t"};
  spec.path = "{schema}/{table}/dt={date}/{load}";
  const LoadLayout layout = LoadLayout::Of(spec).ValueOrDie();
  const std::string folder = std::string("main/t/dt=2026-01-31/") + kLoad;
  EXPECT_EQ(layout.folder(), folder);
  EXPECT_EQ(layout.slot(), std::string("main/t/_sluice/") + kLoad + ".json");
  EXPECT_EQ(layout.staging(), std::string("main/t/_sluice/staging/") + kLoad);
  EXPECT_TRUE(layout.IsPart(folder + "/part-000001-000.parquet"));
  EXPECT_FALSE(
      layout.IsPart(std::string("main/t/") + kLoad + "/part-000001-000.parquet"));
  spec.path = "{schema}/{load}";
  EXPECT_EQ(KindOf(LoadLayout::Of(spec).status()), ErrorKind::kUsage);
}

TEST(PathMeaning, APartSaysItsLoadAtAnyDepth) {
  const std::string load = kLoad, part = "/part-000001-000.parquet";
  for (const std::string& folder :
       {"main/t/" + load, "main/t/load=" + load, "main/t/dt=2026-01-31/" + load,
        "main/t/" + load + "/dt=2026-01-31", "main/t/a/b/c/load=" + load + "/d"}) {
    const PathMeaning meaning = MeaningOf(folder + part);
    EXPECT_EQ(meaning.kind, Kind::kPart) << folder;
    EXPECT_EQ(meaning.load, load) << folder;
    EXPECT_EQ(meaning.table_folder, "main/t") << folder;
  }
  for (const std::string& folder :
       {std::string("main/t/dt=2026-01-31/x"), "main/t/" + load + "/" + load,
        "main/" + load, "main/t/x" + load + "/y"})
    EXPECT_EQ(MeaningOf(folder + part).kind, Kind::kOther) << folder;
}

TEST(PathMeaning, AFolderNamesItsTable) {
  EXPECT_EQ(TableOfFolder("main/or%2Fders"), (TableName{"main", "or/ders"}));
  EXPECT_EQ(TableOfFolder("main"), std::nullopt);
  EXPECT_EQ(TableOfFolder("main/cut~0123456789abcdef"), std::nullopt);
}

TEST(SlotAddress, ASlotIsFoundByItsAddress) {
  for (const auto& [address, root] :
       {std::pair{"file:///lake/raw/main/t/_sluice/L1.json", "file:///lake/raw"},
        std::pair{"/lake/main/t/_sluice/L1.json", "/lake"},
        std::pair{"main/t/_sluice/L1.json", ""}}) {
    auto found = ParseSlotAddress(address);
    ASSERT_TRUE(found.ok()) << address << found.status().ToString();
    EXPECT_EQ(found->root, root);
    EXPECT_EQ(found->table_folder, "main/t");
    EXPECT_EQ(found->load, "L1");
  }
  for (const char* wrong :
       {"", "/", "L1.json", "_sluice/L1.json", "t/_sluice/L1.json",
        "/lake/main/t/L1.json", "/lake/main/t/_sluice/L1.dropped.json",
        "/lake/main/t/_sluice/staging/x.json"}) {
    EXPECT_EQ(KindOf(ParseSlotAddress(wrong).status()), ErrorKind::kUsage) << wrong;
  }
}

}  // namespace
}  // namespace sluice
