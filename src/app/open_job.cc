#include "app/open_job.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

#include "app/definition.h"
#include "base/uuid.h"

namespace sluice {
namespace {

/// Nothing where the variable is absent or empty.
Result<std::optional<int64_t>> NumberFromEnvironment(const char* name, int64_t min,
                                                     int64_t max) {
  const char* text = std::getenv(name);
  if (text == nullptr || text[0] == '\0') return std::nullopt;
  const std::string_view word(text);
  int64_t number = 0;
  const auto [end, error] =
      std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number < min ||
      number > max) {
    return Error(ErrorKind::kUsage, "setting.environment",
                 fmt::format("{} must be a whole number from {} to {}, found {}", name,
                             min, max, word));
  }
  return number;
}

/// A table that is named and not there: where a load of it is unfinished, it was dropped in the
/// middle, and that needs somebody to look at the source.
Status CheckNotDropped(const LocatedJob& job, StateStore& state, const Status& missing) {
  if (IdOf(missing) != "source.no-such-table") return missing;
  for (const StreamEntry& entry : job.job.streams) {
    ARROW_ASSIGN_OR_RAISE(const auto load, state.OpenLoadOf(job.job.name, entry.pattern));
    if (!load || load->phase >= Phase::kCommitted) continue;
    return Error(
        ErrorKind::kSource, "source.table-gone",
        fmt::format("{}, and load {} of it is unfinished: it was dropped or renamed",
                    missing.message(), load->spec.load),
        fmt::format("put the table back and run again, or give the load up: "
                    "sluice gc {} --abandon {}",
                    job.destination.uri, load->spec.load));
  }
  return missing;
}

}  // namespace

Result<LocatedJob> Locate(const JobRequest& request) {
  LocatedJob located;
  located.job = request.job;
  located.settings = Merge(request.job.settings, request.flags);
  ARROW_ASSIGN_OR_RAISE(located.source, ResolveSource(request.job.source));
  ARROW_ASSIGN_OR_RAISE(located.destination, ResolveDestination(request.job.destination));
  ARROW_ASSIGN_OR_RAISE(located.state_path, StatePath(request.state));
  ARROW_RETURN_NOT_OK(
      CheckApart(located.source, located.destination, located.state_path));
  return located;
}

Result<Job> CopyJob(const std::string& source, const std::string& destination,
                    std::vector<StreamEntry> streams) {
  Job job;
  job.source = source;
  job.destination = destination;
  job.streams = std::move(streams);
  ARROW_ASSIGN_OR_RAISE(const Endpoint from, ResolveSource(source));
  ARROW_ASSIGN_OR_RAISE(const Endpoint to, ResolveDestination(destination));
  job.name = CopyJobName(from.uri, to.uri);
  return job;
}

Result<PlannedStreams> PlanStreams(const LocatedJob& job,
                                   const std::vector<std::string>& only,
                                   Session& session) {
  PlannedStreams planned;
  auto chosen_streams = ChooseStreams(job.job.streams, job.job.file, session);
  if (!chosen_streams.ok()) {
    // The one message that names nothing of the job.
    const bool nameless = IdOf(chosen_streams.status()) == "source.no-tables";
    return nameless ? InContext(chosen_streams.status(), job.source.uri)
                    : chosen_streams.status();
  }
  planned.chosen = *std::move(chosen_streams);
  ARROW_ASSIGN_OR_RAISE(planned.chosen, KeepStreams(std::move(planned.chosen), only));
  const Settings& settings = job.settings;
  for (const ChosenStream& chosen : planned.chosen) {
    StreamSpec stream;
    stream.name = chosen.name;
    stream.relation.name = chosen.table;
    stream.relation.columns = chosen.entry.columns;
    stream.relation.where = chosen.entry.where;
    if (chosen.entry.on_type_mismatch)
      stream.relation.on_type_mismatch = *chosen.entry.on_type_mismatch;
    if (settings.on_type_mismatch)
      stream.relation.on_type_mismatch = *settings.on_type_mismatch;
    if (settings.compression) {
      stream.compression = *settings.compression;
      stream.compression_level =
          settings.compression_level.value_or(stream.compression_level);
    }
    stream.file_size = settings.file_size.value_or(stream.file_size);
    stream.verify = settings.verify.value_or(stream.verify);
    stream.definition = DefinitionOf(stream, job.source.uri, job.destination.uri);
    planned.specs.push_back(std::move(stream));
  }
  return planned;
}

Result<int64_t> LeaseMillisFromEnvironment() {
  ARROW_ASSIGN_OR_RAISE(const auto seconds,
                        NumberFromEnvironment("SLUICE_LEASE_SECONDS", 1, 3600));
  return seconds ? *seconds * 1000 : Limits{}.lease_ttl_millis;
}

Result<OpenedJob> OpenForRun(const JobRequest& request, Clock& clock) {
  OpenedJob opened;
  ARROW_ASSIGN_OR_RAISE(opened.located, Locate(request));
  const LocatedJob& located = opened.located;
  TransferSpec& spec = opened.spec;
  ARROW_ASSIGN_OR_RAISE(spec.limits.lease_ttl_millis, LeaseMillisFromEnvironment());
  ARROW_ASSIGN_OR_RAISE(const auto chunk_rows,
                        NumberFromEnvironment("SLUICE_CHUNK_ROWS", 0, 1'000'000'000));
  spec.limits.chunk_rows = chunk_rows.value_or(spec.limits.chunk_rows);
  ARROW_ASSIGN_OR_RAISE(opened.source, OpenSource(located.source));
  Result<PlannedStreams> planned = PlannedStreams{};
  {
    ARROW_ASSIGN_OR_RAISE(const SessionSet sessions,
                          opened.source->Open(Consistency::kPerChunk, 1));
    planned = PlanStreams(located, request.only, *sessions.sessions[0]);
    // Nothing is written anywhere for a job that names what is not there.
    std::error_code error;
    if (!planned.ok() && !std::filesystem::exists(located.state_path, error))
      return planned.status();
  }
  ARROW_ASSIGN_OR_RAISE(opened.state,
                        OpenState(located.state_path, StateAccess::kReadWrite));
  if (!planned.ok()) return CheckNotDropped(located, *opened.state, planned.status());
  spec.streams = std::move(planned->specs);
  ARROW_ASSIGN_OR_RAISE(opened.destination, OpenDestination(located.destination));
  spec.job = located.job.name;
  spec.run = NewUuidV7(clock.NowMicros());
  spec.resume = request.resume;
  const Settings& settings = located.settings;
  spec.consistency = settings.consistency.value_or(spec.consistency);
  spec.limits.memory = settings.memory.value_or(spec.limits.memory);
  spec.limits.connections = settings.connections.value_or(spec.limits.connections);
  return opened;
}

}  // namespace sluice
