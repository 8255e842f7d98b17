#include "sql/mysql_digest.h"

#include <gtest/gtest.h>

#include <limits>

#include "sluice/version.h"

namespace sluice::mysql {
namespace {

using Row = std::vector<std::optional<std::string>>;

TEST(MysqlDigest, TwoCountsAndTwoSumsAreADigest) {
  const auto digest = DigestFrom(
      Row{"3", "2", "18446744073709551616", "18446744073709551615"});  // 2^64, 2^64 - 1
  ASSERT_TRUE(digest.ok()) << digest.status().ToString();
  EXPECT_EQ(digest->rows, 3);
  EXPECT_EQ(digest->hashed, 2);
  EXPECT_EQ(digest->high, (Sum128{1, 0}));
  EXPECT_EQ(digest->low, (Sum128{0, std::numeric_limits<uint64_t>::max()}));
  EXPECT_EQ(digest->version, kDigestVersion);
  EXPECT_EQ(digest->kind, DigestKind::kServer);
}

TEST(MysqlDigest, WhatIsNoSumIsNeverTakenForOne) {
  const std::string too_long(39, '1');
  for (const Row& row :
       {Row{}, Row{"3", "2", "1"}, Row{"3", "2", "1", "1", "1"},
        Row{"3", "2", std::nullopt, "1"}, Row{std::nullopt, "2", "1", "1"},
        Row{"three", "2", "1", "1"}, Row{"3", "2 ", "1", "1"}, Row{"3", "2", "-1", "1"},
        Row{"3", "2", "1.5e+20", "1"}, Row{"3", "2", "", "1"},
        Row{"3", "2", "1", too_long}, Row{"9223372036854775808", "2", "1", "1"}}) {
    const Status refused = DigestFrom(row).status();
    EXPECT_EQ(IdOf(refused), "digest.sum");
    EXPECT_EQ(KindOf(refused), ErrorKind::kFailed);
  }
}

}  // namespace
}  // namespace sluice::mysql
