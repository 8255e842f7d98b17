/// \file
/// A relation as Read will deliver it.
#pragma once

#include "driver/sqlite.h"
#include "sluice/error.h"
#include "sluice/table.h"

namespace sluice::sqlite {

/// As Session::Describe says. Columns are found by their exact name first, then by ignoring case.
Result<TableInfo> DescribeRelation(Database& database, const Relation& relation);

/// As Session::CheckUnchanged says.
Status CheckDefinition(Database& database, const TableInfo& table);

}  // namespace sluice::sqlite
