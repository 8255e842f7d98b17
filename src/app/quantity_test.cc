#include "app/quantity.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string SizeError(std::string_view text) {
  auto size = ParseSize(text);
  if (size.ok()) return "accepted";
  return size.status().message() + " | " + std::string(HintOf(size.status()));
}

TEST(Quantity, SizesHaveBinaryAndDecimalUnits) {
  EXPECT_EQ(*ParseSize("1"), 1);
  EXPECT_EQ(*ParseSize("128MiB"), 128 << 20);
  EXPECT_EQ(*ParseSize("128 mib"), 128 << 20);
  EXPECT_EQ(*ParseSize("1GiB"), 1 << 30);
  EXPECT_EQ(*ParseSize("100MB"), 100'000'000);
  EXPECT_EQ(*ParseSize("7kB"), 7'000);
  EXPECT_EQ(*ParseSize("2TiB"), int64_t{2} << 40);
}

TEST(Quantity, ARateIsASizeASecond) {
  EXPECT_EQ(*ParseRate("50MiB/s"), 50 << 20);
  EXPECT_EQ(*ParseRate("1 kB/s"), 1000);
  for (const char* bad : {"", "/s", "50MiB", "50MiB/m", "MiB/s", "0/s", "5 /s/s"})
    EXPECT_FALSE(ParseRate(bad).ok()) << bad;
}

TEST(Quantity, ABadSizeSaysWhatASizeIs) {
  const std::string units =
      "units are B, kB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB, TiB (of 1024)";
  EXPECT_EQ(SizeError(""), "expected a size such as 128MiB, found nothing | " + units);
  EXPECT_EQ(SizeError("lots"), "expected a size such as 128MiB, found lots | " + units);
  EXPECT_EQ(SizeError("-1MiB"), "expected a size such as 128MiB, found -1MiB | " + units);
  EXPECT_EQ(SizeError("1.5GiB"),
            "expected a size such as 128MiB, found 1.5GiB | " + units);
  EXPECT_EQ(SizeError("0"), "expected a size such as 128MiB, found 0 | " + units);
  EXPECT_EQ(SizeError("99999999999999999999"),
            "expected a size such as 128MiB, found 99999999999999999999 | " + units);
  EXPECT_EQ(SizeError("9999999999GiB"), "a size beyond 8 EiB: 9999999999GiB | ");
  EXPECT_EQ(SizeError("512M"),
            "expected a size such as 128MiB, found 512M | M means two things: write "
            "512MiB (powers of "
            "1024) or 512MB (of 1000)");
}

TEST(Quantity, DurationsHaveOneUnit) {
  EXPECT_EQ(*ParseDurationMillis("90s"), 90'000);
  EXPECT_EQ(*ParseDurationMillis("7d"), 7 * 86'400'000);
  EXPECT_EQ(*ParseDurationMillis("0"), 0);
  EXPECT_FALSE(ParseDurationMillis("7").ok());
  EXPECT_FALSE(ParseDurationMillis("-7d").ok());
  EXPECT_FALSE(ParseDurationMillis("d").ok());
  EXPECT_FALSE(ParseDurationMillis("99999999999999999w").ok());
}

TEST(Quantity, NumbersAreShownForPeople) {
  EXPECT_EQ(FormatSize(1023), "1023 B");
  EXPECT_EQ(FormatSize(7'444'889), "7.1 MiB");
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(336776), "336,776");
  EXPECT_EQ(FormatCount(-1000), "-1,000");
  EXPECT_EQ(FormatSeconds(0.44), "0.4 s");
  EXPECT_EQ(FormatSeconds(9.96), "10 s");
  EXPECT_EQ(FormatSeconds(187), "3 m 07 s");
  EXPECT_EQ(FormatSeconds(7500), "2 h 05 m");
  EXPECT_EQ(FormatAge(59'000), "just now");
  EXPECT_EQ(FormatAge(60'000), "1 minute ago");
  EXPECT_EQ(FormatAge(3 * 86'400'000), "3 days ago");
  EXPECT_EQ(FormatTime(1'714'564'800'000), "2024-05-01 12:00:00Z");
  EXPECT_EQ(Counted(1, "file"), "1 file");
  EXPECT_EQ(Counted(2000, "file"), "2,000 files");
}

}  // namespace
}  // namespace sluice
