#include "state/mysql_state.h"

#include <sys/stat.h>

#include <utility>

#include "base/path_name.h"
#include "state/mysql_ledger.h"
#include "state/mysql_tables.h"
#include "state/table_state.h"

namespace sluice {
namespace {

class SchemaPlace : public state::Place {
 public:
  SchemaPlace(const MysqlStateOptions& options,
              std::unique_ptr<state::MysqlTables> tables)
      : options_(options), tables_(std::move(tables)) {}

  std::string Describe() const override { return state::LedgerUri(options_.server); }
  std::string Named() const override { return "the ledger in " + Describe(); }
  bool is_read_only() const override { return options_.read_only; }
  state::Tables& tables() override { return *tables_; }
  Status ErrorOf(const Status& status) const override {
    return state::LedgerError(status, options_.server);
  }
  void HoldsLeaseFor(int64_t millis) override { tables_->EndSilenceAfter(millis); }

 private:
  const MysqlStateOptions options_;
  std::unique_ptr<state::MysqlTables> tables_;
};

void MakeFolders(const std::string& path) {
  for (size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    mkdir(path.substr(0, at).c_str(), 0700);
    if (at == std::string::npos) return;
  }
}

/// Of one ledger: the same epochs of the same jobs are others in another one. Where it cannot be made,
/// leases live by time alone.
std::string LockFolderOf(const MysqlStateOptions& options, const std::string& ledger) {
  if (options.lock_dir.empty()) return {};
  // Who only looks makes nothing.
  if (!options.read_only) MakeFolders(options.lock_dir);
  return options.lock_dir + "/" + EncodePathSegment(ledger);
}

}  // namespace

Result<std::unique_ptr<StateStore>> OpenMysqlState(const MysqlStateOptions& options) {
  if (options.server.database.empty())
    return Error(ErrorKind::kUsage, "state.cannot-open",
                 state::LedgerUri(options.server) + " names no database for the state",
                 "write 'mysql://user:${env:NAME}@host/database'");
  auto tables = std::make_unique<state::MysqlTables>(options);
  const auto ledger = state::OpenLedger(*tables, options);
  if (!ledger.ok()) return state::LedgerError(ledger.status(), options.server);
  return state::MakeTableState(std::make_unique<SchemaPlace>(options, std::move(tables)),
                               state::ThisProcess(options.host, options.boot_id),
                               state::LockFolder(LockFolderOf(options, *ledger)));
}

}  // namespace sluice
