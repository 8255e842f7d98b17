#include "state/run_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/vocabulary_json.h"
#include "state/query.h"

namespace sluice::state {

Status InsertRun(Tables& tables, const RunRecord& run) {
  ARROW_ASSIGN_OR_RAISE(
      const auto known,
      FindNumber(tables, "SELECT number FROM $runs WHERE run = ?", {run.run}));
  if (known) return Status::OK();
  const std::string started =
      run.started_millis > 0 ? std::to_string(run.started_millis) : tables.now_sql();
  return Run(tables,
             fmt::format("INSERT INTO $runs (run, job, host, pid, version, definition, "
                         "started_millis, ended_millis, exit_code, summary) "
                         "VALUES (?, ?, ?, ?, ?, ?, {}, 0, -1, '')",
                         started),
             {run.run, run.job, run.host, run.pid, run.version, run.definition});
}

Status CloseRun(Tables& tables, const RunRecord& run) {
  ARROW_ASSIGN_OR_RAISE(
      const auto known,
      FindNumber(tables, "SELECT number FROM $runs WHERE run = ? AND job = ?",
                 {run.run, run.job}));
  if (!known) {
    return Error(ErrorKind::kFailed, "state.no-run",
                 fmt::format("job {} has no run {}", run.job, run.run));
  }
  return Run(tables,
             fmt::format("UPDATE $runs SET ended_millis = {}, exit_code = ?, summary = ? "
                         "WHERE run = ? AND ended_millis = 0",
                         tables.now_sql()),
             {run.exit_code, run.summary, run.run});
}

Result<std::vector<RunRecord>> ReadRuns(Tables& tables, const std::string& job,
                                        int count) {
  const std::string select =
      "SELECT run, job, host, pid, version, definition, started_millis, ended_millis, "
      "exit_code, summary FROM $runs ";
  const int most = std::max(count, 0);
  ARROW_ASSIGN_OR_RAISE(
      Query rows,
      job.empty()
          ? Query::Make(tables, select + "ORDER BY number DESC LIMIT ?", {most})
          : Query::Make(tables, select + "WHERE job = ? ORDER BY number DESC LIMIT ?",
                        {job, most}));
  std::vector<RunRecord> runs;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool more, rows.Next());
    if (!more) return runs;
    RunRecord run;
    run.run = rows.Text(0);
    run.job = rows.Text(1);
    run.host = rows.Text(2);
    run.pid = rows.Number(3);
    run.version = rows.Text(4);
    run.definition = rows.Text(5);
    run.started_millis = rows.Number(6);
    run.ended_millis = rows.Number(7);
    run.exit_code = static_cast<int>(rows.Number(8));
    run.summary = rows.Text(9);
    runs.push_back(std::move(run));
  }
}

Status Prune(Tables& tables, const std::string& job) {
  const char* cleaned = ToString(Phase::kCleaned);
  const char* discarded = ToString(Phase::kDiscarded);
  // A table that is changed is read through a table of its own: MySQL refuses it otherwise.
  ARROW_RETURN_NOT_OK(Run(
      tables,
      "UPDATE $loads SET pruned = 1 WHERE job = ?1 AND pruned = 0 AND phase IN (?2, ?3) "
      "AND number NOT IN (SELECT number FROM (SELECT number FROM $loads WHERE job = ?1 "
      "  AND phase IN (?2, ?3) ORDER BY number DESC LIMIT ?4) AS newest) "
      "AND number NOT IN (SELECT number FROM (SELECT max(number) AS number FROM $loads "
      "  WHERE job = ?1 AND phase = ?2 GROUP BY stream) AS cleaned)",
      {job, cleaned, discarded, kDoneLoadsMax}));
  constexpr char kPruned[] =
      " WHERE `load` IN (SELECT `load` FROM $loads WHERE job = ? AND pruned = 1)";
  for (const std::string table : {"$attempts", "$chunks"})
    ARROW_RETURN_NOT_OK(Run(tables, "DELETE FROM " + table + kPruned, {job}));
  constexpr char kDiscarded[] =
      " WHERE `load` IN (SELECT `load` FROM $loads WHERE job = ? AND pruned = 1 "
      "AND phase = ?)";
  for (const std::string table : {"$positions", "$replaces"})
    ARROW_RETURN_NOT_OK(
        Run(tables, "DELETE FROM " + table + kDiscarded, {job, discarded}));
  ARROW_RETURN_NOT_OK(Run(tables,
                          "DELETE FROM $loads WHERE job = ? AND pruned = 1 AND phase = ?",
                          {job, discarded}));
  return Run(tables,
             "DELETE FROM $runs WHERE job = ?1 AND number NOT IN (SELECT number FROM "
             "(SELECT number FROM $runs WHERE job = ?1 ORDER BY number DESC LIMIT ?2) "
             "AS newest)",
             {job, kRunsMax});
}

Status WriteProbe(Tables& tables, const std::string& destination,
                  const ProbeVerdict& verdict) {
  return Run(tables, "REPLACE INTO $probes VALUES (?, ?, " + tables.now_sql() + ")",
             {destination, DumpJson(ToJson(verdict))});
}

Result<std::optional<std::pair<ProbeVerdict, int64_t>>> ReadProbe(
    Tables& tables, const std::string& destination) {
  ARROW_ASSIGN_OR_RAISE(
      Query rows, Query::Make(tables,
                              "SELECT verdict, " + tables.now_sql() +
                                  " - probed_millis FROM $probes WHERE destination = ?",
                              {destination}));
  ARROW_ASSIGN_OR_RAISE(const bool found, rows.Next());
  if (!found) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const auto json, ParseJson(rows.Text(0), "probe verdict"));
  ARROW_ASSIGN_OR_RAISE(ProbeVerdict verdict, ProbeVerdictFromJson(json));
  return std::make_pair(std::move(verdict), rows.Number(1));
}

}  // namespace sluice::state
