/// \file
/// Which tables a job means: names, schema.table, globs, against what the source has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/job.h"
#include "sluice/source.h"

namespace sluice {

/// A table and the entry that asked for it.
struct ChosenStream {
  std::string
      name;  ///< the table's name; schema.table where two schemas have one of that name
  TableName table;
  StreamEntry entry;
};

bool IsGlob(std::string_view pattern);
/// `*` stands for any run of characters, `?` for one character; everything else for
/// itself.
bool MatchesGlob(std::string_view pattern, std::string_view text);
/// `a.b` in two parts, `"a.b"` in one; quotes are doubled within quotes.
std::vector<std::string> SplitTableName(std::string_view text);

/// No entries: every base table. What `exclude` names is taken out first. A query's name
/// (`sql`) counts as an exact name; its rows are called by it, in `schema`. An entry's exact name is tried first (views too), then
/// schema.table, then it is a glob over base tables; an exact name wins over globs, an
/// earlier glob over a later one. kUsage: no such table (names the nearest), a glob
/// without a table, a table named twice, no table.
Result<std::vector<ChosenStream>> ChooseStreams(const Job& job, const std::string& schema,
                                                Session& session);

/// kUsage about an entry, at its place in the job's file where it has one.
Status AboutEntry(const Job& job, const StreamEntry& entry, std::string_view id,
                  std::string message, std::string hint = {});

/// The streams named by `only` (--stream); kUsage when one is not there.
Result<std::vector<ChosenStream>> KeepStreams(std::vector<ChosenStream> streams,
                                              const std::vector<std::string>& only);

}  // namespace sluice
