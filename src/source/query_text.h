/// \file
/// The text of a stream's query. No I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sluice/error.h"
#include "sluice/table.h"

namespace sluice {

enum class Dialect { kSqlite, kMysql };

/// The query alone: without comments and the semicolon behind it, so that what was checked is what
/// runs. kUsage "source.query": not UTF-8, a comment that the server would execute or that has no end.
Result<std::string> BareQuery(std::string_view sql, Dialect dialect);

/// kUsage "source.query" unless each column of a result has a name of its own, case ignored.
Status CheckColumnNames(const std::vector<std::string>& names);

/// kUsage "source.query" where a relation asks for more than its query.
Status CheckQueryAlone(const Relation& relation);

/// `status` of a check of a `where`, said of a query.
Status OfQuery(const Status& status);

}  // namespace sluice
