#include "app/check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include "app/foreign_loads.h"
#include "app/inspect.h"
#include "app/quantity.h"

namespace sluice {
namespace {

/// Proves for each relation that its rows may be selected; what may not is a finding, of a view that
/// nobody asked for a warning. Counts those that may.
int64_t TrySelects(const std::vector<Relation>& relations, Session& session,
                   std::vector<Finding>* findings,
                   const std::set<TableName>& views = {}) {
  const auto add = [&](const TableName& name, std::string what, const Status& status) {
    Finding finding = FailedFinding(std::move(what), status);
    if (views.contains(name)) {
      finding.level = Level::kWarning;
      finding.detail = "a view, copied only where it is named: " + finding.detail;
      finding.hint = std::string(HintOf(status));
      finding.status = Status::OK();
    }
    findings->push_back(std::move(finding));
  };
  const auto described = session.DescribeAll(relations);
  std::vector<TableInfo> tables;
  for (size_t i = 0; i < relations.size(); ++i) {
    if (described[i].ok()) {
      tables.push_back(*described[i]);
    } else {
      add(relations[i].name, ToString(relations[i].name), described[i].status());
    }
  }
  const auto explained = session.ExplainAll(tables);
  int64_t readable = 0;
  for (size_t i = 0; i < tables.size(); ++i) {
    const std::string name = ToString(tables[i].relation.name);
    if (!explained[i].ok()) {
      add(tables[i].relation.name, "SELECT on " + name, explained[i].status());
      continue;
    }
    ++readable;
    for (const std::string& warning : explained[i]->warnings)
      findings->push_back({.name = name, .level = Level::kWarning, .detail = warning});
  }
  return readable;
}

/// The first failure among findings stands for the part.
void Conclude(CheckItem* item) {
  for (const Finding& finding : item->findings)
    if (item->status.ok() && finding.level == Level::kFailed)
      item->status = finding.status;
}

/// Folders of a local destination that are not there yet, the innermost first.
std::vector<std::string> MissingFolders(const Endpoint& endpoint) {
  namespace fs = std::filesystem;
  std::vector<std::string> missing;
  if (endpoint.path.empty()) return missing;
  std::error_code error;
  const fs::path probes = fs::path(endpoint.path) / "_sluice" / "staging";
  for (fs::path folder = probes; !fs::exists(folder, error);
       folder = folder.parent_path())
    missing.push_back(folder.string());
  return missing;
}

/// What a look made goes again; a folder that somebody has filled meanwhile stays.
void RemoveEmpty(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders)
    if (rmdir(folder.c_str()) != 0 && errno != ENOENT) return;
}

CheckItem LookAtDestination(const Endpoint& endpoint) {
  CheckItem item{
      .what = "destination", .place = endpoint.uri, .status = {}, .detail = {}};
  const auto store = OpenStore(ToLookAt(endpoint));
  item.status = store.status();
  if (!store.ok()) return item;
  const auto verdict = (*store)->Probe();
  item.status = verdict.status();
  if (verdict.ok()) {
    item.verdict = *verdict;
    item.detail = verdict->detail;
  }
  // Each permission is tried where the probe was refused: it names the first alone.
  const ErrorKind kind = KindOf(item.status);
  const bool answers = item.status.ok() || kind == ErrorKind::kDestination;
  const bool is_there = IdOf(item.status) != "s3.no-bucket" &&
                        IdOf(item.status) != "s3.not-s3" &&
                        IdOf(item.status) != "s3.credentials-refused";
  if (answers && is_there) item.findings = (*store)->Inspect();
  Conclude(&item);
  return item;
}

}  // namespace

CheckItem CheckSource(const Endpoint& endpoint) {
  CheckItem item{.what = "source", .place = endpoint.uri, .status = {}, .detail = {}};
  const auto look = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto source, OpenSource(ToLookAt(endpoint)));
    const SourceWish wish{TransferSpec{}.consistency, Limits{}.connections};
    ARROW_ASSIGN_OR_RAISE(SourceFindings server, source->Inspect(wish));
    item.findings = std::move(server.findings);
    ARROW_ASSIGN_OR_RAISE(const SessionSet set, source->Open(Consistency::kPerChunk, 1));
    Session& session = *set.sessions[0];
    ARROW_ASSIGN_OR_RAISE(const auto names, session.List({"*", /*views=*/true}));
    ARROW_ASSIGN_OR_RAISE(const auto base, session.List({"*", /*views=*/false}));
    std::set<TableName> views(names.begin(), names.end());
    for (const TableName& table : base) views.erase(table);
    std::vector<Relation> relations(names.size());
    for (size_t i = 0; i < names.size(); ++i) relations[i].name = names[i];
    const int64_t readable = TrySelects(relations, session, &item.findings, views);
    const auto all = static_cast<int64_t>(names.size());
    item.detail = Counted(all, "table");
    if (readable < all)
      item.detail += fmt::format(", {} of them not readable", all - readable);
    return Status::OK();
  };
  item.status = look();
  Conclude(&item);
  return item;
}

CheckItem CheckDestination(const Endpoint& endpoint) {
  const std::vector<std::string> made = MissingFolders(endpoint);
  CheckItem item = LookAtDestination(endpoint);
  RemoveEmpty(made);
  return item;
}

CheckItem CheckState(const std::string& path) {
  CheckItem item{.what = "state", .place = ShownState(path), .status = {}, .detail = {}};
  const auto state = OpenState(path, StateAccess::kReadWrite);
  item.status = state.status();
  if (item.status.ok()) item.detail = "can be written";
  return item;
}

Result<std::vector<CheckItem>> CheckJob(const JobRequest& request) {
  ARROW_RETURN_NOT_OK(CheckEnvironment());
  ARROW_ASSIGN_OR_RAISE(const LocatedJob located, Locate(request));
  CheckItem source{
      .what = "source", .place = located.source.uri, .status = {}, .detail = {}};
  PlannedStreams streams;
  const auto try_streams = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto opened, OpenSourceOf(located, /*only_looks=*/true));
    const Settings& settings = located.settings;
    ARROW_ASSIGN_OR_RAISE(
        SourceFindings server,
        opened->Inspect({settings.consistency.value_or(TransferSpec{}.consistency),
                         settings.connections.value_or(Limits{}.connections)}));
    source.findings = std::move(server.findings);
    ARROW_ASSIGN_OR_RAISE(const SessionSet set, opened->Open(Consistency::kPerChunk, 1));
    Session& session = *set.sessions[0];
    ARROW_ASSIGN_OR_RAISE(streams, PlanStreams(located, request.only, session));
    std::vector<Relation> relations;
    for (const StreamSpec& spec : streams.specs) relations.push_back(spec.relation);
    const int64_t readable = TrySelects(relations, session, &source.findings);
    const auto all = static_cast<int64_t>(relations.size());
    source.detail = readable == all ? Counted(all, "stream") + " can be read"
                                    : fmt::format("{} of {} can be read", readable,
                                                  Counted(all, "stream"));
    return Status::OK();
  };
  source.status = try_streams();
  Conclude(&source);
  std::vector<CheckItem> items;
  items.push_back(std::move(source));
  ARROW_ASSIGN_OR_RAISE(const auto destinations, DestinationsOf(located.job));
  for (const Endpoint& destination : destinations)
    items.push_back(CheckDestination(destination));
  if (items[1].status.ok()) {
    for (Finding& finding : FindForeignLoads(located.job, streams))
      items[1].findings.push_back(std::move(finding));
  }
  items.push_back(CheckState(located.state_path));
  return items;
}

}  // namespace sluice
