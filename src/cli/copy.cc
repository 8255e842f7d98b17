#include "cli/request.h"
#include "cli/transfer_run.h"
#include "cli/verbs.h"

namespace sluice::cli {

Outcome Copy(const Invocation& invocation) {
  const auto request = CopyRequest(invocation.arguments);
  return request.ok() ? RunToTheEnd(*request, invocation) : Failed(request.status());
}

}  // namespace sluice::cli
