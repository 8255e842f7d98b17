/// \file
/// SQLite databases as sources.
#pragma once

#include <memory>
#include <string>

#include "sluice/error.h"
#include "sluice/source.h"

namespace sluice {

struct SqliteSourceOptions {
  int busy_timeout_millis = 5000;  ///< how long a locked database is waited for
  int64_t cache_size = 8 << 20;    ///< bytes of pages that each session keeps
};

/// The file is opened once here, so that what is no database fails at once: kUsage
/// "source.no-such-file", "source.not-a-database"; kTransient "source.locked" naming the holder
/// where the kernel tells; kSource "source.corrupt", "source.needs-recovery".
Result<std::unique_ptr<Source>> OpenSqliteSource(const std::string& path,
                                                 const SqliteSourceOptions& options = {});

}  // namespace sluice
