#include <gtest/gtest.h>

#include "store/local.h"
#include "testing/scratch_folder.h"
#include "testing/store_conformance.h"

namespace sluice {
namespace {

class LocalFixture final : public StoreFixture {
 public:
  std::unique_ptr<Store> Open() override {
    return OpenLocalStore(folder_.path()).ValueOrDie();
  }

 private:
  ScratchFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Local, StoreConformance, ::testing::Values(StoreMaker([] {
                           return std::make_unique<LocalFixture>();
                         })));
}  // namespace
}  // namespace sluice
