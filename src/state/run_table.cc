#include "state/run_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/vocabulary_json.h"
#include "state/query.h"

namespace sluice::state {

Status InsertRun(sqlite::Database& database, const RunRecord& run,
                 const std::string& now_sql) {
  return Run(
      database,
      fmt::format("INSERT INTO runs (run, job, host, pid, version, definition, "
                  "started_millis, ended_millis, exit_code, summary) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, iif(?7 > 0, ?7, {}), 0, -1, '') "
                  "ON CONFLICT (run) DO NOTHING",
                  now_sql),
      {run.run, run.job, run.host, run.pid, run.version, run.definition,
       run.started_millis});
}

Status CloseRun(sqlite::Database& database, const RunRecord& run,
                const std::string& now_sql) {
  ARROW_ASSIGN_OR_RAISE(
      const auto known,
      FindNumber(database, "SELECT number FROM runs WHERE run = ? AND job = ?",
                 {run.run, run.job}));
  if (!known) {
    return Error(ErrorKind::kFailed, "state.no-run",
                 fmt::format("job {} has no run {}", run.job, run.run));
  }
  return Run(database,
             fmt::format("UPDATE runs SET ended_millis = {}, exit_code = ?, summary = ? "
                         "WHERE run = ? AND ended_millis = 0",
                         now_sql),
             {run.exit_code, run.summary, run.run});
}

Result<std::vector<RunRecord>> ReadRuns(sqlite::Database& database,
                                        const std::string& job, int count) {
  ARROW_ASSIGN_OR_RAISE(
      Query rows,
      Query::Make(
          database,
          "SELECT run, job, host, pid, version, definition, started_millis, ended_millis, "
          "exit_code, summary FROM runs WHERE ?1 = '' OR job = ?1 "
          "ORDER BY number DESC LIMIT ?2",
          {job, std::max(count, 0)}));
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

Status Prune(sqlite::Database& database, const std::string& job) {
  const char* cleaned = ToString(Phase::kCleaned);
  const char* discarded = ToString(Phase::kDiscarded);
  ARROW_RETURN_NOT_OK(Run(
      database,
      "UPDATE loads SET pruned = 1 WHERE job = ?1 AND pruned = 0 AND phase IN (?2, ?3) "
      "AND number NOT IN (SELECT number FROM loads WHERE job = ?1 AND phase IN (?2, ?3) "
      "                   ORDER BY number DESC LIMIT ?4) "
      "AND number NOT IN (SELECT max(number) FROM loads WHERE job = ?1 AND phase = ?2 "
      "                   GROUP BY stream)",
      {job, cleaned, discarded, kDoneLoadsMax}));
  // Attempts go with their chunks.
  ARROW_RETURN_NOT_OK(Run(
      database,
      "DELETE FROM chunks WHERE load IN (SELECT load FROM loads WHERE job = ?1 AND pruned = 1)",
      {job}));
  ARROW_RETURN_NOT_OK(
      Run(database, "DELETE FROM loads WHERE job = ?1 AND pruned = 1 AND phase = ?2",
          {job, discarded}));
  return Run(database,
             "DELETE FROM runs WHERE job = ?1 AND number NOT IN "
             "(SELECT number FROM runs WHERE job = ?1 ORDER BY number DESC LIMIT ?2)",
             {job, kRunsMax});
}

Status WriteProbe(sqlite::Database& database, const std::string& destination,
                  const ProbeVerdict& verdict, const std::string& now_sql) {
  return Run(database,
             "INSERT INTO probes VALUES (?, ?, " + now_sql +
                 ") ON CONFLICT (destination) DO UPDATE SET verdict = excluded.verdict, "
                 "probed_millis = excluded.probed_millis",
             {destination, DumpJson(ToJson(verdict))});
}

Result<std::optional<std::pair<ProbeVerdict, int64_t>>> ReadProbe(
    sqlite::Database& database, const std::string& destination,
    const std::string& now_sql) {
  ARROW_ASSIGN_OR_RAISE(
      Query rows, Query::Make(database,
                              "SELECT verdict, " + now_sql +
                                  " - probed_millis FROM probes WHERE destination = ?",
                              {destination}));
  ARROW_ASSIGN_OR_RAISE(const bool found, rows.Next());
  if (!found) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const auto json, ParseJson(rows.Text(0), "probe verdict"));
  ARROW_ASSIGN_OR_RAISE(ProbeVerdict verdict, ProbeVerdictFromJson(json));
  return std::make_pair(std::move(verdict), rows.Number(1));
}

}  // namespace sluice::state
