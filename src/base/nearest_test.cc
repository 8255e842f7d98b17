#include "base/nearest.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Nearest, FindsALetterMissingAddedReplacedOrSwapped) {
  const std::vector<std::string> keys = {"columns", "where", "on_type_mismatch"};
  EXPECT_EQ(Nearest("colums", keys), "columns");
  EXPECT_EQ(Nearest("columnss", keys), "columns");
  EXPECT_EQ(Nearest("wher", keys), "where");
  EXPECT_EQ(Nearest("wehre", keys), "where");
  EXPECT_EQ(Nearest("WHERE", keys), "where");
  EXPECT_EQ(Nearest("on-type-mismatch", keys), "on_type_mismatch");
}

TEST(Nearest, NamesNothingThatIsFar) {
  EXPECT_EQ(Nearest("fruit", {"columns", "where"}), "");
  EXPECT_EQ(Nearest("", {"columns"}), "");
  EXPECT_EQ(Nearest("a", {"b"}), "");
  EXPECT_EQ(Nearest(std::string(100'000, 'x'), {"columns"}), "");
}

TEST(Nearest, AsksAQuestionOrNothing) {
  EXPECT_EQ(DidYouMean("ordrs", {"orders"}), "did you mean orders?");
  EXPECT_EQ(DidYouMean("fruit", {"orders"}), "");
}

}  // namespace
}  // namespace sluice
