#include "app/open_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "app/definition.h"
#include "app/secrets.h"
#include "arrow/type.h"
#include "base/nearest.h"
#include "base/type_policy.h"
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
                             min, max, word),
                 fmt::format("unset {} for the default", name));
  }
  return number;
}

Result<std::optional<int64_t>> ChunkRowsFromEnvironment() {
  return NumberFromEnvironment("SLUICE_CHUNK_ROWS", 0, 1'000'000'000);
}

/// A table that is named and not there: where a load of it is unfinished, it was dropped in the
/// middle, and that needs somebody to look at the source.
Status CheckNotDropped(const LocatedJob& job, StateStore& state, const Status& missing) {
  if (IdOf(missing) != "source.no-such-table") return missing;
  for (const StreamEntry& entry : job.job.streams) {
    if (entry.exclude || !entry.sql.empty()) continue;
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

/// What is asked of the source, a flag's word before the stream's before the job's.
StreamSpec SpecOf(const LocatedJob& job, const ChosenStream& chosen) {
  const Settings settings =
      Merge(Merge(job.job.settings, chosen.entry.settings), job.said);
  StreamSpec stream;
  stream.name = chosen.name;
  Relation& relation = stream.relation;
  relation.name = chosen.table;
  relation.columns = chosen.entry.columns;
  relation.where = chosen.entry.where;
  relation.sql = chosen.entry.sql;
  relation.on_type_mismatch =
      settings.on_type_mismatch.value_or(relation.on_type_mismatch);
  relation.policies = settings.policies;
  // Said or not, the default is the same bytes.
  std::erase_if(relation.policies, [](const auto& policy) {
    return FindTypePolicy(policy.first)->default_word == policy.second;
  });
  relation.type_policies = settings.type_policies;
  relation.column_policies = settings.column_policies;
  if (settings.compression) {
    stream.compression = *settings.compression;
    stream.compression_level =
        settings.compression_level.value_or(stream.compression_level);
  }
  stream.file_size = settings.file_size.value_or(stream.file_size);
  stream.verify = settings.verify.value_or(stream.verify);
  stream.keep_versions = settings.keep_versions;
  stream.path = settings.path.value_or(stream.path);
  return stream;
}

/// A column that a stream names in its policies and does not have. What is said of many tables,
/// under `defaults` or a glob, need not fit each.
Status CheckPolicyColumns(const Job& job, const ChosenStream& chosen,
                          const Relation& relation, Session& session) {
  const auto& policies = chosen.entry.settings.column_policies;
  if (policies.empty() || (IsGlob(chosen.entry.pattern) && chosen.entry.sql.empty()))
    return Status::OK();
  const auto table = session.Describe(relation);
  if (!table.ok()) return Status::OK();  // The run says so, stream by stream.
  const std::vector<std::string> names = table->schema->field_names();
  for (const auto& [column, words] : policies) {
    if (std::ranges::count(names, column) > 0) continue;
    std::string hint = DidYouMean(column, names);
    if (hint.empty()) hint = fmt::format("it has {}", fmt::join(names, " "));
    return AboutEntry(
        job, chosen.entry, "job.no-such-column",
        fmt::format("stream {} has policies for a column it does not have: {}",
                    chosen.name, column),
        std::move(hint));
  }
  return Status::OK();
}

/// The places of single streams, each opened once.
Status OpenOthers(const PlannedStreams& planned, OpenedJob* opened) {
  for (size_t i = 0; i < planned.specs.size(); ++i) {
    const Endpoint& place = planned.destinations[i];
    if (place.uri == opened->located.destination.uri) continue;
    auto& open = opened->others[place.uri];
    if (open == nullptr) {
      ARROW_ASSIGN_OR_RAISE(open, OpenDestination(place));
    }
    opened->spec.streams[i].destination = open.get();
    opened->places.emplace(planned.specs[i].name, place);
  }
  return Status::OK();
}

}  // namespace

Result<LocatedJob> Locate(const JobRequest& request) {
  LocatedJob located;
  located.job = request.job;
  located.said = Merge(request.environment, request.flags);
  located.settings = Merge(request.job.settings, located.said);
  ARROW_ASSIGN_OR_RAISE(located.source, ResolveSource(request.job.source));
  ARROW_ASSIGN_OR_RAISE(located.state_path, StatePath(request.state));
  ARROW_ASSIGN_OR_RAISE(const auto destinations, DestinationsOf(request.job));
  located.destination = destinations.front();
  for (const Endpoint& destination : destinations) {
    ARROW_RETURN_NOT_OK(CheckApart(located.source, destination, located.state_path));
  }
  return located;
}

Result<std::unique_ptr<Source>> OpenSourceOf(const LocatedJob& job, bool only_looks) {
  auto source = OpenSource(only_looks ? ToLookAt(job.source) : job.source);
  const std::string& from = job.job.password_from;
  if (source.ok() || from.empty() || IdOf(source.status()) != "source.password")
    return source;
  return Error(KindOf(source.status()), "source.password", source.status().message(),
               fmt::format("the password comes from {}: see that it is this user's, and "
                           "that the server lets the user in from this host",
                           from));
}

Result<std::vector<Endpoint>> DestinationsOf(const Job& job) {
  std::vector<Endpoint> places;
  std::vector<std::string> uris = {job.destination};
  for (const StreamEntry& entry : job.streams) {
    if (!entry.destination.empty()) uris.push_back(entry.destination);
  }
  for (const std::string& uri : uris) {
    ARROW_ASSIGN_OR_RAISE(Endpoint place, ResolveDestination(uri));
    const bool known = std::ranges::any_of(
        places, [&](const Endpoint& other) { return other.uri == place.uri; });
    if (!known) places.push_back(std::move(place));
  }
  return places;
}

Result<Job> CopyJob(const std::string& source, const std::string& destination,
                    std::vector<StreamEntry> streams) {
  Job job;
  job.password_from = ShownReference(PasswordIn(source));
  ARROW_ASSIGN_OR_RAISE(job.source, ReplaceInUri(source, {}));
  ARROW_ASSIGN_OR_RAISE(job.destination, ReplaceInUri(destination, {}));
  job.streams = std::move(streams);
  ARROW_ASSIGN_OR_RAISE(const Endpoint from, ResolveSource(job.source));
  ARROW_ASSIGN_OR_RAISE(const Endpoint to, ResolveDestination(job.destination));
  job.name = CopyJobName(from.uri, to.uri);
  return job;
}

Result<PlannedStreams> PlanStreams(const LocatedJob& job,
                                   const std::vector<std::string>& only,
                                   Session& session) {
  PlannedStreams planned;
  auto chosen_streams = ChooseStreams(job.job, SchemaOf(job.source), session);
  if (!chosen_streams.ok()) {
    // The one message that names nothing of the job.
    const bool nameless = IdOf(chosen_streams.status()) == "source.no-tables";
    return nameless ? InContext(chosen_streams.status(), job.source.uri)
                    : chosen_streams.status();
  }
  planned.chosen = *std::move(chosen_streams);
  ARROW_ASSIGN_OR_RAISE(planned.chosen, KeepStreams(std::move(planned.chosen), only));
  for (const ChosenStream& chosen : planned.chosen) {
    Endpoint destination = job.destination;
    if (!chosen.entry.destination.empty()) {
      ARROW_ASSIGN_OR_RAISE(destination, ResolveDestination(chosen.entry.destination));
    }
    StreamSpec stream = SpecOf(job, chosen);
    ARROW_RETURN_NOT_OK(CheckPolicyColumns(job.job, chosen, stream.relation, session));
    stream.definition = DefinitionOf(stream, job.source.uri, destination.uri);
    planned.specs.push_back(std::move(stream));
    planned.destinations.push_back(std::move(destination));
  }
  return planned;
}

const Endpoint& PlaceOf(const OpenedJob& job, const std::string& stream) {
  const auto found = job.places.find(stream);
  return found == job.places.end() ? job.located.destination : found->second;
}

Result<int64_t> LeaseMillisFromEnvironment() {
  ARROW_ASSIGN_OR_RAISE(const auto seconds,
                        NumberFromEnvironment("SLUICE_LEASE_SECONDS", 1, 3600));
  return seconds ? *seconds * 1000 : Limits{}.lease_ttl_millis;
}

Status CheckEnvironment() {
  ARROW_RETURN_NOT_OK(LeaseMillisFromEnvironment().status());
  return ChunkRowsFromEnvironment().status();
}

Result<OpenedJob> OpenForRun(const JobRequest& request, Clock& clock) {
  OpenedJob opened;
  ARROW_ASSIGN_OR_RAISE(opened.located, Locate(request));
  const LocatedJob& located = opened.located;
  TransferSpec& spec = opened.spec;
  ARROW_ASSIGN_OR_RAISE(spec.limits.lease_ttl_millis, LeaseMillisFromEnvironment());
  ARROW_ASSIGN_OR_RAISE(const auto chunk_rows, ChunkRowsFromEnvironment());
  spec.limits.chunk_rows = chunk_rows.value_or(spec.limits.chunk_rows);
  ARROW_ASSIGN_OR_RAISE(opened.source, OpenSourceOf(located));
  Result<PlannedStreams> planned = PlannedStreams{};
  {
    ARROW_ASSIGN_OR_RAISE(const SessionSet sessions,
                          opened.source->Open(Consistency::kPerChunk, 1));
    planned = PlanStreams(located, request.only, *sessions.sessions[0]);
  }
  if (!planned.ok()) {
    // Nothing is written anywhere for a job that names what is not there.
    ARROW_ASSIGN_OR_RAISE(opened.state,
                          OpenStateIfThere(located.state_path, StateAccess::kReadWrite));
    if (opened.state == nullptr) return planned.status();
    return CheckNotDropped(located, *opened.state, planned.status());
  }
  ARROW_ASSIGN_OR_RAISE(opened.state,
                        OpenState(located.state_path, StateAccess::kReadWrite));
  spec.streams = planned->specs;
  ARROW_ASSIGN_OR_RAISE(opened.destination, OpenDestination(located.destination));
  ARROW_RETURN_NOT_OK(OpenOthers(*planned, &opened));
  spec.job = located.job.name;
  spec.run = NewUuidV7(clock.NowMicros());
  spec.resume = request.resume;
  const Settings& settings = located.settings;
  spec.consistency = settings.consistency.value_or(spec.consistency);
  spec.limits.memory = settings.memory.value_or(spec.limits.memory);
  spec.limits.connections = settings.connections.value_or(spec.limits.connections);
  spec.limits.bytes_per_second = settings.rate.value_or(spec.limits.bytes_per_second);
  return opened;
}

}  // namespace sluice
