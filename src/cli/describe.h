/// \file
/// Tables, columns and loads as JSON and as lines; for the verbs that show them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sluice/finding.h"
#include "sluice/state_store.h"
#include "sluice/table.h"

namespace sluice::cli {

/// `[{name, source_type, type, nullable, key, notes}]`.
nlohmann::ordered_json ColumnsJson(const TableInfo& table);
/// A line a column: name, type at the source, type as it arrives, "key", what may surprise.
std::string ColumnLines(const TableInfo& table, std::string_view indent);
/// "id", "a, b" or "none: one chunk".
std::string KeyLine(const TableInfo& table);
nlohmann::ordered_json ErrorJson(const Status& status);
/// `{name, level, detail, hint, error}`.
nlohmann::ordered_json FindingJson(const Finding& finding);
/// "ok", "unknown", "warning", "failed"
const char* WordOf(Level level);
nlohmann::ordered_json ProbeJson(const ProbeVerdict& verdict);

struct ChunkCounts {
  int64_t planned = 0, staged = 0, rows = 0;
  bool all_planned = false;
};
ChunkCounts CountChunks(const LoadState& load);
/// "1,200,000 rows in 3 of 7 chunks staged".
std::string ProgressOf(const LoadState& load);

}  // namespace sluice::cli
