/// \file
/// Tests: one database, one store and one state file, and the processes that come and go over
/// them: killed at named points, frozen past their lease, refused by the store, run again.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "base/crash_point.h"
#include "sluice/transfer.h"
#include "testing/faulty_store.h"
#include "testing/memory_store.h"
#include "testing/scripted_source.h"

namespace sluice {

/// The n-th passage of a point, from 1.
struct Passage {
  CrashPoint point = CrashPoint::kPlanBeforeCommit;
  int nth = 1;
};

/// What one process meets.
struct ProcessPlan {
  std::optional<Passage> kill;
  /// There it sleeps past its lease while the next process of the schedule works; then wakes up.
  std::optional<Passage> freeze;
  std::optional<Fault> fault;
  std::optional<int> broken_batch;  ///< the n-th batch of the source fails, transiently
  bool restart = false;             ///< --restart
  bool source_moves = false;        ///< a value changes at the source before it starts
};

struct Schedule {
  int rows = 0;
  int rows_per_chunk = 1;
  std::vector<ProcessPlan> processes;
  bool enforced = true;  ///< the store creates only where nothing is (A1)
};
std::ostream& operator<<(std::ostream& out, const ProcessPlan& plan);
std::ostream& operator<<(std::ostream& out, const Schedule& schedule);

class ScheduleWorld {
 public:
  explicit ScheduleWorld(const Schedule& schedule);
  ~ScheduleWorld();

  /// Runs every process of the schedule; nobody is left asleep.
  void RunSchedule();
  /// A process that meets nothing bad, after every lease has run out.
  TransferReport RunUndisturbed();
  /// What gc does for decided loads.
  Status CollectGarbage();

  /// "" or what is wrong: exactly one current load, whole, each key once; with `exact` its rows are
  /// the database's.
  std::string WrongInCurrentLoad(bool exact) const;
  /// "" or what a lister saw that it never should.
  std::string WrongInSightings() const;
  /// "" or which slot says other than the state.
  std::string WrongInDecisions() const;
  /// "" or which run was overtaken while it slept and did not notice.
  std::string WrongInZombies() const;
  /// "" or what is left that no slot accounts for.
  std::string LeftOver() const;

  const std::map<CrashPoint, int>& kills() const { return kills_; }
  ScriptedDatabase& database() { return database_; }
  MemoryStore& store() { return store_; }

 private:
  TransferReport RunProcess(const ProcessPlan& plan);
  /// False where there is no next process, or the lease was refused to it.
  bool RunNext();

  Schedule schedule_;
  size_t next_ = 0;
  int64_t now_millis_ = 1'000'000;
  int64_t moves_ = 0;
  std::filesystem::path folder_;
  ScriptedDatabase database_;
  MemoryStore store_;
  std::map<CrashPoint, int> kills_;
  std::string wrong_in_zombies_;
};

}  // namespace sluice
