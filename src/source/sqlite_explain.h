/// \file
/// How SQLite would read a relation's chunks.
#pragma once

#include "driver/sqlite.h"
#include "sluice/error.h"
#include "sluice/finding.h"
#include "sluice/table.h"

namespace sluice::sqlite {

/// EXPLAIN QUERY PLAN of the statement that reads a chunk. Reads no row.
Result<ReadPlan> ExplainTable(Database& database, const TableInfo& table);

}  // namespace sluice::sqlite
