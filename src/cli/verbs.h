/// \file
/// One function a verb, one file each; what they share: an invocation in, an outcome out.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/options.h"
#include "sluice/error.h"

namespace sluice::cli {

struct Invocation {
  const Arguments& arguments;
  bool json = false;
};

/// What main prints: the result object with --json, else `text` on stdout.
struct Outcome {
  Outcome();
  Outcome(Outcome&&) noexcept;
  Outcome& operator=(Outcome&&) noexcept;
  ~Outcome();

  Status error;  ///< reported by main unless `reported`
  bool reported = false;
  int exit_code = 0;  ///< where it is not error's own
  std::string run;
  std::unique_ptr<nlohmann::ordered_json> loads;    ///< a list
  std::unique_ptr<nlohmann::ordered_json> members;  ///< a map, of this verb alone
  std::string text;
};
/// An outcome that is nothing but an error.
Outcome Failed(const Status& error);
/// That of `act`; an exception out of it is one that is nothing but an error, too.
Outcome OutcomeOf(const std::function<Outcome()>& act);
int CodeOf(const Outcome& outcome);
/// `{command, exit_code, run, loads, error{id,message,hint}, …}` in one line.
std::string ResultObject(const std::string& command, const Outcome& outcome);

Outcome Copy(const Invocation& invocation);
Outcome Run(const Invocation& invocation);
Outcome Plan(const Invocation& invocation);
Outcome Check(const Invocation& invocation);
Outcome Discover(const Invocation& invocation);
Outcome VerifyVerb(const Invocation& invocation);
Outcome StatusVerb(const Invocation& invocation);
Outcome Gc(const Invocation& invocation);
Outcome JobVerb(const Invocation& invocation);
Outcome Version(const Invocation& invocation);
Outcome Help(const Invocation& invocation);
Outcome LogVerb(const Invocation& invocation);
Outcome Connectors(const Invocation& invocation);
Outcome Completion(const Invocation& invocation);

}  // namespace sluice::cli
