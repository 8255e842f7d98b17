#include "store/s3_probe.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/uuid.h"

namespace sluice {
namespace {

constexpr int kRounds = 20;
constexpr int kCreators = 4;

Result<bool> RefusesASecondPut(Store& store, const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(const PutOutcome first,
                        store.Put(name, "1", PutMode::kCreateOnly));
  if (first != PutOutcome::kCreated) {
    return Error(ErrorKind::kDestination, "store.probe",
                 "a name nobody else can know is taken: " + name);
  }
  ARROW_ASSIGN_OR_RAISE(const PutOutcome second,
                        store.Put(name, "2", PutMode::kCreateOnly));
  return second == PutOutcome::kExists;
}

/// Stages an object for a name that is taken, and publishes it.
Result<bool> RefusesAPublish(Store& store, const std::string& folder,
                             const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(
      const auto pending,
      store.Begin({name, folder + "/_sluice/staging/probe.tmp", "probe"}));
  ARROW_RETURN_NOT_OK(pending->Write("two"));
  ARROW_ASSIGN_OR_RAISE(const StagedObject staged, pending->Stage());
  const auto published = store.Publish(staged);
  const bool refused = IdOf(published.status()) == "store.name-taken";
  ARROW_RETURN_NOT_OK(store.Abort(staged));
  if (!published.ok() && !refused) return published.status();
  return refused;
}

void AtOnce(const std::function<void(int)>& act) {
  std::vector<std::thread> threads;
  for (int i = 1; i < kCreators; ++i) threads.emplace_back(act, i);
  act(0);
  for (std::thread& thread : threads) thread.join();
}

/// How many of the rounds had not exactly one winner.
Result<int> RacesLost(Store& store, const std::string& folder) {
  int lost = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string name = fmt::format("{}/race-{:02}", folder, round);
    std::array<Result<PutOutcome>, kCreators> outcomes;
    AtOnce([&](int i) {
      outcomes[static_cast<size_t>(i)] =
          store.Put(name, fmt::format("by {}", i), PutMode::kCreateOnly);
    });
    int winners = 0;
    for (const auto& outcome : outcomes) {
      ARROW_RETURN_NOT_OK(outcome.status());
      if (*outcome == PutOutcome::kCreated) ++winners;
    }
    if (winners != 1) ++lost;
  }
  return lost;
}

Status CleanUp(Store& store, const std::string& folder) {
  ARROW_ASSIGN_OR_RAISE(const auto uploads, store.ListStaged(folder));
  for (const StagedObject& upload : uploads) ARROW_RETURN_NOT_OK(store.Abort(upload));
  ARROW_ASSIGN_OR_RAISE(const auto objects, store.List(folder));
  std::array<Status, kCreators> statuses;
  AtOnce([&](int i) {
    for (size_t at = static_cast<size_t>(i); at < objects.size(); at += kCreators) {
      const Status deleted = store.Delete(objects[at].path);
      Status& status = statuses[static_cast<size_t>(i)];
      if (status.ok()) status = deleted;
    }
  });
  for (const Status& status : statuses) ARROW_RETURN_NOT_OK(status);
  return Status::OK();
}

Result<ProbeVerdict> Ask(Store& store, const std::string& folder) {
  ProbeVerdict verdict;
  // Its parts are answered for by several machines, or written to several disks.
  verdict.durable = true;
  const std::string name = folder + "/taken";
  ARROW_ASSIGN_OR_RAISE(const bool put, RefusesASecondPut(store, name));
  ARROW_ASSIGN_OR_RAISE(const bool publish, RefusesAPublish(store, folder, name));
  verdict.create_only = put && publish;
  if (!put) {
    verdict.detail = "a second object was created under one name";
    return verdict;
  }
  if (!publish) {
    verdict.detail = "an upload was completed over an object that was there";
    return verdict;
  }
  ARROW_ASSIGN_OR_RAISE(const int lost, RacesLost(store, folder));
  verdict.atomic = lost == 0;
  verdict.detail =
      lost == 0 ? fmt::format("a name is created once, by one of {} at the same moment",
                              kCreators)
                : fmt::format("of {} creators at once several won in {} of {} rounds",
                              kCreators, lost, kRounds);
  return verdict;
}

}  // namespace

Result<ProbeVerdict> ProbeS3(Store& store, Clock& clock) {
  const std::string folder = "_sluice/probe/" + NewUuidV7(clock.NowMicros());
  auto verdict = Ask(store, folder);
  const Status cleaned = CleanUp(store, folder);
  ARROW_RETURN_NOT_OK(verdict.status());
  ARROW_RETURN_NOT_OK(cleaned);
  return verdict;
}

}  // namespace sluice
