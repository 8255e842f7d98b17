#include "cli/history.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/job.h"
#include "app/quantity.h"
#include "base/redact.h"
#include "cli/request.h"

namespace sluice::cli {

Result<std::string> JobNameOf(const Arguments& arguments) {
  const std::string& argument = arguments.positionals[0];
  std::error_code error;
  if (!std::filesystem::exists(argument, error) && CheckJobName(argument).ok() &&
      SubjectOf(argument) != Subject::kJobFile) {
    return argument;
  }
  // The name alone: nobody needs a password to look back.
  ARROW_ASSIGN_OR_RAISE(const Job job,
                        ReadJobFile(argument, {.replacing = Replacing::kNone}));
  return job.name;
}

AskedRun AskedOf(const RunRecord& run) {
  AskedRun asked;
  const auto json = nlohmann::json::parse(run.definition, nullptr, false);
  if (!json.is_object()) return asked;
  const auto text = [&json](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? Redact(found->get<std::string>())
                                                     : std::string();
  };
  asked.command = text("command");
  asked.folder = text("folder");
  asked.source = text("source");
  asked.destination = text("destination");
  return asked;
}

std::string CommandLineOf(const RunRecord& run) {
  const AskedRun asked = AskedOf(run);
  if (asked.command.empty() || asked.folder.empty()) return asked.command;
  return fmt::format("{}   (in {})", asked.command, asked.folder);
}

nlohmann::ordered_json RunJson(const RunRecord& run) {
  const AskedRun asked = AskedOf(run);
  nlohmann::ordered_json json = {{"run", run.run},
                                 {"host", run.host},
                                 {"pid", run.pid},
                                 {"version", run.version},
                                 {"started", FormatTime(run.started_millis)},
                                 {"ended", nullptr},
                                 {"seconds", nullptr},
                                 {"exit_code", nullptr},
                                 {"command", asked.command},
                                 {"folder", asked.folder},
                                 {"source", asked.source},
                                 {"destination", asked.destination}};
  if (run.ended_millis != 0) {
    json["ended"] = FormatTime(run.ended_millis);
    json["seconds"] = static_cast<double>(run.ended_millis - run.started_millis) / 1000;
    json["exit_code"] = run.exit_code;
  }
  return json;
}

const char* WordOf(Phase phase) {
  return ToString(phase == Phase::kCleaned ? Phase::kCommitted : phase);
}

std::string EndOf(const RunRecord& run, const std::optional<LeaseHolder>& holder) {
  if (run.ended_millis != 0) {
    return fmt::format(
        "exit {} after {}", run.exit_code,
        FormatSeconds(static_cast<double>(run.ended_millis - run.started_millis) / 1000));
  }
  return holder && holder->held && holder->run == run.run ? "running"
                                                          : "did not end (killed?)";
}

}  // namespace sluice::cli
