/// \file
/// A job file to begin with, from a database that is there.
#pragma once

#include <string>

#include "app/job.h"
#include "sluice/error.h"

namespace sluice {

/// The text of a job that copies every base table of `source_uri`: rows and keys as comments, views and
/// what cannot be copied commented out, the password by reference. It is read back by ParseJob once
/// what it refers to is set.
Result<std::string> DraftJob(const std::string& source_uri, const JobRules& rules);

}  // namespace sluice
