/// \file
/// What every StateStore must do, as tests; what it refuses has the ids of docs/errors.md. A store
/// instantiates them over its own world:
///
///   INSTANTIATE_TEST_SUITE_P(Sqlite, StateStoreConformance,
///                            testing::Values(StateStoreCase{"file", MakeMyWorld}),
///                            StateStoreCaseName);
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "sluice/state_store.h"

namespace sluice {

/// One state, empty at first, that several processes reach.
class StateStoreWorld {
 public:
  virtual ~StateStoreWorld() = default;
  /// A process's handle. Its destruction without Release is the death of that process.
  virtual Result<std::unique_ptr<StateStore>> Open() = 0;
  /// Of the state's clock, which stands still otherwise.
  virtual void AdvanceClock(int64_t millis) = 0;
};

struct StateStoreCase {
  std::string name;
  std::function<std::unique_ptr<StateStoreWorld>()> make;
};
std::string StateStoreCaseName(const testing::TestParamInfo<StateStoreCase>& info);

class StateStoreConformance : public testing::TestWithParam<StateStoreCase> {
 protected:
  void SetUp() override;
  /// Another process.
  std::unique_ptr<StateStore> Another();
  /// A lease of `job` by `store`; the test fails where it is refused.
  Lease MustAcquire(StateStore& store, const std::string& job = "job");
  LoadState MustFind(StateStore& store, const std::string& load = "load-1");
  /// A load, by default of stream "orders" of job "job".
  void MustOpen(const Lease& lease, const std::string& load = "load-1",
                const std::string& stream = "orders");
  /// `count` chunks, the newest the last; staged by attempt "a" where asked for.
  void MustPlan(const Lease& lease, const std::string& load, int count,
                bool staged = true);
  /// A load of two staged chunks, walked from copying down to `phase`.
  void MustReach(const Lease& lease, const std::string& load, Phase phase);

  std::unique_ptr<StateStoreWorld> world_;
  std::unique_ptr<StateStore> store_;
};

}  // namespace sluice
