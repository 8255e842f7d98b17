/// \file
/// The rows of a query as Read will deliver them.
#pragma once

#include "driver/sqlite.h"
#include "sluice/error.h"
#include "sluice/table.h"

namespace sluice::sqlite {

/// As Session::Describe says, of a relation with a query: prepared, and run only to look for misfits.
Result<TableInfo> DescribeQuery(Database& database, const Relation& relation);

/// As Session::CheckUnchanged says.
Status CheckQuery(Database& database, const TableInfo& table);

}  // namespace sluice::sqlite
