#include "cli/request.h"
#include "cli/transfer_run.h"
#include "cli/verbs.h"

namespace sluice::cli {

Outcome Run(const Invocation& invocation) {
  const auto request = FileRequest(invocation.arguments);
  return request.ok() ? RunToTheEnd(*request, invocation) : Failed(request.status());
}

}  // namespace sluice::cli
