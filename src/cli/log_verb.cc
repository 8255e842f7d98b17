#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "app/connectors.h"
#include "app/quantity.h"
#include "base/redact.h"
#include "cli/console.h"
#include "cli/history.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

constexpr int kRunsShown = 10;
/// More than a state keeps of a job.
constexpr int kRunsAsked = 100'000;
constexpr int kLoadsAsked = 10'000;

using Json = nlohmann::ordered_json;

std::string Identifier(const std::string& name) {
  const auto plain = [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
  };
  if (!name.empty() && std::all_of(name.begin(), name.end(), plain)) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

/// What was asked of the source, in plain SQL. What was sent has the dialect's quotes and each
/// chunk's bounds besides.
std::string StatementOf(const Json& source) {
  if (source.contains("sql")) return source.value("sql", "");
  std::string columns;
  for (const auto& column : source.value("columns", Json::array())) {
    columns += (columns.empty() ? "" : ", ") + Identifier(column.get<std::string>());
  }
  const std::string schema = source.value("schema", "");
  std::string text = fmt::format("SELECT {} FROM {}{}", columns.empty() ? "*" : columns,
                                 schema.empty() ? "" : Identifier(schema) + ".",
                                 Identifier(source.value("table", "")));
  const std::string where = source.value("where", "");
  if (!where.empty()) text += fmt::format(" WHERE ({})", where);
  return text;
}

/// Of a run that wrote no summary: the loads it began, as far as they are known.
Json LoadsBegunBy(const RunRecord& run, const std::vector<LoadState>& loads) {
  Json list = Json::array();
  for (const LoadState& load : loads) {
    if (load.spec.run != run.run) continue;
    const Relation& relation = load.spec.relation;
    int64_t rows = 0, bytes = 0, files = 0;
    for (const ChunkState& chunk : load.chunks) {
      if (!chunk.staged) continue;
      rows += chunk.staged->rows;
      for (const StagedObject& object : chunk.staged->staged) {
        ++files;
        bytes += object.size;
      }
    }
    Json source = {{"schema", relation.name.schema},
                   {"table", relation.name.table},
                   {"columns", relation.columns},
                   {"where", relation.where}};
    if (!relation.sql.empty()) source["sql"] = relation.sql;
    list.push_back({{"stream", load.spec.stream},
                    {"load", load.spec.load},
                    {"phase", ToString(load.phase)},
                    {"rows", rows},
                    {"bytes", bytes},
                    {"files", files},
                    {"source", source}});
  }
  return list;
}

/// A run with its loads. A state may have been written by other versions: what is not there is
/// left out.
Json Entry(const RunRecord& run, const std::vector<LoadState>& loads) {
  Json entry = {{"job", run.job}};
  entry.update(RunJson(run));
  const Json summary = Json::parse(run.summary, nullptr, false);
  for (const char* name : {"consistency", "position", "warnings", "error"}) {
    if (summary.is_object() && summary.contains(name)) entry[name] = summary[name];
  }
  entry["loads"] = Json::array();
  const Json list = summary.is_object() && summary.contains("loads")
                        ? summary["loads"]
                        : LoadsBegunBy(run, loads);
  for (Json load : list) {
    if (load.contains("source")) {
      load["statement"] = Redact(StatementOf(load["source"]));
      load.erase("source");
    }
    entry["loads"].push_back(std::move(load));
  }
  return entry;
}

std::string TextOf(const RunRecord& run, const Json& entry,
                   const std::optional<LeaseHolder>& holder) {
  std::string text =
      fmt::format("{}  {}  {}  {}\n", run.run, FormatTime(run.started_millis),
                  Printable(run.job), EndOf(run, holder));
  const std::string command = CommandLineOf(run);
  if (!command.empty()) text += "  " + Printable(command) + "\n";
  const std::string destination = entry.value("destination", "");
  if (!destination.empty()) text += "  to " + Printable(destination) + "\n";
  for (const Json& load : entry["loads"]) {
    std::string line =
        fmt::format("  {}  {} rows  {}  {}", Printable(load.value("stream", "")),
                    FormatCount(load.value("rows", int64_t{0})),
                    Counted(load.value("files", int64_t{0}), "file"),
                    FormatSize(load.value("bytes", int64_t{0})));
    if (load.contains("seconds"))
      line += "  " + FormatSeconds(load.value("seconds", 0.0));
    const std::string phase = load.value("phase", "");
    line +=
        fmt::format("  {}  load {}",
                    phase == ToString(Phase::kCleaned) ? WordOf(Phase::kCleaned) : phase,
                    load.value("load", "-"));
    if (load.value("resumed", false)) line += "  resumed";
    text += line + "\n";
    if (load.contains("statement"))
      text += "    " + Printable(load.value("statement", "")) + "\n";
    const std::string error = load.value("error", "");
    if (!error.empty()) text += "    error: " + Printable(Redact(error)) + "\n";
  }
  const std::string error = entry.value("error", "");
  if (!error.empty()) text += "  error: " + Printable(Redact(error)) + "\n";
  return text;
}

Result<int> LimitFrom(const Arguments& arguments) {
  const std::string text = arguments.Value("--limit");
  if (text.empty() && !arguments.Has("--limit")) return kRunsShown;
  int limit = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, limit);
  if (error != std::errc() || stop != end || limit < 1) {
    return Error(ErrorKind::kUsage, "cli.limit",
                 "--limit expects a whole number from 1, found " + text,
                 fmt::format("without it {} runs are shown", kRunsShown));
  }
  return limit;
}

Status AddRuns(StateStore& state, const std::string& job, const Arguments& arguments,
               int limit, Outcome* outcome) {
  const std::string wanted = arguments.Value("--run");
  ARROW_ASSIGN_OR_RAISE(const auto runs,
                        state.Runs(job, wanted.empty() ? limit : kRunsAsked));
  std::map<std::string, std::vector<LoadState>> loads;  // by job, where they are needed
  int shown = 0;
  for (const RunRecord& run : runs) {
    if (!run.run.starts_with(wanted) || ++shown > limit) continue;
    if (run.summary.empty() && !loads.contains(run.job)) {
      ARROW_ASSIGN_OR_RAISE(loads[run.job], state.Loads(run.job, kLoadsAsked));
    }
    ARROW_ASSIGN_OR_RAISE(const auto holder, state.Holder(run.job));
    Json entry = Entry(run, loads[run.job]);
    outcome->text += TextOf(run, entry, holder);
    (*outcome->members)["runs"].push_back(std::move(entry));
  }
  if (shown > 0 || wanted.empty()) return Status::OK();
  return Error(ErrorKind::kUsage, "cli.no-run",
               "the state knows no run whose id begins with " + wanted,
               "sluice log lists the runs");
}

Status ShowRuns(const Arguments& arguments, Outcome* outcome) {
  ARROW_ASSIGN_OR_RAISE(const int limit, LimitFrom(arguments));
  ARROW_ASSIGN_OR_RAISE(const std::string path, StatePath(arguments.Value("--state")));
  (*outcome->members)["state"] = ShownState(path);
  (*outcome->members)["runs"] = Json::array();
  std::string job;
  if (!arguments.positionals.empty()) {
    ARROW_ASSIGN_OR_RAISE(job, JobNameOf(arguments));
  }
  ARROW_ASSIGN_OR_RAISE(const auto state, OpenStateIfThere(path, StateAccess::kReadOnly));
  if (state == nullptr) {
    outcome->text =
        fmt::format("no run yet: there is no state at {}\n", Printable(ShownState(path)));
    return Status::OK();
  }
  ARROW_RETURN_NOT_OK(AddRuns(*state, job, arguments, limit, outcome));
  if (outcome->text.empty()) outcome->text = "no run yet\n";
  return Status::OK();
}

}  // namespace

Outcome LogVerb(const Invocation& invocation) {
  Outcome outcome;
  outcome.error = ShowRuns(invocation.arguments, &outcome);
  return outcome;
}

}  // namespace sluice::cli
