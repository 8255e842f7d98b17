#include "app/inspect.h"

#include <filesystem>
#include <set>

#include "app/foreign_loads.h"
#include "sluice/clock.h"

namespace sluice {
namespace {

Result<std::unique_ptr<StateStore>> OpenStateIfThere(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::unique_ptr<StateStore>();
  return OpenState(path, StateAccess::kReadOnly);
}

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

Status AddUnfinished(const LocatedJob& job, StateStore& state, StreamPlan* plan) {
  ARROW_ASSIGN_OR_RAISE(plan->unfinished,
                        state.OpenLoadOf(job.job.name, plan->spec.name));
  if (!plan->unfinished) return Status::OK();
  const LoadState& load = *plan->unfinished;
  const bool was_described = plan->table.schema != nullptr;
  const bool same_table =
      !was_described || plan->table.fingerprint == load.table.fingerprint;
  const bool same = load.definition == plan->spec.definition && same_table;
  // Beyond the commit nothing of the definition matters any more.
  plan->next = same || load.phase >= Phase::kCommitted ? NextStep::kResume
                                                       : NextStep::kRefuseChanged;
  return Status::OK();
}

}  // namespace

Result<std::vector<DescribedTable>> Discover(const Endpoint& endpoint) {
  ARROW_ASSIGN_OR_RAISE(const auto source, OpenSource(endpoint));
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
  ARROW_ASSIGN_OR_RAISE(plan.located, Locate(request));
  ARROW_ASSIGN_OR_RAISE(const auto source, OpenSourceOf(plan.located));
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
  ARROW_ASSIGN_OR_RAISE(const auto state, OpenStateIfThere(plan.located.state_path));
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
    if (state != nullptr)
      ARROW_RETURN_NOT_OK(AddUnfinished(plan.located, *state, &stream));
  }
  return plan;
}

}  // namespace sluice
