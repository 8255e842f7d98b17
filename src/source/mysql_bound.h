/// \file
/// Where a chunk ends.
#pragma once

#include <cstdint>
#include <optional>

#include "driver/mysql.h"
#include "sluice/error.h"
#include "sluice/table.h"
#include "source/mysql_query.h"

namespace sluice::mysql {

/// The key of the row `offset` (from 0) of `range`, or nothing; `where` is not applied. Every row
/// before it is stepped over.
Result<std::optional<Key>> FindKey(Connection& connection, const RelationFacts& facts,
                                   const KeyRange& range, int64_t offset,
                                   bool from_the_end);

/// As Session::Bound. Few rows are stepped over one by one. Of many, where the key begins with an
/// integer, a few thousand are counted in samples and the end is computed of them: the server is
/// spared reading every row twice. `within` has an upper end.
Result<std::optional<Key>> FindBound(Connection& connection, const RelationFacts& facts,
                                     const KeyRange& within, int64_t rows_wanted);

}  // namespace sluice::mysql
