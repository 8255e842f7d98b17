#include "state/sqlite_state.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "state/state_file.h"
#include "state/table_state.h"

namespace sluice {
namespace {

/// One folder for one file, whatever symbolic links lead to it.
std::string LockFolderOf(const SqliteStateOptions& options) {
  if (!options.lock_dir.empty()) return options.lock_dir;
  std::error_code error;
  const auto path = std::filesystem::weakly_canonical(options.path, error);
  return (error ? options.path : path.string()) + ".locks";
}

class FilePlace : public state::Place {
 public:
  FilePlace(const SqliteStateOptions& options, std::unique_ptr<state::StateFile> file)
      : options_(options), file_(std::move(file)) {}

  std::string Describe() const override { return "sqlite:" + options_.path; }
  std::string Named() const override { return "the state file " + options_.path; }
  bool is_read_only() const override { return options_.read_only; }
  state::Tables& tables() override { return file_->tables(); }
  Status ErrorOf(const Status& status) const override {
    return state::StateError(status, options_.path);
  }
  Result<bool> StoodStill() override { return file_->StoodStill(); }

 private:
  const SqliteStateOptions options_;
  std::unique_ptr<state::StateFile> file_;
};

}  // namespace

Result<std::unique_ptr<StateStore>> OpenSqliteState(const SqliteStateOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto file, state::StateFile::Open(options));
  return state::MakeTableState(std::make_unique<FilePlace>(options, std::move(file)),
                               state::ThisProcess(options.host, options.boot_id),
                               state::LockFolder(LockFolderOf(options)));
}

}  // namespace sluice
