#include "sql/ledger.h"

#include <gtest/gtest.h>

#include <set>

namespace sluice::ledger {
namespace {

TEST(Ledger, AStatementThatFencesLocksTheRowOfTheJobAlone) {
  EXPECT_EQ(FenceStatement("shop", "a'b", FenceLock::kExclusive),
            "SELECT epoch, nonce FROM `shop`.`_sluice_ledger_jobs` WHERE job = "
            "_utf8mb4 x'612762' FOR UPDATE");
  EXPECT_EQ(FenceStatement("sh`op", "j", FenceLock::kShared),
            "SELECT epoch, nonce FROM `sh``op`.`_sluice_ledger_jobs` WHERE job = "
            "_utf8mb4 x'6A' LOCK IN SHARE MODE");
}

TEST(Ledger, ATableIsMadeOnceTransactionalAndComparedByteByByte) {
  EXPECT_EQ(
      CreateStatement("shop", Tables().front()),
      "CREATE TABLE IF NOT EXISTS `shop`.`_sluice_ledger_about` (`name` VARCHAR(64) "
      "NOT NULL, `value` VARCHAR(255) NOT NULL, PRIMARY KEY (`name`)) ENGINE=InnoDB "
      "DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin");
}

TEST(Ledger, EveryTableHasThePrefixAndAPrimaryKeyOfItsOwnColumns) {
  std::set<std::string_view> names;
  for (const Table& table : Tables()) {
    EXPECT_TRUE(table.name.starts_with(kPrefix)) << table.name;
    EXPECT_TRUE(names.insert(table.name).second) << table.name;
    std::set<std::string_view> columns;
    for (const Column& column : table.columns) columns.insert(column.name);
    EXPECT_EQ(columns.size(), table.columns.size()) << table.name;
    EXPECT_FALSE(table.primary_key.empty()) << table.name;
    for (const std::string_view column : table.primary_key)
      EXPECT_TRUE(columns.contains(column)) << table.name << "." << column;
  }
  EXPECT_EQ(names.size(), 9U);
}

}  // namespace
}  // namespace sluice::ledger
