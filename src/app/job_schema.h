/// \file
/// What editors and readers are told of the job file, made from its keys.
#pragma once

#include <string>

namespace sluice {

/// JSON Schema of a job file (docs/job.schema.json), with a newline at its end.
std::string JobSchema();

/// The tables of the reference in docs/job-file.md, between its markers.
std::string JobReference();

}  // namespace sluice
