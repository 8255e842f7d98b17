#include "app/failed_run.h"

#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/connectors.h"
#include "base/redact.h"
#include "base/uuid.h"
#include "sluice/version.h"

namespace sluice {
namespace {

Status Write(const FailedRun& failed, const std::string& path, const std::string& id) {
  ARROW_ASSIGN_OR_RAISE(const auto state,
                        OpenStateIfThere(path, StateAccess::kReadWrite));
  if (state == nullptr)
    return Error(ErrorKind::kUsage, "state.no-such-file", "there is no state");
  LeaseOptions options;
  options.run = id;
  ARROW_ASSIGN_OR_RAISE(const Lease lease, state->Acquire(failed.job, options));
  RunRecord record;
  record.run = id;
  record.job = failed.job;
  record.pid = getpid();
  record.version = kVersion;
  record.definition = failed.asked;
  const nlohmann::json summary = {{"loads", nlohmann::json::array()},
                                  {"error", Redact(failed.status.message())}};
  Status written = state->BeginRun(lease, record);
  if (written.ok()) {
    written = state->EndRun(
        lease, id, ExitCodeOf(failed.status),
        summary.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  const Status released = state->Release(lease);
  return written.ok() ? released : written;
}

}  // namespace

std::string RecordFailedRun(const FailedRun& failed, Clock& clock) {
  const auto path = StatePath(failed.state);
  std::error_code error;
  if (!path.ok()) return {};
  if (IsStateFile(*path) && !std::filesystem::is_regular_file(*path, error)) return {};
  // What could not be opened a moment ago is not waited for once more.
  if (IdOf(failed.status).starts_with("state.")) return {};
  std::string id = NewUuidV7(clock.NowMicros());
  // The failure itself is what is reported; that it could not be written down adds nothing.
  return Write(failed, *path, id).ok() ? id : std::string();
}

}  // namespace sluice
