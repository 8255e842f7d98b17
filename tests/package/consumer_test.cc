// What a connector author writes: a store, and the conformance suite of its interface.
#include <gtest/gtest.h>

#include "sluice/error.h"
#include "sluice/store.h"
#include "sluice/version.h"
#include "testing/memory_store.h"
#include "testing/store_conformance.h"

namespace {

class Fixture final : public sluice::StoreFixture {
 public:
  std::unique_ptr<sluice::Store> Open() override { return store_.Open(); }

 private:
  sluice::MemoryStore store_;
};

using sluice::StoreConformance;
INSTANTIATE_TEST_SUITE_P(Mine, StoreConformance, ::testing::Values(sluice::StoreMaker([] {
                           return std::make_unique<Fixture>();
                         })));

TEST(Package, ErrorsCrossTheLibrary) {
  const sluice::Status status = sluice::Error(sluice::ErrorKind::kUsage, "mine.wrong",
                                              "wanted one, found two", "take one");
  EXPECT_EQ(sluice::IdOf(status), "mine.wrong");
  EXPECT_EQ(sluice::HintOf(status), "take one");
}

}  // namespace
