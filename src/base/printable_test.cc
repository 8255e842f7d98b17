#include "base/printable.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Printable, WhatMovesACursorIsShownAsAQuestionMark) {
  EXPECT_EQ(Printable("a\nb\x1b[2J\x7f\xff\xc3\xa9"), "a?b?[2J??\xc3\xa9");
  EXPECT_EQ(Printable("\xc2\x9b[2J"), "?[2J");
  EXPECT_EQ(Printable("\xe2\x82"), "??");
  EXPECT_EQ(Printable(""), "");
}

}  // namespace
}  // namespace sluice
