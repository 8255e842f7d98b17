/// \file
/// What every Store must do, sentence by sentence of sluice/store.h.
///
///   INSTANTIATE_TEST_SUITE_P(
///       Mine, StoreConformance,
///       ::testing::Values(StoreMaker([] { return std::make_unique<MyFixture>(); })));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/store.h"

namespace sluice {

/// What a store is known not to do. The suite then asserts what follows from that instead.
struct StorePromises {
  /// false: of many creators at once several may win, the last of them for good (safety: A1).
  bool atomic = true;
  /// false: ListStaged shows attempts as "", for the store lists nothing but names.
  bool names_attempts = true;
};

/// One store, empty at first. Its destructor removes everything.
class StoreFixture {
 public:
  virtual ~StoreFixture() = default;
  /// A handle to that store, as another process would have it. Outlives no fixture.
  virtual std::unique_ptr<Store> Open() = 0;
  virtual StorePromises promises() const { return {}; }
};
/// Makes the fixture of one test. Naming it in a test program links the suite into it.
class StoreMaker {
 public:
  explicit StoreMaker(std::function<std::unique_ptr<StoreFixture>()> make);
  std::unique_ptr<StoreFixture> Make() const { return make_(); }

 private:
  friend void PrintTo(const StoreMaker&, std::ostream* out) { *out << "a store"; }
  std::function<std::unique_ptr<StoreFixture>()> make_;
};

class StoreConformance : public ::testing::TestWithParam<StoreMaker> {
 protected:
  StoreConformance();
  ~StoreConformance() override;

  /// Stages `bytes` for `path` as `attempt`, through `store`.
  StagedObject Staged(Store& store, const std::string& path, const std::string& attempt,
                      std::string_view bytes);
  StagedObject Staged(const std::string& path, const std::string& attempt,
                      std::string_view bytes) {
    return Staged(*store_, path, attempt, bytes);
  }
  /// What a lister sees below `folder`.
  std::vector<std::string> Listed(const std::string& folder = "");
  std::string Bytes(const std::string& path);
  void AbortAllBelow(const std::string& folder);

  std::unique_ptr<StoreFixture> fixture_;
  std::unique_ptr<Store> store_, other_;
};

}  // namespace sluice
