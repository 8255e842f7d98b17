/// \file
/// What to write so that a value that did not fit is taken: a key of the job file, or a flag of copy.
#pragma once

#include <string>

#include "app/job.h"

namespace sluice {

/// A stream's failure "source.type-mismatch" with a hint in the words of where the job stands: in a
/// file the key, the stream and the file; for copy the flag. Any other status is given back.
Status AdvisePolicy(const Status& failure, const Job& job, const std::string& stream,
                    bool is_server);

/// Whether the same run would fail again, as no time mends a value.
bool FailsAgain(const Status& failure);

}  // namespace sluice
