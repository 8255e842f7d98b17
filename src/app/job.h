/// \file
/// A job before anything was opened: what a job file or copy's arguments ask for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings.h"
#include "app/text_file.h"
#include "sluice/table.h"
#include "sluice/transfer.h"

namespace sluice {

/// One entry of `streams`, one --table, or --sql.
struct StreamEntry {
  std::string pattern;  ///< a table's name, schema.table, or a pattern with * and ?
  std::vector<std::string> columns;  ///< empty: all
  std::string where;                 ///< empty: all rows
  std::string sql;  ///< a query; then `pattern` is the stream's name and no table's
  std::string destination;  ///< URI, references replaced; "": the job's
  bool exclude = false;     ///< these tables are not copied
  Settings settings;        ///< those of a stream
  Place place;              ///< in the job file
};

struct Job {
  std::string name;
  TextFile file;  ///< without a name for copy
  std::string source,
      destination;  ///< URIs, references replaced: with secrets, never to be shown
  std::string password_from;         ///< "${env:SHOP_PASSWORD} (shop.yaml:3)"; "" unknown
  std::vector<StreamEntry> streams;  ///< empty: every base table
  Settings settings;  ///< of the run, and what streams say that say nothing themselves
};

/// Whose references are replaced; others stay as they are written, and what holds them is not
/// looked at closer.
enum class Replacing { kAll, kDestinations, kNone };

/// What a job file may do besides being read.
struct JobRules {
  bool allow_commands = false;  ///< ${cmd:…}
  Replacing replacing = Replacing::kAll;
};

/// Reads and checks a job file, and what it refers to; opens nothing else. kUsage, with file, line
/// and column.
Result<Job> ReadJobFile(const std::string& path, const JobRules& rules = {});
/// The same of text that was read elsewhere; its name is for messages and the default name.
Result<Job> ParseJob(TextFile file, const JobRules& rules = {});

/// A name a query's rows may have: as CheckJobName, without * and ?.
Status CheckStreamName(std::string_view name);

}  // namespace sluice
