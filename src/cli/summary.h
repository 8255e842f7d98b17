/// \file
/// The end of a run for people: everything somebody who helps would ask for, in text that
/// can be pasted.
#pragma once

#include <string>

#include "sluice/transfer.h"

namespace sluice::cli {

/// What the report does not know; no secrets.
struct SummaryFacts {
  std::string job, source, destination, state;
  std::string command;  ///< that would resume it
  int exit_code = 0;
  double seconds = 0;
};

/// A line a stream (of many, only those that failed), the totals, and what the run was.
std::string SummaryOf(const TransferReport& report, const SummaryFacts& facts);

/// "may go away by itself" of 5; "" of 0.
const char* MeaningOf(int exit_code);
/// Whether the same command goes on where a run stopped that ended so.
bool Resumes(int exit_code);

}  // namespace sluice::cli
