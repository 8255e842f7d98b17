#include "source/mysql_consistency.h"

#include <gtest/gtest.h>

namespace sluice::mysql {
namespace {

SnapshotMeans Means(std::optional<std::set<std::string>> privileges) {
  return {.flavor = Flavor::kMySql,
          .has_positions = false,
          .privileges = std::move(privileges),
          .account = "'reader'@'%'"};
}

Finding OnlyFinding(const SourceFindings& seen) {
  EXPECT_EQ(seen.findings.size(), 1U);
  return seen.findings.empty() ? Finding{} : seen.findings[0];
}

TEST(MysqlConsistency, PrivilegesOfTheWholeServerAreReadFromBothLinesOfMySql) {
  const auto found = GlobalPrivilegesIn(
      {"GRANT SELECT, RELOAD ON *.* TO `a`@`%`",
       "GRANT BACKUP_ADMIN,FLUSH_TABLES ON *.* TO `a`@`%`",
       "GRANT INSERT ON `shop`.* TO `a`@`%`", "GRANT `role`@`%` TO `a`@`%`"});
  EXPECT_EQ(found,
            (std::set<std::string>{"SELECT", "RELOAD", "BACKUP_ADMIN", "FLUSH_TABLES"}));
}

TEST(MysqlConsistency, PositionsProveASnapshotWithoutAnyPrivilege) {
  SnapshotMeans means = Means(std::set<std::string>{});
  means.has_positions = true;
  const SourceFindings seen = ConsistencyOf(means, {Consistency::kSnapshot, 4});
  EXPECT_EQ(seen.consistency, Consistency::kSnapshot);
  EXPECT_EQ(OnlyFinding(seen).level, Level::kOk);
}

TEST(MysqlConsistency, WithoutPositionsTheLockNeedsItsPrivilege) {
  const SourceWish wish{Consistency::kSnapshot, 4};
  const SourceFindings locked =
      ConsistencyOf(Means(std::set<std::string>{"FLUSH_TABLES"}), wish);
  EXPECT_EQ(locked.consistency, Consistency::kSnapshot);
  const SourceFindings bare = ConsistencyOf(Means(std::set<std::string>{"SELECT"}), wish);
  EXPECT_EQ(bare.consistency, Consistency::kPerChunk);
  EXPECT_EQ(OnlyFinding(bare).level, Level::kWarning);
  EXPECT_NE(OnlyFinding(bare).hint.find("GRANT RELOAD ON *.* TO 'reader'@'%';"),
            std::string::npos);
}

TEST(MysqlConsistency, OneConnectionIsASnapshotAlways) {
  const SourceFindings seen =
      ConsistencyOf(Means(std::set<std::string>{}), {Consistency::kSnapshotStrict, 1});
  EXPECT_EQ(seen.consistency, Consistency::kSnapshotStrict);
}

TEST(MysqlConsistency, StrictWithoutAnyProofFails) {
  const Finding finding = OnlyFinding(
      ConsistencyOf(Means(std::set<std::string>{}), {Consistency::kSnapshotStrict, 4}));
  EXPECT_EQ(finding.level, Level::kFailed);
  EXPECT_EQ(IdOf(finding.status), "source.missing-grant");
}

TEST(MysqlConsistency, PrivilegesThatCannotBeReadAreNotKnown) {
  const SourceFindings seen =
      ConsistencyOf(Means(std::nullopt), {Consistency::kSnapshot, 4});
  EXPECT_EQ(seen.consistency, std::nullopt);
  EXPECT_EQ(OnlyFinding(seen).level, Level::kUnknown);
}

}  // namespace
}  // namespace sluice::mysql
