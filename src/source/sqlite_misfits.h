/// \file
/// Which columns hold a value that does not fit their type: the one scan behind
/// `on_type_mismatch: string`.
#pragma once

#include <vector>

#include "driver/sqlite.h"
#include "sluice/error.h"
#include "source/sqlite_query.h"

namespace sluice::sqlite {

/// One flag per selected column, over the relation's rows. Reads the table once, large values not
/// at all.
Result<std::vector<bool>> FindMisfits(Database& database, const RelationFacts& facts);

}  // namespace sluice::sqlite
