#include "app/inspect.h"

#include <algorithm>
#include <set>

#include "app/definition.h"
#include "app/foreign_loads.h"
#include "sluice/clock.h"

namespace sluice {
namespace {

/// Each stream described and explained, all of them in few questions.
std::vector<StreamPlan> LookAt(std::vector<StreamSpec> specs, Session& session) {
  std::vector<Relation> relations;
  relations.reserve(specs.size());
  for (const StreamSpec& spec : specs) relations.push_back(spec.relation);
  const auto tables = session.DescribeAll(relations);
  std::vector<StreamPlan> plans(specs.size());
  std::vector<TableInfo> described;
  std::vector<size_t> places;
  for (size_t i = 0; i < specs.size(); ++i) {
    plans[i].spec = std::move(specs[i]);
    plans[i].status = tables[i].status();
    if (!tables[i].ok()) continue;
    plans[i].table = *tables[i];
    described.push_back(*tables[i]);
    places.push_back(i);
  }
  const auto explained = session.ExplainAll(described);
  for (size_t i = 0; i < explained.size(); ++i) {
    StreamPlan& plan = plans[places[i]];
    plan.status = explained[i].status();
    if (explained[i].ok()) plan.read = *explained[i];
  }
  return plans;
}

/// What has been read needs the table no more.
bool IsStillRead(const LoadState& load) {
  if (load.phase != Phase::kCopying) return false;
  const bool all_planned = !load.chunks.empty() && load.chunks.back().chunk.last;
  return !all_planned || std::ranges::any_of(load.chunks, [](const auto& chunk) {
    return !chunk.staged;
  });
}

Status AddUnfinished(const LocatedJob& job, StateStore& state, StreamPlan* plan) {
  ARROW_ASSIGN_OR_RAISE(plan->unfinished,
                        state.OpenLoadOf(job.job.name, plan->spec.name));
  if (!plan->unfinished) return Status::OK();
  const LoadState& load = *plan->unfinished;
  const bool was_described = plan->table.schema != nullptr;
  // Beyond the commit nothing of the definition matters any more.
  if (load.phase < Phase::kCommitted) {
    plan->differs = DifferencesOf(load.definition, plan->spec.definition);
    plan->table_changed = was_described && IsStillRead(load) &&
                          plan->table.fingerprint != load.table.fingerprint;
  }
  const bool changed = !plan->differs.empty() || plan->table_changed;
  plan->next = changed ? NextStep::kRefuseChanged : NextStep::kResume;
  return Status::OK();
}

}  // namespace

Result<std::vector<DescribedTable>> Discover(const Endpoint& endpoint) {
  ARROW_ASSIGN_OR_RAISE(const auto source, OpenSource(ToLookAt(endpoint)));
  ARROW_ASSIGN_OR_RAISE(const SessionSet set, source->Open(Consistency::kPerChunk, 1));
  Session& session = *set.sessions[0];
  ARROW_ASSIGN_OR_RAISE(const std::vector<TableName> names,
                        session.List({"*", /*views=*/true}));
  ARROW_ASSIGN_OR_RAISE(const std::vector<TableName> base,
                        session.List({"*", /*views=*/false}));
  const std::set<TableName> base_tables(base.begin(), base.end());
  std::vector<Relation> relations;
  for (const TableName& name : names) {
    Relation relation;
    relation.name = name;
    relations.push_back(std::move(relation));
  }
  auto described = session.DescribeAll(relations);
  std::vector<DescribedTable> tables;
  for (size_t i = 0; i < names.size(); ++i) {
    DescribedTable table;
    table.name = names[i];
    table.status = described[i].status();
    table.is_view = !base_tables.contains(names[i]);
    if (described[i].ok()) table.table = *std::move(described[i]);
    tables.push_back(std::move(table));
  }
  return tables;
}

Result<JobPlan> PlanJob(const JobRequest& request) {
  JobPlan plan;
  ARROW_RETURN_NOT_OK(CheckEnvironment());
  ARROW_ASSIGN_OR_RAISE(plan.located, Locate(request));
  ARROW_ASSIGN_OR_RAISE(const auto source,
                        OpenSourceOf(plan.located, /*only_looks=*/true));
  plan.source = source->Describe();
  const Settings& settings = plan.located.settings;
  ARROW_ASSIGN_OR_RAISE(
      plan.server,
      source->Inspect({settings.consistency.value_or(TransferSpec{}.consistency),
                       settings.connections.value_or(Limits{}.connections)}));
  ARROW_ASSIGN_OR_RAISE(const SessionSet set, source->Open(Consistency::kPerChunk, 1));
  Session& session = *set.sessions[0];
  ARROW_ASSIGN_OR_RAISE(PlannedStreams streams,
                        PlanStreams(plan.located, request.only, session));
  plan.destination = FindForeignLoads(plan.located.job, streams);
  plan.streams = LookAt(std::move(streams.specs), session);
  for (size_t i = 0; i < plan.streams.size(); ++i) {
    plan.streams[i].destination = std::move(streams.destinations[i]);
    plan.streams[i].settings = ShownSettings(request, streams.chosen[i].entry);
  }
  ARROW_ASSIGN_OR_RAISE(const auto state, OpenStateIfThere(plan.located.state_path,
                                                           StateAccess::kReadOnly));
  plan.state_exists = state != nullptr;
  LastLoads last;
  if (state != nullptr) {
    ARROW_ASSIGN_OR_RAISE(plan.probe, state->LastProbe(plan.located.destination.uri));
    ARROW_ASSIGN_OR_RAISE(
        last, LastLoadsOf(*state, plan.located.job.name, plan.streams.size()));
  }
  const int64_t now_millis = SystemClock().NowMicros() / 1000;
  for (StreamPlan& stream : plan.streams) {
    stream.forecast = ForecastOf(stream.spec, stream.table, last, now_millis);
    if (state == nullptr) continue;
    ARROW_ASSIGN_OR_RAISE(stream.probe, state->LastProbe(stream.destination.uri));
    ARROW_RETURN_NOT_OK(AddUnfinished(plan.located, *state, &stream));
  }
  return plan;
}

}  // namespace sluice
