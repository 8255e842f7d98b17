#include "source/mysql_types.h"

#include <gtest/gtest.h>

namespace sluice::mysql {
namespace {

TEST(MysqlTypes, ATypeThatHasNoRowInTheContractIsRefused) {
  const Status refused = DeliveredTypeOf({"quark", "quark(3)", ""}).status();
  EXPECT_EQ(IdOf(refused), "source.unsupported-type");
  EXPECT_NE(refused.message().find("quark(3)"), std::string::npos);
  EXPECT_NE(HintOf(refused), "");
}

}  // namespace
}  // namespace sluice::mysql
