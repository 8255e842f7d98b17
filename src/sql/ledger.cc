#include "sql/ledger.h"

#include <fmt/format.h>

#include "sql/mysql_text.h"

namespace sluice::ledger {
namespace {

std::string NameList(const std::vector<std::string_view>& names) {
  std::string list;
  for (const std::string_view name : names)
    list += (list.empty() ? "" : ", ") + mysql::QuoteName(name);
  return list;
}

std::vector<Table> RunTables() {
  return {
      {.name = kAbout,
       .columns = {{"name", "VARCHAR(64)"}, {"value", "VARCHAR(255)"}},
       .primary_key = {"name"}},
      {.name = kJobs,
       .columns = {{"job", "VARCHAR(255)"},
                   {"epoch", "BIGINT"},
                   {"nonce", "VARCHAR(64)"},
                   {"host", "VARCHAR(255)"},
                   {"boot_id", "VARCHAR(64)"},
                   {"pid", "BIGINT"},
                   {"run", "VARCHAR(255)"},
                   {"has_lock_file", "BIGINT"},
                   {"ttl_millis", "BIGINT"},
                   {"expires_millis", "BIGINT"}},
       .primary_key = {"job"}},
      {.name = kRuns,
       .columns = {{"number", "BIGINT", false, "AUTO_INCREMENT"},
                   {"run", "VARCHAR(255)"},
                   {"job", "VARCHAR(255)"},
                   {"host", "VARCHAR(255)"},
                   {"pid", "BIGINT"},
                   {"version", "VARCHAR(64)"},
                   {"definition", "LONGTEXT"},
                   {"started_millis", "BIGINT"},
                   {"ended_millis", "BIGINT"},
                   {"exit_code", "BIGINT"},
                   {"summary", "LONGTEXT"}},
       .primary_key = {"number"},
       .more_keys = {"UNIQUE KEY (`run`)", "KEY (`job`, `number`)"}},
      {.name = kProbes,
       .columns = {{"destination", "VARCHAR(768)"},
                   {"verdict", "LONGTEXT"},
                   {"probed_millis", "BIGINT"}},
       .primary_key = {"destination"}},
  };
}

std::vector<Table> LoadTables() {
  return {
      {.name = kLoads,
       .columns = {{"number", "BIGINT", false, "AUTO_INCREMENT"},
                   {"load", "VARCHAR(64)"},
                   {"job", "VARCHAR(255)"},
                   {"stream", "VARCHAR(512)"},
                   {"run", "VARCHAR(255)"},
                   {"phase", "VARCHAR(16)"},
                   {"definition", "LONGTEXT"},
                   {"spec", "LONGTEXT"},
                   {"table_info", "LONGTEXT"},
                   {"last_key", "LONGTEXT", true},
                   {"consistency", "VARCHAR(32)"},
                   {"clock_micros", "BIGINT"},
                   {"opened_millis", "BIGINT"},
                   {"updated_millis", "BIGINT"},
                   {"pruned", "BIGINT", false, "DEFAULT 0"}},
       .primary_key = {"number"},
       .more_keys = {"UNIQUE KEY (`load`)", "KEY (`job`, `stream`(190), `number`)"}},
      {.name = kPositions,
       .columns = {{"load", "VARCHAR(64)"},
                   {"number", "BIGINT"},
                   {"position", "LONGTEXT"}},
       .primary_key = {"load", "number"}},
      {.name = kReplaces,
       .columns = {{"load", "VARCHAR(64)"},
                   {"number", "BIGINT"},
                   {"replaced", "VARCHAR(64)"}},
       .primary_key = {"load", "number"}},
      {.name = kChunks,
       .columns = {{"load", "VARCHAR(64)"},
                   {"ordinal", "BIGINT"},
                   {"after_key", "LONGTEXT", true},
                   {"upto_key", "LONGTEXT", true},
                   {"is_last", "BIGINT"}},
       .primary_key = {"load", "ordinal"}},
      {.name = kAttempts,
       .columns = {{"load", "VARCHAR(64)"},
                   {"ordinal", "BIGINT"},
                   {"attempt", "VARCHAR(64)"},
                   {"number", "BIGINT"},
                   {"state", "VARCHAR(16)"},
                   {"receipt", "LONGTEXT", true},
                   {"why", "LONGTEXT", true}},
       .primary_key = {"load", "ordinal", "attempt"},
       .more_keys = {"KEY (`load`, `number`)"}},
  };
}

}  // namespace

const std::vector<Table>& Tables() {
  static const std::vector<Table> tables = [] {
    std::vector<Table> all = RunTables();
    const std::vector<Table> loads = LoadTables();
    all.insert(all.end(), loads.begin(), loads.end());
    return all;
  }();
  return tables;
}

std::string NameIn(std::string_view schema, std::string_view table) {
  return mysql::QuoteName(schema) + "." + mysql::QuoteName(table);
}

std::string CreateStatement(std::string_view schema, const Table& table) {
  std::string sql =
      fmt::format("CREATE TABLE IF NOT EXISTS {} (", NameIn(schema, table.name));
  for (const Column& column : table.columns)
    sql += fmt::format("{} {}{}{}{}, ", mysql::QuoteName(column.name), column.type,
                       column.is_nullable ? " NULL" : " NOT NULL",
                       column.more.empty() ? "" : " ", column.more);
  sql += fmt::format("PRIMARY KEY ({})", NameList(table.primary_key));
  for (const std::string_view key : table.more_keys) sql += fmt::format(", {}", key);
  return sql + ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";
}

std::string FenceStatement(std::string_view schema, std::string_view job,
                           FenceLock lock) {
  return fmt::format("SELECT epoch, nonce FROM {} WHERE job = {} {}",
                     NameIn(schema, kJobs), mysql::TextLiteral(job),
                     lock == FenceLock::kShared ? "LOCK IN SHARE MODE" : "FOR UPDATE");
}

}  // namespace sluice::ledger
