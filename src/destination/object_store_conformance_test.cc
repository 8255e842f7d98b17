#include <gtest/gtest.h>

#include "destination/object_store.h"
#include "store/local.h"
#include "testing/destination_conformance.h"
#include "testing/memory_store.h"
#include "testing/scratch_folder.h"

namespace sluice {
namespace {

bool IsData(const std::string& path) { return path.ends_with(".parquet"); }

class OnMemory final : public DestinationFixture {
 public:
  std::unique_ptr<Destination> Open() override {
    return MakeObjectStoreDestination(store_.Open());
  }
  std::vector<std::string> Visible() override {
    std::vector<std::string> paths;
    for (const auto& [path, bytes] : store_.Objects()) {
      if (IsData(path)) paths.push_back(path);
    }
    return paths;
  }

 private:
  MemoryStore store_;
};

class OnDisk final : public DestinationFixture {
 public:
  std::unique_ptr<Destination> Open() override {
    return MakeObjectStoreDestination(OpenLocalStore(folder_.path()).ValueOrDie());
  }
  std::vector<std::string> Visible() override {
    std::vector<std::string> paths;
    for (const auto& [path, size] : folder_.Tree()) {
      if (IsData(path)) paths.push_back(path);
    }
    return paths;
  }

 private:
  ScratchFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(ObjectStoreInMemory, DestinationConformance,
                         ::testing::Values(DestinationMaker([] {
                           return std::make_unique<OnMemory>();
                         })));
INSTANTIATE_TEST_SUITE_P(ObjectStoreOnDisk, DestinationConformance,
                         ::testing::Values(DestinationMaker([] {
                           return std::make_unique<OnDisk>();
                         })));

}  // namespace
}  // namespace sluice
