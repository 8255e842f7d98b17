// The suite of every Store, against real servers: SLUICE_TEST_MOTO and SLUICE_TEST_VERSITYGW name
// a bucket each (tools/test servers starts them). Without one its tests fail.

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/uri.h"
#include "base/uuid.h"
#include "sluice/clock.h"
#include "store/s3.h"
#include "testing/store_conformance.h"

namespace sluice {
namespace {

/// A prefix of its own in the bucket that the environment names.
class OnServer final : public StoreFixture {
 public:
  OnServer(const char* variable, StorePromises promises) : promises_(promises) {
    const char* text = std::getenv(variable);
    if (text == nullptr) {
      ADD_FAILURE() << variable << " names no bucket: tools/test servers starts a server";
      text = "s3://no-server?endpoint=http://127.0.0.1:1";
    }
    setenv("AWS_ACCESS_KEY_ID", "test", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "testsecret", 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    options_ = ParseS3Uri(ParseUri(text).ValueOrDie()).ValueOrDie();
    options_.prefix = "suite/" + NewNonce();
  }
  ~OnServer() override {
    const auto store = Open();
    const auto uploads = store->ListStaged("");
    const auto objects = store->List("");
    EXPECT_TRUE(uploads.ok()) << uploads.status().ToString();
    EXPECT_TRUE(objects.ok()) << objects.status().ToString();
    if (!uploads.ok() || !objects.ok()) return;
    for (const StagedObject& upload : *uploads) EXPECT_TRUE(store->Abort(upload).ok());
    for (const ObjectInfo& object : *objects) {
      const Status deleted = store->Delete(object.path);
      EXPECT_TRUE(deleted.ok()) << deleted.ToString();
    }
  }
  std::unique_ptr<Store> Open() override {
    return OpenS3Store(options_, SystemClock()).ValueOrDie();
  }
  StorePromises promises() const override { return promises_; }

 private:
  const StorePromises promises_;
  S3Options options_;
};

INSTANTIATE_TEST_SUITE_P(Moto, StoreConformance, ::testing::Values(StoreMaker([] {
                           return std::make_unique<OnServer>(
                               "SLUICE_TEST_MOTO",
                               StorePromises{.names_attempts = false});
                         })));
// It looks first and writes after.
INSTANTIATE_TEST_SUITE_P(VersityGw, StoreConformance, ::testing::Values(StoreMaker([] {
                           return std::make_unique<OnServer>(
                               "SLUICE_TEST_VERSITYGW",
                               StorePromises{.atomic = false, .names_attempts = false});
                         })));

}  // namespace
}  // namespace sluice
