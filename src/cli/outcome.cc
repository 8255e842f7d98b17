#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/redact.h"
#include "cli/verbs.h"

namespace sluice::cli {

Outcome::Outcome()
    : loads(std::make_unique<nlohmann::ordered_json>(nlohmann::ordered_json::array())),
      members(
          std::make_unique<nlohmann::ordered_json>(nlohmann::ordered_json::object())) {}
Outcome::Outcome(Outcome&&) noexcept = default;
Outcome& Outcome::operator=(Outcome&&) noexcept = default;
Outcome::~Outcome() = default;

Outcome Failed(const Status& error) {
  Outcome outcome;
  outcome.error = error;
  return outcome;
}

Outcome OutcomeOf(const std::function<Outcome()>& act) {
  try {
    return act();
  } catch (const std::bad_alloc&) {
    return Failed(Error(ErrorKind::kResource, "run.out-of-memory", "out of memory"));
  } catch (const std::exception& error) {
    return Failed(Error(ErrorKind::kFailed, "run.exception",
                        std::string("unexpected: ") + error.what()));
  }
}

int CodeOf(const Outcome& outcome) {
  return outcome.exit_code != 0 ? outcome.exit_code : ExitCodeOf(outcome.error);
}

std::string ResultObject(const std::string& command, const Outcome& outcome) {
  nlohmann::ordered_json object;
  object["command"] = command;
  object["exit_code"] = CodeOf(outcome);
  object["run"] = outcome.run.empty() ? nlohmann::ordered_json()
                                      : nlohmann::ordered_json(outcome.run);
  object["loads"] = *outcome.loads;
  object["error"] = nullptr;
  if (!outcome.error.ok()) {
    object["error"] = {{"id", std::string(IdOf(outcome.error))},
                       {"message", Redact(outcome.error.message())},
                       {"hint", Redact(HintOf(outcome.error))}};
  }
  for (const auto& [name, value] : outcome.members->items()) object[name] = value;
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace sluice::cli
