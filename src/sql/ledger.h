/// \file
/// The ledger: tables of a MySQL or MariaDB schema in which runs remember what the file of docs/state.md
/// holds elsewhere. Names, definitions and the statement that fences. No I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::ledger {

/// Every table of the ledger begins with it, and no other table of the schema may.
inline constexpr std::string_view kPrefix = "_sluice_ledger_";

inline constexpr std::string_view kAbout = "_sluice_ledger_about";
inline constexpr std::string_view kJobs = "_sluice_ledger_jobs";
inline constexpr std::string_view kLoads = "_sluice_ledger_loads";
inline constexpr std::string_view kPositions = "_sluice_ledger_positions";
inline constexpr std::string_view kReplaces = "_sluice_ledger_replaces";
inline constexpr std::string_view kChunks = "_sluice_ledger_chunks";
inline constexpr std::string_view kAttempts = "_sluice_ledger_attempts";
inline constexpr std::string_view kRuns = "_sluice_ledger_runs";
inline constexpr std::string_view kProbes = "_sluice_ledger_probes";

/// Of the tables below, as kAbout says it in the row "version".
inline constexpr int64_t kVersion = 1;

struct Column {
  std::string_view name;
  std::string_view type;  ///< "BIGINT", "VARCHAR(255)", "LONGTEXT", "DOUBLE"
  bool is_nullable = false;
  std::string_view more = {};  ///< "AUTO_INCREMENT", "DEFAULT 0"
};
struct Table {
  std::string_view name;
  std::vector<Column> columns;
  std::vector<std::string_view> primary_key;
  std::vector<std::string_view> more_keys = {};  ///< "UNIQUE KEY (`load`)"
};
/// In the order in which they are made; kAbout is the first.
const std::vector<Table>& Tables();

/// CREATE TABLE IF NOT EXISTS.
std::string CreateStatement(std::string_view schema, const Table& table);
/// `schema`.`table`
std::string NameIn(std::string_view schema, std::string_view table);

enum class FenceLock {
  kExclusive,  ///< of who writes for the job alone
  kShared,     ///< of several connections of one holder, at the same time
};
/// Selects epoch and nonce of the job's row and locks it to the end of the transaction. No row, or
/// others than the lease's: the lease is lost, and nothing may be written.
std::string FenceStatement(std::string_view schema, std::string_view job, FenceLock lock);

}  // namespace sluice::ledger
