/// \file
/// Where a load's files lie, as a job may choose it: "{schema}/{table}/dt={date}/{load}".
#pragma once

#include <string>
#include <string_view>

#include "sluice/error.h"
#include "sluice/table.h"

namespace sluice {

/// What placeholders stand for. The time is that of the load's id, in UTC: a resumed run has the
/// same.
struct PathNames {
  TableName table;
  std::string_view stream, job;
  std::string_view load;  ///< UUIDv7
};

/// kUsage "path.template" unless the text is segments between slashes that begin with
/// {schema}/{table}/, hold {load} once, as a segment or behind a '=', and nothing but {schema}
/// {table} {stream} {job} {date} {year} {month} {day} {hour}, letters, digits and `-_.=+,@!` besides.
Status CheckPathTemplate(std::string_view path);

/// The folder, each name encoded as a segment (base/path_name.h). kUsage "path.template" too where
/// the names make it ambiguous or too long.
Result<std::string> ExpandPath(std::string_view path, const PathNames& names);

/// The load a segment of a folder stands for: "0198c7a2-…" or "load=0198c7a2-…"; "" for none.
std::string_view LoadOfSegment(std::string_view segment);

}  // namespace sluice
