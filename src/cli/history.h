/// \file
/// Jobs and runs as the state remembers them; for the verbs that show them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "cli/options.h"
#include "sluice/state_store.h"

namespace sluice::cli {

/// The first argument is a job file or, where there is no such file, a job's name.
Result<std::string> JobNameOf(const Arguments& arguments);

/// What a run was asked for; empty where it was not written down.
struct AskedRun {
  std::string command, folder, source, destination;
};
AskedRun AskedOf(const RunRecord& run);
/// "sluice run shop.yaml   (in /home/me)"; "" where it was not written down.
std::string CommandLineOf(const RunRecord& run);

/// `{run, host, pid, version, started, ended, seconds, exit_code, command, folder, source, destination}`.
nlohmann::ordered_json RunJson(const RunRecord& run);
/// "exit 0 after 12 s", "running" or "did not end (killed?)".
std::string EndOf(const RunRecord& run, const std::optional<LeaseHolder>& holder);

/// A phase for people: what is cleaned is committed, and nothing is left over.
const char* WordOf(Phase phase);

}  // namespace sluice::cli
