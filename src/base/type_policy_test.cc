#include "base/type_policy.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(TypePolicy, WhatIsSaidNearestToAColumnHolds) {
  Relation relation;
  EXPECT_EQ(PolicyOf(relation, "tinyint1", "tinyint(1)", "done"), "int");
  relation.policies["tinyint1"] = "bool";
  EXPECT_EQ(PolicyOf(relation, "tinyint1", "tinyint(1)", "done"), "bool");
  relation.type_policies["tinyint"]["tinyint1"] = "int";
  EXPECT_EQ(PolicyOf(relation, "tinyint1", "tinyint(1)", "done"), "int");
  relation.column_policies["done"]["tinyint1"] = "bool";
  EXPECT_EQ(PolicyOf(relation, "tinyint1", "tinyint(1)", "done"), "bool");
  EXPECT_EQ(PolicyOf(relation, "tinyint1", "tinyint(1)", "other"), "int");
}

TEST(TypePolicy, TypesAreComparedWithoutCaseAndExactFirst) {
  Relation relation;
  relation.type_policies["DateTime"]["zero_date"] = "null";
  relation.type_policies["datetime(6)"]["zero_date"] = "string";
  EXPECT_EQ(PolicyOf(relation, "zero_date", "datetime", "d"), "null");
  EXPECT_EQ(PolicyOf(relation, "zero_date", "DATETIME(3)", "d"), "null");
  EXPECT_EQ(PolicyOf(relation, "zero_date", "DATETIME(6)", "d"), "string");
  EXPECT_EQ(PolicyOf(relation, "zero_date", "date", "d"), "");
}

TEST(TypePolicy, ADefaultIsOneOfThePolicysWordsOrNothing) {
  for (const TypePolicy& policy : TypePolicies()) {
    EXPECT_TRUE(policy.default_word.empty() || HasWord(policy, policy.default_word))
        << policy.name;
    EXPECT_FALSE(HasWord(policy, "")) << policy.name;
    EXPECT_FALSE(HasWord(policy, policy.words)) << policy.name;
    EXPECT_EQ(FindTypePolicy(policy.name), &policy);
  }
  EXPECT_EQ(FindTypePolicy("on_type_mismatch"), nullptr);
}

}  // namespace
}  // namespace sluice
