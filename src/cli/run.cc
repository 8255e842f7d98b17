#include "cli/request.h"
#include "cli/transfer_run.h"
#include "cli/verbs.h"

namespace sluice::cli {

Outcome Run(const Invocation& invocation) {
  const auto request = FileRequest(invocation.arguments);
  if (request.ok()) return RunToTheEnd(*request, invocation);
  // As under cron, which has few variables: the file is right, what it refers to is not there.
  const bool is_secret = IdOf(request.status()).starts_with("secret.");
  const auto named = is_secret ? ReadJobFile(invocation.arguments.positionals[0],
                                             {.replacing = Replacing::kNone})
                               : Result<Job>(request.status());
  if (!named.ok()) return Failed(request.status());
  LocatedJob job;
  job.job.name = named->name;
  return FailedBefore(job, request.status(), invocation);
}

}  // namespace sluice::cli
