/// \file
/// A relation as Read will deliver it.
#pragma once

#include <vector>

#include "driver/mysql.h"
#include "sluice/error.h"
#include "sluice/table.h"

namespace sluice::mysql {

/// As Session::Describe says. Columns are found by their exact name first, then by ignoring case.
Result<TableInfo> DescribeRelation(Connection& connection, const Relation& relation);

/// As Session::DescribeAll says.
std::vector<Result<TableInfo>> DescribeRelations(Connection& connection,
                                                 const std::vector<Relation>& relations);

/// As Session::CheckUnchanged says.
Status CheckDefinition(Connection& connection, const TableInfo& table);

}  // namespace sluice::mysql
