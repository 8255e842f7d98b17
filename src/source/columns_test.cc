#include "source/columns.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>

#include "arrow/array/array_base.h"
#include "arrow/array/array_binary.h"
#include "arrow/memory_pool.h"
#include "arrow/type.h"

namespace sluice {
namespace {

std::string Text(double value) {
  char text[kNumberRoom];
  return {text, FormatReal(text, value)};
}

TEST(FormatReal, ReadsBackAsTheSameDouble) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 50'000; ++i) {
    const uint64_t bits = random();
    double any;
    std::memcpy(&any, &bits, sizeof(any));
    const double money = static_cast<double>(bits % 100'000'000'000) / 100;
    const double rate = -static_cast<double>(bits % 1'000'000) / 10'000;
    for (const double value : {any, money, rate}) {
      if (std::isnan(value)) continue;
      const std::string text = Text(value);
      ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    }
  }
}

TEST(FormatReal, AlwaysShowsThatItIsNoInteger) {
  EXPECT_EQ(Text(17), "17.0");
  EXPECT_EQ(Text(-0.0), "-0.0");
  EXPECT_EQ(Text(0.04), "0.04");
  EXPECT_EQ(Text(29201.92), "29201.92");
  EXPECT_EQ(Text(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(Text(1e20), "1.0e+20");
  EXPECT_EQ(Text(1.5e-7), "1.5e-07");
  EXPECT_EQ(Text(999999999999999), "999999999999999.0");
  EXPECT_EQ(Text(std::numeric_limits<double>::infinity()), "Inf");
  EXPECT_EQ(Text(-std::numeric_limits<double>::infinity()), "-Inf");
}

TEST(RealTexts, RemembersEachValueAsItself) {
  RealTexts texts;
  for (int round = 0; round < 3; ++round)
    for (int i = -5'000; i < 5'000; ++i) ASSERT_EQ(texts.Of(i / 100.0), Text(i / 100.0));
}

TEST(ParseDate, KnowsTheCalendar) {
  EXPECT_EQ(ParseDate("1970-01-01"), 0);
  EXPECT_EQ(ParseDate("1969-12-31"), -1);
  EXPECT_EQ(ParseDate("2000-02-29"), 11016);
  EXPECT_EQ(ParseDate("0001-01-01"), -719162);
  EXPECT_EQ(ParseDate("9999-12-31"), 2932896);
  EXPECT_EQ(ParseDate("1900-02-29"), std::nullopt);
  EXPECT_EQ(ParseDate("0000-12-31"), std::nullopt);
}

TEST(ParseDate, CountsEveryDayOnce) {
  int32_t expected = ParseDate("1580-01-01").value_or(0);
  for (int year = 1580; year < 2420; ++year)
    for (int month = 1; month <= 12; ++month)
      for (int day = 1; day <= 31; ++day) {
        char text[40];
        std::snprintf(text, sizeof(text), "%04d-%02d-%02d", year, month, day);
        const auto days = ParseDate(text);
        if (!days) continue;
        ASSERT_EQ(*days, expected++) << text;
      }
  EXPECT_EQ(expected, ParseDate("2420-01-01"));
}

TEST(IsUtf8, TakesWhatIsWellFormedOnly) {
  for (const char* good :
       {"", "abc", "12345678", "z\xC3\xBCrich", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xF4\x8F\xBF\xBF", "1234567\xC3\xBC", "\xF0\x90\x80\x80"})
    EXPECT_TRUE(IsUtf8(good)) << good;
  for (const char* bad :
       {"\x80", "\xC3", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "1234567\xC3",
        "12345678\xC3", "\xE2\x82"})
    EXPECT_FALSE(IsUtf8(bad)) << bad;
}

TEST(ColumnBuilder, BatchesFollowEachOtherWithoutTraces) {
  ColumnBuilder builder(arrow::utf8(), arrow::default_memory_pool());
  for (int batch = 0; batch < 3; ++batch) {
    ASSERT_TRUE(builder.Reserve(100).ok());
    for (int i = 0; i < 50; ++i) {
      if (i % 3 == batch) {
        builder.AppendNull();
      } else {
        ASSERT_TRUE(builder.AppendBytes(std::string(static_cast<size_t>(i * 100), 'x')));
      }
    }
    const auto array = builder.Finish().ValueOrDie();
    ASSERT_TRUE(array->ValidateFull().ok());
    EXPECT_EQ(array->length(), 50);
    EXPECT_TRUE(array->IsNull(batch));
    EXPECT_EQ(static_cast<const arrow::StringArray&>(*array).GetView(batch + 1).size(),
              static_cast<size_t>(batch + 1) * 100);
  }
}

TEST(ColumnBuilder, ABatchEndsWhereItsOffsetsDo) {
  constexpr size_t kMost = std::numeric_limits<int32_t>::max();
  // Room without memory: a value that does not fit is never read.
  void* const room =
      mmap(nullptr, kMost, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(room, MAP_FAILED);
  ColumnBuilder builder(arrow::binary(), arrow::default_memory_pool());
  ASSERT_TRUE(builder.Reserve(2).ok());
  ASSERT_TRUE(builder.AppendBytes("x"));
  EXPECT_FALSE(builder.AppendBytes({static_cast<const char*>(room), kMost}));
  EXPECT_EQ(IdOf(builder.status()), "source.batch-too-big");
  EXPECT_EQ(ExitCodeOf(builder.status()), 8);
  EXPECT_EQ(munmap(room, kMost), 0);
}

TEST(ColumnBuilder, AColumnWithoutNullsHasNoBitmap) {
  ColumnBuilder builder(arrow::boolean(), arrow::default_memory_pool());
  ASSERT_TRUE(builder.Reserve(9).ok());
  for (int i = 0; i < 9; ++i) builder.AppendBool(i == 8);
  const auto array = builder.Finish().ValueOrDie();
  EXPECT_TRUE(array->ValidateFull().ok());
  EXPECT_EQ(array->null_bitmap(), nullptr);
}

TEST(Utf8, WhatIsNotWellFormedBecomesReplacements) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(WithReplacements(""), "");
  EXPECT_EQ(WithReplacements("aü€😀"), "aü€😀");
  // The examples of Unicode 15, tables 3-8 to 3-11.
  EXPECT_EQ(WithReplacements("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82"
                             "A"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(WithReplacements("\xED\xA0\x80\xED\xBF\xBF\xED\xAF"
                             "A"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(WithReplacements("\xF4\x91\x92\x93\xFF"
                             "A\x80\xBF"
                             "B"),
            r + r + r + r + r + "A" + r + r + "B");
  EXPECT_EQ(WithReplacements("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"
                             "A"),
            r + r + r + r + "A");
  EXPECT_EQ(WithReplacements("\xF0\x9F\x98"), r);
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string text = {static_cast<char>(a), static_cast<char>(b), 'x'};
      EXPECT_TRUE(IsUtf8(WithReplacements(text)));
      EXPECT_EQ(IsUtf8(text), WithReplacements(text) == text);
    }
  }
}

}  // namespace
}  // namespace sluice
