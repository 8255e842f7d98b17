#include "transfer/schedule_world_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "arrow/array/array_binary.h"
#include "arrow/array/array_primitive.h"
#include "arrow/io/memory.h"
#include "arrow/table.h"
#include "arrow/util/cancel.h"
#include "base/uuid.h"
#include "destination/object_store.h"
#include "parquet/arrow/reader.h"
#include "state/sqlite_state.h"
#include "testing/fake_clock.h"
#include "transfer/mortal_state_test.h"

namespace sluice {
namespace {

constexpr int64_t kPastTheLeaseMillis = 61'000;
constexpr char kFolder[] = "main/t/";
constexpr char kSlots[] = "main/t/_sluice/";

class Silence : public Notifier {
 public:
  void On(const Event& /*event*/) override {}
};

/// In memory where the machine has it: thousands of schedules sync thousands of times each.
std::filesystem::path FreshFolder() {
  const std::filesystem::path shared = "/dev/shm";
  const auto base = std::filesystem::is_directory(shared)
                        ? shared
                        : std::filesystem::temp_directory_path();
  const auto folder = base / ("sluice-schedule-" + NewNonce());
  std::filesystem::create_directories(folder);
  return folder;
}

/// Puts the caller's hook back: a frozen process runs others in its own thread.
class HookScope {
 public:
  explicit HookScope(CrashHook hook) : outer_(CurrentCrashHook()) {
    SetCrashHook(std::move(hook));
  }
  ~HookScope() { SetCrashHook(outer_); }

 private:
  CrashHook outer_;
};

Result<std::vector<std::pair<int64_t, ScriptedRow>>> DecodeParquet(
    const std::string& bytes) {
  auto file = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes));
  ARROW_ASSIGN_OR_RAISE(auto reader,
                        parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
  ARROW_ASSIGN_OR_RAISE(auto table, reader->ReadTable());
  std::vector<std::pair<int64_t, ScriptedRow>> rows;
  ARROW_ASSIGN_OR_RAISE(table, table->CombineChunks());
  if (table->num_rows() == 0) return rows;
  const auto& ids = static_cast<const arrow::Int64Array&>(*table->column(0)->chunk(0));
  const auto& names = static_cast<const arrow::StringArray&>(*table->column(1)->chunk(0));
  const auto& amounts =
      static_cast<const arrow::DoubleArray&>(*table->column(2)->chunk(0));
  for (int64_t i = 0; i < table->num_rows(); ++i) {
    ScriptedRow row{names.GetString(i), {}};
    if (!amounts.IsNull(i)) row.amount = amounts.Value(i);
    rows.emplace_back(ids.Value(i), std::move(row));
  }
  return rows;
}

/// Slots by load, as a reader that knows nothing but the layout finds them.
std::map<std::string, nlohmann::json> Slots(
    const std::map<std::string, std::string>& objects) {
  std::map<std::string, nlohmann::json> slots;
  for (const auto& [path, bytes] : objects) {
    if (!path.starts_with(kSlots) || path.ends_with(".dropped.json")) continue;
    slots[path.substr(sizeof(kSlots) - 1, 36)] =
        nlohmann::json::parse(bytes, nullptr, false);
  }
  return slots;
}

std::vector<std::string> CurrentLoads(
    const std::map<std::string, nlohmann::json>& slots) {
  std::set<std::string> replaced;
  for (const auto& [load, slot] : slots) {
    if (slot.value("outcome", "") != "committed") continue;
    for (const auto& old : slot["replaces"]) replaced.insert(old.get<std::string>());
  }
  std::vector<std::string> current;
  for (const auto& [load, slot] : slots) {
    if (slot.value("outcome", "") == "committed" && !replaced.contains(load)) {
      current.push_back(load);
    }
  }
  return current;
}

void Print(std::ostream& out, const char* what, const std::optional<Passage>& passage) {
  if (passage) out << ' ' << what << ' ' << NameOf(passage->point) << ':' << passage->nth;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const ProcessPlan& plan) {
  out << "{run";
  Print(out, "killed at", plan.kill);
  Print(out, "frozen at", plan.freeze);
  if (plan.fault) {
    out << ' ' << ToString(plan.fault->kind) << " in call " << plan.fault->nth << " of "
        << ToString(plan.fault->call);
  }
  if (plan.broken_batch) out << " batch " << *plan.broken_batch << " fails";
  if (plan.restart) out << " --restart";
  if (plan.source_moves) out << " source moves before";
  return out << '}';
}

std::ostream& operator<<(std::ostream& out, const Schedule& schedule) {
  out << schedule.rows << " rows, " << schedule.rows_per_chunk << " a chunk"
      << (schedule.enforced ? ":" : ", nothing enforced:");
  for (const ProcessPlan& plan : schedule.processes) out << ' ' << plan;
  return out;
}

ScheduleWorld::ScheduleWorld(const Schedule& schedule)
    : schedule_(schedule),
      folder_(FreshFolder()),
      store_({.create_only = schedule.enforced, .atomic = schedule.enforced}) {
  database_.Create("t", MakeRows(1, schedule.rows, 3));
  store_.OnUpload([] { return Reach(CrashPoint::kUploadHalf); },
                  [] { return Reach(CrashPoint::kUploadStaged); });
}

ScheduleWorld::~ScheduleWorld() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

bool ScheduleWorld::RunNext() {
  if (next_ >= schedule_.processes.size()) return false;
  const ProcessPlan plan = schedule_.processes[next_++];
  return KindOf(RunProcess(plan).status) != ErrorKind::kHeld;
}

void ScheduleWorld::RunSchedule() {
  while (next_ < schedule_.processes.size()) RunNext();
}

std::string ScheduleWorld::WrongInZombies() const { return wrong_in_zombies_; }

TransferReport ScheduleWorld::RunUndisturbed() {
  now_millis_ += kPastTheLeaseMillis;
  return RunProcess({});
}

TransferReport ScheduleWorld::RunProcess(const ProcessPlan& plan) {
  if (plan.source_moves && schedule_.rows > 0) {
    database_.Put("t", 1, {"moved " + std::to_string(++moves_), 1.5});
  }
  FakeClock clock;
  auto script = std::make_shared<FaultScript>(&clock);
  if (plan.fault) script->Add(*plan.fault);
  ScriptedSource source(database_);
  if (plan.broken_batch) {
    source.FailAt(SourceCall::kBatch, *plan.broken_batch,
                  Error(ErrorKind::kTransient, "test.broken", "connection lost"),
                  /*times=*/6);
  }
  auto destination = MakeObjectStoreDestination(NewFaultyStore(store_.Open(), script));
  SqliteStateOptions state_options;
  state_options.path = folder_ / "state.db";
  state_options.now_sql = std::to_string(now_millis_);
  auto state = OpenSqliteState(state_options);
  EXPECT_TRUE(state.ok()) << state.status().ToString();
  std::atomic<bool> dead = false;
  MortalState mortal(**state, dead);

  bool overtaken = false;
  std::map<CrashPoint, int> passed;
  const HookScope scope([&](CrashPoint point) -> Status {
    if (dead) return Error(ErrorKind::kFailed, "test.dead", "this process is dead");
    const int nth = ++passed[point];
    if (plan.freeze && plan.freeze->point == point && plan.freeze->nth == nth) {
      now_millis_ += kPastTheLeaseMillis;
      overtaken = RunNext();
    }
    if (!plan.kill || plan.kill->point != point || plan.kill->nth != nth)
      return Status::OK();
    ++kills_[point];
    dead = true;
    script->Kill();
    source.Kill();
    return Error(ErrorKind::kFailed, "test.dead", "killed");
  });

  TransferSpec spec;
  spec.job = "job";
  spec.run = NewUuidV7(now_millis_ * 1000);
  spec.resume = plan.restart ? ResumeMode::kRestart : ResumeMode::kAuto;
  spec.limits.connections = 1;
  spec.limits.read_ahead = 0;
  spec.limits.lease_ttl_millis = 0;
  spec.limits.chunk_rows = schedule_.rows_per_chunk;
  StreamSpec stream;
  stream.name = "t";
  stream.relation.name = {"main", "t"};
  stream.definition = "{}";
  stream.verify = VerifyDepth::kContent;
  spec.streams = {stream};
  Silence silence;
  arrow::StopSource never;
  TransferReport report = RunTransfer(
      spec, {source, *destination, mortal, clock, silence}, never.token(), never.token());
  if (overtaken && report.exit_code == 0) {
    wrong_in_zombies_ = "a run that was overtaken at " +
                        std::string(NameOf(plan.freeze->point)) + " reported success";
  }
  return report;
}

Status ScheduleWorld::CollectGarbage() {
  auto destination = MakeObjectStoreDestination(store_.Open());
  const TableName table{"main", "t"};
  ARROW_ASSIGN_OR_RAISE(auto loads, destination->Loads(table));
  SqliteStateOptions state_options;
  state_options.path = folder_ / "state.db";
  ARROW_ASSIGN_OR_RAISE(const auto state, OpenSqliteState(state_options));
  for (const LoadEntry& entry : loads) {
    ARROW_ASSIGN_OR_RAISE(const auto known, state->FindLoad(entry.load));
    const bool discarded = known && known->phase == Phase::kDiscarded;
    if (entry.outcome == Outcome::kUndecided && !discarded) continue;
    ARROW_RETURN_NOT_OK(destination->Collect(table, entry.load));
  }
  return Status::OK();
}

std::string ScheduleWorld::WrongInCurrentLoad(bool exact) const {
  const auto objects = store_.Objects();
  const auto slots = Slots(objects);
  const auto current = CurrentLoads(slots);
  if (current.size() != 1) return std::to_string(current.size()) + " current loads";
  const nlohmann::json& slot = slots.at(current[0]);
  const std::string folder = kFolder + current[0] + "/";
  std::set<std::string> listed, named;
  for (const auto& [path, bytes] : objects) {
    if (path.starts_with(folder)) listed.insert(path);
  }
  ScriptedRows rows;
  for (const auto& object : slot["objects"]) {
    const auto path = object["path"].get<std::string>();
    named.insert(path);
    if (!objects.contains(path)) return "the slot names " + path + ", which is gone";
    auto decoded = DecodeParquet(objects.at(path));
    if (!decoded.ok()) return path + ": " + decoded.status().ToString();
    for (auto& [id, row] : *decoded) {
      if (!rows.emplace(id, std::move(row)).second)
        return "twice: key " + std::to_string(id);
    }
  }
  if (listed != named) return "the folder and the slot differ";
  const ScriptedRows wanted = database_.Rows("t");
  if (exact && rows != wanted) return "rows differ from the source's";
  const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (!std::equal(rows.begin(), rows.end(), wanted.begin(), wanted.end(), same_key)) {
    return std::to_string(rows.size()) + " keys instead of " +
           std::to_string(wanted.size());
  }
  return "";
}

std::string ScheduleWorld::WrongInSightings() const {
  std::map<std::string, int> appeared;
  std::set<std::string> present, dropping;
  for (const Sighting& sighting : store_.Sightings()) {
    const std::string& path = sighting.path;
    if (!path.starts_with(kFolder)) continue;  // the probe's own
    const bool decision = path.starts_with(kSlots);
    if (sighting.change == Sighting::Change::kReplaced) {
      // Where the store does not refuse it, one who slept may write its copy of a decision again.
      if (decision && !schedule_.enforced) continue;
      return path + " was overwritten";
    }
    if (sighting.change == Sighting::Change::kRemoved) {
      if (decision) return path + " was removed";
      present.erase(path);
      continue;
    }
    if (!sighting.complete) return path + " was visible before it was whole";
    present.insert(path);
    if (++appeared[path] > 1) return path + " appeared twice";
    if (!decision || path.ends_with(".dropped.json")) continue;
    const auto slot = nlohmann::json::parse(store_.Objects().at(path), nullptr, false);
    if (slot.value("outcome", "") != "committed") continue;
    for (const auto& object : slot["objects"]) {
      const auto named = object["path"].get<std::string>();
      if (!present.contains(named))
        return named + " was not there when its slot appeared";
    }
  }
  return "";
}

std::string ScheduleWorld::WrongInDecisions() const {
  SqliteStateOptions options;
  options.path = folder_ / "state.db";
  const auto state = OpenSqliteState(options).ValueOrDie();
  for (const auto& [load, slot] : Slots(store_.Objects())) {
    const auto known = state->FindLoad(load).ValueOrDie();
    if (!known) return load + " has a slot and is not in the state";
    const bool discarded = known->phase == Phase::kDiscarded;
    const std::string wanted = discarded ? "discarded" : "committed";
    if (slot.value("outcome", "") != wanted ||
        (!discarded && known->phase < Phase::kCommitted))
      return load + " is " + ToString(known->phase) + " in the state, its slot says " +
             slot.value("outcome", "nothing");
  }
  return "";
}

std::string ScheduleWorld::LeftOver() const {
  if (store_.staged() > 0) return std::to_string(store_.staged()) + " staged objects";
  const auto objects = store_.Objects();
  const auto current = CurrentLoads(Slots(objects));
  for (const auto& [path, bytes] : objects) {
    if (path.starts_with(kSlots)) continue;
    const bool wanted = std::any_of(
        current.begin(), current.end(),
        [&p = path](const auto& load) { return p.starts_with(kFolder + load + "/"); });
    if (!wanted) return path;
  }
  return "";
}

}  // namespace sluice
