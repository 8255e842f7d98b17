#include <gtest/gtest.h>

#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "cli/verbs.h"

namespace sluice::cli {
namespace {

/// What a caller reads with --json.
nlohmann::json Printed(const Outcome& outcome) {
  return nlohmann::json::parse(ResultObject("copy", outcome));
}

TEST(Outcome, IsWhatTheVerbSays) {
  const Outcome outcome = OutcomeOf([] {
    Outcome told;
    told.text = "done\n";
    return told;
  });
  EXPECT_EQ(outcome.text, "done\n");
  EXPECT_EQ(Printed(outcome)["exit_code"], 0);
  EXPECT_EQ(Printed(outcome)["error"], nullptr);
}

TEST(Outcome, OfAVerbWithoutMemoryIsAResourceError) {
  const auto printed = Printed(OutcomeOf([]() -> Outcome { throw std::bad_alloc(); }));
  EXPECT_EQ(printed["error"]["id"], "run.out-of-memory");
  EXPECT_EQ(printed["exit_code"], 8);
}

TEST(Outcome, OfAVerbThatThrowsIsAFailureInItsWords) {
  const auto printed =
      Printed(OutcomeOf([]() -> Outcome { throw std::out_of_range("row 7"); }));
  EXPECT_EQ(printed["error"]["id"], "run.exception");
  EXPECT_EQ(printed["error"]["message"], "unexpected: row 7");
  EXPECT_EQ(printed["exit_code"], 1);
}

}  // namespace
}  // namespace sluice::cli
