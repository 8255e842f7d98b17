#include "app/type_names.h"

#include <gtest/gtest.h>

#include <string>

#include "base/type_policy.h"

namespace sluice {
namespace {

TEST(TypeNames, AreThoseOfTheServerWhateverStandsBehindThem) {
  for (const char* type :
       {"datetime", "DateTime", "decimal(65,30)", "int unsigned", "tinyint(1)"})
    EXPECT_TRUE(CheckTypeName(type).ok()) << type;
  EXPECT_EQ(HintOf(CheckTypeName("datetme")), "did you mean datetime?");
  EXPECT_EQ(HintOf(CheckTypeName("boolean")), "the server calls it tinyint(1)");
  EXPECT_FALSE(CheckTypeName("").ok());
}

TEST(TypeNames, EachPolicyConcernsSomeTypesAndNotOthers) {
  for (const TypePolicy& policy : TypePolicies()) {
    const Status refused = CheckPolicyOfType("json", policy.name);
    ASSERT_EQ(IdOf(refused), "setting.type") << policy.name;
    const std::string types(HintOf(refused));
    const std::string first = types.substr(13, types.find(' ', 13) - 13);
    EXPECT_TRUE(CheckPolicyOfType(first, policy.name).ok()) << types;
  }
  EXPECT_TRUE(CheckPolicyOfType("json", "on_type_mismatch").ok());
}

}  // namespace
}  // namespace sluice
