#include "source/sqlite_policy.h"

#include <fmt/format.h>

#include <vector>

#include "base/type_policy.h"
#include "base/vocabulary_json.h"
#include "source/sqlite_misfits.h"

namespace sluice::sqlite {

Result<OnTypeMismatch> MismatchPolicyOf(const Relation& relation,
                                        std::string_view declared,
                                        std::string_view column) {
  const std::string_view word = PolicyOf(relation, "on_type_mismatch", declared, column);
  if (word.empty()) return relation.on_type_mismatch;
  const auto policy = OnTypeMismatchFrom(word);
  if (policy.ok()) return policy;
  return Error(ErrorKind::kUsage, "source.policy",
               fmt::format("column {}: no on_type_mismatch {}", column, word),
               "there are: error null string");
}

Status CheckColumnPolicies(const Policies& policies, std::string_view column) {
  for (const auto& [policy, word] : policies) {
    if (policy == "on_type_mismatch") continue;
    return Error(
        ErrorKind::kUsage, "source.policy",
        fmt::format("column {}: SQLite has no types that {} concerns", column, policy),
        "leave it out; on_type_mismatch says what becomes of values that do not "
        "fit");
  }
  return Status::OK();
}

Status MakeTextOfMisfits(Database& database, RelationFacts& facts) {
  std::vector<bool> asked;
  bool any = false;
  for (const OnTypeMismatch misfit : facts.misfits) {
    asked.push_back(misfit == OnTypeMismatch::kString);
    any = any || asked.back();
  }
  if (!any) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const std::vector<bool> misfits, FindMisfits(database, facts));
  for (size_t i = 0; i < misfits.size(); ++i)
    if (misfits[i] && asked[i]) facts.kinds[i] = ColumnKind::kAnyString;
  return Status::OK();
}

}  // namespace sluice::sqlite
