// Every row of the crash table that an extract can reach, in process: first each named point by
// itself, then schedules made at random and shrunk to the shortest that still goes wrong.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <string>

#include "transfer/schedule_world_test.h"

namespace rc {

template <>
struct Arbitrary<sluice::Passage> {
  static Gen<sluice::Passage> arbitrary() {
    return gen::build<sluice::Passage>(
        gen::set(&sluice::Passage::point,
                 gen::map(gen::inRange(0, sluice::kCrashPointCount),
                          [](int i) { return static_cast<sluice::CrashPoint>(i); })),
        gen::set(&sluice::Passage::nth, gen::inRange(1, 5)));
  }
};

template <>
struct Arbitrary<sluice::Fault> {
  static Gen<sluice::Fault> arbitrary() {
    using sluice::ErrorKind;
    using sluice::FaultKind;
    return gen::build<sluice::Fault>(
        gen::set(&sluice::Fault::call,
                 gen::map(gen::inRange(0, sluice::kStoreCallCount),
                          [](int i) { return static_cast<sluice::StoreCall>(i); })),
        gen::set(&sluice::Fault::nth, gen::inRange<int64_t>(1, 8)),
        gen::set(&sluice::Fault::kind,
                 gen::element(FaultKind::kErrorBefore, FaultKind::kErrorAfter,
                              FaultKind::kLostRequest, FaultKind::kLostReply,
                              FaultKind::kShortRead, FaultKind::kSlow)),
        gen::set(&sluice::Fault::times, gen::element<int64_t>(1, 1, 1, 100)),
        gen::set(&sluice::Fault::error,
                 gen::element(ErrorKind::kTransient, ErrorKind::kDestination)));
  }
};

template <typename T>
Gen<std::optional<T>> Sometimes(Gen<T> generator) {
  return gen::weightedOneOf<std::optional<T>>(
      {{2, gen::just(std::optional<T>())}, {1, gen::map(generator, [](T value) {
                                              return std::optional<T>(std::move(value));
                                            })}});
}

template <>
struct Arbitrary<sluice::ProcessPlan> {
  static Gen<sluice::ProcessPlan> arbitrary() {
    using Plan = sluice::ProcessPlan;
    return gen::build<Plan>(
        gen::set(&Plan::kill, Sometimes(gen::arbitrary<sluice::Passage>())),
        gen::set(&Plan::freeze, Sometimes(gen::arbitrary<sluice::Passage>())),
        gen::set(&Plan::fault, Sometimes(gen::arbitrary<sluice::Fault>())),
        gen::set(&Plan::broken_batch, Sometimes(gen::inRange(1, 6))),
        gen::set(&Plan::restart, gen::element(false, false, false, false, true)),
        gen::set(&Plan::source_moves, gen::element(false, false, false, true)));
  }
};

template <>
struct Arbitrary<sluice::Schedule> {
  static Gen<sluice::Schedule> arbitrary() {
    return gen::build<sluice::Schedule>(
        gen::set(&sluice::Schedule::rows, gen::inRange(0, 13)),
        gen::set(&sluice::Schedule::rows_per_chunk, gen::inRange(1, 5)),
        gen::set(&sluice::Schedule::enforced, gen::element(true, true, false)),
        gen::set(&sluice::Schedule::processes));
  }
};

}  // namespace rc

namespace sluice {
namespace {

/// "" or the first thing that is wrong after the schedule and two undisturbed runs.
std::string Judge(ScheduleWorld& world) {
  world.RunSchedule();
  if (auto wrong = world.WrongInZombies(); !wrong.empty()) return wrong;
  const TransferReport healed = world.RunUndisturbed();
  if (healed.exit_code != 0) {
    std::string why = healed.status.ToString();
    for (const StreamReport& stream : healed.streams)
      why += "; " + stream.status.ToString();
    return "an undisturbed run fails: " + why;
  }
  if (auto wrong = world.WrongInCurrentLoad(/*exact=*/false); !wrong.empty())
    return wrong;
  const TransferReport anew = world.RunUndisturbed();
  if (anew.exit_code != 0)
    return "a second undisturbed run fails: " + anew.status.ToString();
  if (auto wrong = world.WrongInCurrentLoad(/*exact=*/true); !wrong.empty()) return wrong;
  if (auto wrong = world.WrongInSightings(); !wrong.empty()) return wrong;
  if (auto wrong = world.WrongInDecisions(); !wrong.empty()) return wrong;
  if (auto status = world.CollectGarbage(); !status.ok())
    return "gc: " + status.ToString();
  if (auto left = world.LeftOver(); !left.empty()) return "left after gc: " + left;
  return world.WrongInCurrentLoad(/*exact=*/true);
}

class AtEachPoint : public testing::TestWithParam<int> {};

/// A first process that leaves a committed load behind, so that there is something to replace; then
/// one that begins anew after a kill, so that there is something to discard.
Schedule PassingEveryPoint(const ProcessPlan& victim) {
  ProcessPlan half_done, restarted = victim;
  half_done.kill = Passage{CrashPoint::kPublishObject, 2};
  restarted.restart = true;
  return {10, 2, {{}, half_done, restarted}};
}

TEST_P(AtEachPoint, AKilledProcessLosesAndDoublesNothing) {
  const auto point = static_cast<CrashPoint>(GetParam());
  ProcessPlan victim;
  victim.kill = Passage{point, 1};
  for (const bool enforced : {true, false}) {
    Schedule schedule = PassingEveryPoint(victim);
    schedule.enforced = enforced;
    ScheduleWorld world(schedule);
    EXPECT_EQ(Judge(world), "") << NameOf(point) << " enforced " << enforced;
    // A point that nothing passes would prove nothing.
    EXPECT_GE(world.kills().count(point), 1U) << NameOf(point);
  }
}

TEST_P(AtEachPoint, AZombieOvertakenThereChangesNothingWhenItWakes) {
  const auto point = static_cast<CrashPoint>(GetParam());
  ProcessPlan zombie;
  zombie.freeze = Passage{point, 1};
  Schedule schedule = PassingEveryPoint(zombie);
  for (const int variant : {0, 1, 2, 3}) {
    ProcessPlan successor;
    successor.restart = variant % 2 == 1;
    Schedule with_successor = schedule;
    with_successor.processes.push_back(successor);
    with_successor.enforced = variant < 2;
    ScheduleWorld world(with_successor);
    EXPECT_EQ(Judge(world), "") << NameOf(point) << ": " << with_successor;
  }
}

INSTANTIATE_TEST_SUITE_P(CrashTable, AtEachPoint, testing::Range(0, kCrashPointCount),
                         [](const auto& of) {
                           std::string name(NameOf(static_cast<CrashPoint>(of.param)));
                           for (char& c : name) c = std::isalnum(c) ? c : '_';
                           return name;
                         });

TEST(Schedules, AnyMixOfKillsFaultsRestartsAndZombiesConvergesToTheSameRowsOnce) {
  // How many: SLUICE_SCHEDULES, or what a unit test has time for.
  const char* asked = std::getenv("SLUICE_SCHEDULES");
  const std::string count = asked == nullptr ? "1000" : asked;
  setenv("RC_PARAMS", ("max_success=" + count + " max_size=6").c_str(), /*overwrite=*/0);
  const bool holds = rc::check([](const Schedule& schedule) {
    ScheduleWorld world(schedule);
    const std::string wrong = Judge(world);
    if (!wrong.empty()) RC_FAIL(wrong);
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace sluice
