// Copies the tables of a database into files, with progress of its own: copy_with_progress SOURCE DESTINATION
//   cmake -S examples -B build/examples -DCMAKE_PREFIX_PATH=…/the/installed/tree
#include <iostream>
#include <mutex>

#include "arrow/util/cancel.h"
#include "sluice/open.h"

class Progress final : public sluice::Notifier {
 public:
  void On(const sluice::Event& event) override {  // from any thread
    const std::lock_guard lock(mutex_);
    if (event.kind == sluice::EventKind::kBatch) rows_ += event.rows;
    if (event.kind != sluice::EventKind::kStreamFinished) return;
    std::cout << event.stream << ": " << event.rows << " rows; " << rows_
              << " read so far\n";
  }

 private:
  std::mutex mutex_;
  int64_t rows_ = 0;
};

int Fail(const sluice::Status& status) {
  std::cerr << sluice::IdOf(status) << ": " << status.message() << "\n"
            << sluice::HintOf(status) << "\n";
  return sluice::ExitCodeOf(status);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto transfer = sluice::OpenCopy(
      {.source = argv[1], .destination = argv[2], .tables = {}, .state = {}});
  if (!transfer.ok()) return Fail(transfer.status());
  (*transfer)->spec.limits.connections = 4;
  Progress progress;
  const auto never = arrow::StopToken::Unstoppable();
  const auto report = (*transfer)->Run(progress, never, never);
  for (const auto& stream : report.streams)
    if (!stream.status.ok()) return Fail(stream.status);
  return report.status.ok() ? 0 : Fail(report.status);
}
