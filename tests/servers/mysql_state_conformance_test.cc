#include <memory>

#include "mysql_state_world.h"

namespace sluice {
namespace {

StateStoreCase Case(ServerKind kind) {
  return {NameOf(kind), [=] { return std::make_unique<MysqlStateWorld>(kind); }};
}

INSTANTIATE_TEST_SUITE_P(Ledger, StateStoreConformance,
                         testing::Values(Case(ServerKind::kMysql),
                                         Case(ServerKind::kMariaDb)),
                         StateStoreCaseName);

}  // namespace
}  // namespace sluice
