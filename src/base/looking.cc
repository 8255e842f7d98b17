#include <utility>

#include "sluice/source.h"
#include "sluice/store.h"

namespace sluice {

Finding FailedFinding(std::string name, const Status& status) {
  return {.name = std::move(name),
          .level = Level::kFailed,
          .detail = status.message(),
          .hint = std::string(HintOf(status)),
          .status = status};
}

// What a connector has that cannot say more.

std::vector<Result<TableInfo>> Session::DescribeAll(
    const std::vector<Relation>& relations) {
  std::vector<Result<TableInfo>> tables;
  tables.reserve(relations.size());
  for (const Relation& relation : relations) tables.push_back(Describe(relation));
  return tables;
}

std::vector<Result<ReadPlan>> Session::ExplainAll(const std::vector<TableInfo>& tables) {
  return std::vector<Result<ReadPlan>>(tables.size(), ReadPlan{});
}

Result<SourceFindings> Source::Inspect(const SourceWish&) { return SourceFindings{}; }

std::vector<Finding> Store::Inspect() { return {}; }

}  // namespace sluice
