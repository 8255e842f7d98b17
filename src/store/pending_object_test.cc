#include "store/pending_object.h"

#include <gtest/gtest.h>

#include <memory>

#include "testing/faulty_store.h"
#include "testing/memory_store.h"

namespace sluice {
namespace {

class PendingStreamTest : public ::testing::Test {
 protected:
  std::unique_ptr<PendingObject> Begin() {
    return store_->Begin({"x", "_sluice/staging/x.a1.tmp", "a1"}).ValueOrDie();
  }

  MemoryStore memory_;
  std::shared_ptr<FaultScript> script_ = std::make_shared<FaultScript>();
  std::unique_ptr<Store> store_ = NewFaultyStore(memory_.Open(), script_);
};

TEST_F(PendingStreamTest, ClosingStagesAndPublishesNothing) {
  const auto object = Begin();
  {
    PendingStream stream(*object);
    ASSERT_TRUE(stream.Write("rows", 4).ok());
    EXPECT_EQ(*stream.Tell(), 4);
    EXPECT_TRUE(stream.Flush().ok());
    EXPECT_TRUE(stream.Close().ok());
    EXPECT_TRUE(stream.closed());
    EXPECT_FALSE(stream.Write("more", 4).ok());
  }
  EXPECT_EQ(script_->calls(StoreCall::kStage), 0);
  EXPECT_TRUE(memory_.Objects().empty());
  EXPECT_EQ(object->Stage()->size, 4);
}

TEST_F(PendingStreamTest, AfterAnErrorEveryCallFailsWithIt) {
  const auto object = Begin();
  PendingStream stream(*object);
  script_->Add({.call = StoreCall::kWrite, .nth = 2, .error = ErrorKind::kDestination});
  ASSERT_TRUE(stream.Write("1", 1).ok());
  EXPECT_EQ(IdOf(stream.Write("2", 1)), "fault.scripted");
  EXPECT_EQ(IdOf(stream.Write("3", 1)), "fault.scripted");
  EXPECT_EQ(IdOf(stream.Flush()), "fault.scripted");
  EXPECT_EQ(IdOf(stream.Tell().status()), "fault.scripted");
  EXPECT_EQ(IdOf(stream.Close()), "fault.scripted");
}

TEST_F(PendingStreamTest, AnAbortedStreamCannotBeContinued) {
  const auto object = Begin();
  PendingStream stream(*object);
  ASSERT_TRUE(stream.Write("1", 1).ok());
  ASSERT_TRUE(stream.Abort().ok());
  EXPECT_FALSE(stream.Write("2", 1).ok());
  EXPECT_FALSE(stream.Close().ok());
}

}  // namespace
}  // namespace sluice
