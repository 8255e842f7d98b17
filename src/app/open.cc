#include "sluice/open.h"

#include "app/connectors.h"
#include "app/open_job.h"

namespace sluice {
namespace {

class OpenedJobTransfer final : public OpenedTransfer {
 public:
  explicit OpenedJobTransfer(OpenedJob job) : job_(std::move(job)) { spec = job_.spec; }

  TransferReport Run(Notifier& notifier, const arrow::StopToken& stop,
                     const arrow::StopToken& stop_now) override {
    const Collaborators parts{*job_.source, *job_.destination, *job_.state, SystemClock(),
                              notifier};
    return RunTransfer(spec, parts, stop, stop_now);
  }

 private:
  OpenedJob job_;
};

Result<std::unique_ptr<OpenedTransfer>> Open(const JobRequest& request) {
  ARROW_ASSIGN_OR_RAISE(OpenedJob job, OpenForRun(request, SystemClock()));
  return std::make_unique<OpenedJobTransfer>(std::move(job));
}

}  // namespace

Result<std::unique_ptr<Source>> OpenSource(std::string_view uri) {
  ARROW_ASSIGN_OR_RAISE(const Endpoint endpoint, ResolveSource(uri));
  return OpenSource(endpoint);
}

Result<std::unique_ptr<Destination>> OpenDestination(std::string_view uri) {
  ARROW_ASSIGN_OR_RAISE(const Endpoint endpoint, ResolveDestination(uri));
  return OpenDestination(endpoint);
}

Result<std::unique_ptr<StateStore>> OpenState(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const std::string file, StatePath(path));
  return OpenState(file, StateAccess::kReadWrite);
}

Result<std::unique_ptr<OpenedTransfer>> OpenCopy(const CopyRequest& request) {
  std::vector<StreamEntry> streams(request.tables.size());
  for (size_t i = 0; i < streams.size(); ++i) streams[i].pattern = request.tables[i];
  JobRequest job;
  ARROW_ASSIGN_OR_RAISE(job.job,
                        CopyJob(request.source, request.destination, std::move(streams)));
  job.state = request.state;
  return Open(job);
}

Result<std::unique_ptr<OpenedTransfer>> OpenJob(const std::string& file,
                                                const std::string& state) {
  JobRequest job;
  ARROW_ASSIGN_OR_RAISE(job.job, ReadJobFile(file));
  job.state = state;
  return Open(job);
}

}  // namespace sluice
