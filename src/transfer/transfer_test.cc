#include <gtest/gtest.h>

#include "transfer/schedule_world_test.h"

namespace sluice {
namespace {

TEST(Transfer, ACleanRunLeavesOneCurrentLoadAndNothingElse) {
  ScheduleWorld world({12, 4, {}});
  const TransferReport report = world.RunUndisturbed();
  ASSERT_EQ(report.exit_code, 0) << report.status.ToString();
  EXPECT_EQ(report.streams[0].rows, 12);
  EXPECT_EQ(report.streams[0].chunks, 3);
  EXPECT_EQ(report.streams[0].phase, Phase::kCleaned);
  EXPECT_EQ(world.WrongInCurrentLoad(/*exact=*/true), "");
  EXPECT_EQ(world.LeftOver(), "");
}

TEST(Transfer, ATableWithoutRowsGivesOneFileWithTheSchema) {
  ScheduleWorld world({0, 4, {}});
  const TransferReport report = world.RunUndisturbed();
  ASSERT_EQ(report.exit_code, 0) << report.status.ToString();
  EXPECT_EQ(report.streams[0].files, 1);
  EXPECT_EQ(world.WrongInCurrentLoad(/*exact=*/true), "");
}

TEST(Transfer, AResumedRunReadsOnlyWhatIsNotStaged) {
  ProcessPlan victim;
  victim.kill = Passage{CrashPoint::kStagedRecorded, 2};
  ScheduleWorld world({12, 4, {victim}});
  world.RunSchedule();
  const TransferReport report = world.RunUndisturbed();
  ASSERT_EQ(report.exit_code, 0) << report.status.ToString();
  EXPECT_TRUE(report.streams[0].resumed);
  EXPECT_EQ(report.streams[0].rows, 12);
  EXPECT_EQ(report.streams[0].rows_read, 4);
}

TEST(Transfer, AResumeUnderAnotherSnapshotSaysMixed) {
  ProcessPlan victim;
  victim.kill = Passage{CrashPoint::kStagedRecorded, 1};
  ScheduleWorld world({12, 4, {victim}});
  world.RunSchedule();
  world.database().Put("t", 1, {"changed", 2.0});
  const TransferReport report = world.RunUndisturbed();
  ASSERT_EQ(report.exit_code, 0) << report.status.ToString();
  EXPECT_TRUE(report.streams[0].mixed);
  EXPECT_EQ(report.warnings.size(), 1U);
}

TEST(Transfer, ATableAlteredBeforeAResumeStopsTheRun) {
  ProcessPlan victim;
  victim.kill = Passage{CrashPoint::kStagedRecorded, 1};
  ScheduleWorld world({12, 4, {victim}});
  world.RunSchedule();
  world.database().Alter("t");
  const TransferReport report = world.RunUndisturbed();
  EXPECT_EQ(report.exit_code, 6);
}

}  // namespace
}  // namespace sluice
