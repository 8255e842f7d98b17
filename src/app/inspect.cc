#include "app/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/quantity.h"

namespace sluice {
namespace {

/// Parquet files are about this part of the rows as Arrow holds them; a guess for
/// guesses.
constexpr double kEncodedPart = 0.35;

int64_t EstimateChunks(const TableInfo& table, int64_t file_size) {
  if (table.key.empty()) return 1;
  const double encoded = static_cast<double>(table.estimated_bytes) * kEncodedPart;
  return std::max<int64_t>(
      1, static_cast<int64_t>(encoded / static_cast<double>(file_size)) + 1);
}

Result<StreamPlan> PlanStream(const LocatedJob& job, const StreamSpec& spec,
                              Session& session, StateStore* state) {
  StreamPlan plan;
  plan.spec = spec;
  auto table = session.Describe(spec.relation);
  plan.status = table.status();
  if (table.ok()) {
    plan.table = *table;
    plan.chunks_estimate = EstimateChunks(plan.table, spec.file_size);
  }
  if (state == nullptr) return plan;
  ARROW_ASSIGN_OR_RAISE(plan.unfinished, state->OpenLoadOf(job.job.name, spec.name));
  if (!plan.unfinished) return plan;
  const bool same_table =
      !table.ok() || plan.table.fingerprint == plan.unfinished->table.fingerprint;
  const bool same = plan.unfinished->definition == spec.definition && same_table;
  // Beyond the commit nothing of the definition matters any more.
  plan.next = same || plan.unfinished->phase >= Phase::kCommitted
                  ? NextStep::kResume
                  : NextStep::kRefuseChanged;
  return plan;
}

Result<std::unique_ptr<StateStore>> OpenStateIfThere(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::unique_ptr<StateStore>();
  return OpenState(path, StateAccess::kReadOnly);
}

}  // namespace

Result<std::vector<DescribedTable>> Discover(const Endpoint& endpoint) {
  ARROW_ASSIGN_OR_RAISE(const auto source, OpenSource(endpoint));
  ARROW_ASSIGN_OR_RAISE(const SessionSet set, source->Open(Consistency::kPerChunk, 1));
  Session& session = *set.sessions[0];
  ARROW_ASSIGN_OR_RAISE(const std::vector<TableName> names,
                        session.List({"*", /*views=*/true}));
  std::vector<DescribedTable> tables;
  for (const TableName& name : names) {
    DescribedTable described;
    described.name = name;
    Relation relation;
    relation.name = name;
    auto table = session.Describe(relation);
    described.status = table.status();
    if (table.ok()) described.table = *std::move(table);
    tables.push_back(std::move(described));
  }
  return tables;
}

Result<JobPlan> PlanJob(const JobRequest& request) {
  JobPlan plan;
  ARROW_ASSIGN_OR_RAISE(plan.located, Locate(request));
  ARROW_ASSIGN_OR_RAISE(const auto source, OpenSource(plan.located.source));
  plan.source = source->Describe();
  ARROW_ASSIGN_OR_RAISE(const SessionSet set, source->Open(Consistency::kPerChunk, 1));
  Session& session = *set.sessions[0];
  ARROW_ASSIGN_OR_RAISE(const PlannedStreams streams,
                        PlanStreams(plan.located, request.only, session));
  ARROW_ASSIGN_OR_RAISE(const auto state, OpenStateIfThere(plan.located.state_path));
  plan.state_exists = state != nullptr;
  if (state != nullptr) {
    ARROW_ASSIGN_OR_RAISE(plan.probe, state->LastProbe(plan.located.destination.uri));
  }
  for (const StreamSpec& spec : streams.specs) {
    ARROW_ASSIGN_OR_RAISE(StreamPlan stream,
                          PlanStream(plan.located, spec, session, state.get()));
    plan.streams.push_back(std::move(stream));
  }
  return plan;
}

CheckItem CheckSource(const Endpoint& endpoint) {
  CheckItem item{
      .what = "source", .place = endpoint.uri, .status = {}, .detail = {}, .verdict = {}};
  const auto described = Discover(endpoint);
  item.status = described.status();
  if (!described.ok()) return item;
  size_t refused = 0;
  for (const DescribedTable& table : *described) {
    if (table.status.ok()) continue;
    if (refused++ == 0) item.status = table.status;
  }
  item.detail = Counted(static_cast<int64_t>(described->size()), "table");
  if (refused > 0) item.detail += fmt::format(", {} of them not readable", refused);
  return item;
}

CheckItem CheckDestination(const Endpoint& endpoint) {
  CheckItem item{.what = "destination",
                 .place = endpoint.uri,
                 .status = {},
                 .detail = {},
                 .verdict = {}};
  const auto destination = OpenDestination(endpoint);
  item.status = destination.status();
  if (!destination.ok()) return item;
  const auto verdict = (*destination)->Probe();
  item.status = verdict.status();
  if (!verdict.ok()) return item;
  item.verdict = *verdict;
  item.detail = verdict->detail;
  return item;
}

CheckItem CheckState(const std::string& path) {
  CheckItem item{
      .what = "state", .place = path, .status = {}, .detail = {}, .verdict = {}};
  const auto state = OpenState(path, StateAccess::kReadWrite);
  item.status = state.status();
  if (item.status.ok()) item.detail = "can be written";
  return item;
}

Result<std::vector<CheckItem>> CheckJob(const JobRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const LocatedJob located, Locate(request));
  CheckItem source{.what = "source",
                   .place = located.source.uri,
                   .status = {},
                   .detail = {},
                   .verdict = {}};
  const auto try_streams = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto opened, OpenSource(located.source));
    ARROW_ASSIGN_OR_RAISE(const SessionSet set, opened->Open(Consistency::kPerChunk, 1));
    Session& session = *set.sessions[0];
    ARROW_ASSIGN_OR_RAISE(const PlannedStreams streams,
                          PlanStreams(located, request.only, session));
    for (const StreamSpec& spec : streams.specs)
      ARROW_RETURN_NOT_OK(session.Describe(spec.relation));
    source.detail =
        Counted(static_cast<int64_t>(streams.specs.size()), "stream") + " can be read";
    return Status::OK();
  };
  source.status = try_streams();
  std::vector<CheckItem> items;
  items.push_back(std::move(source));
  items.push_back(CheckDestination(located.destination));
  items.push_back(CheckState(located.state_path));
  return items;
}

}  // namespace sluice
