/// \file
/// Loads, their chunks and attempts: every change a run makes to what it must remember.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sluice/state_store.h"
#include "state/query.h"

namespace sluice::state {

/// A load of a job, as the lease of that job may change it. Lives within one transaction, after
/// the fence was checked. Every change may be repeated; one that contradicts what is known is
/// kFailed.
class LoadChange {
 public:
  /// kFailed "state.no-load" unless `job` has it.
  static Result<LoadChange> Of(Tables& tables, const std::string& job,
                               const std::string& load);

  Status AddChunk(const Chunk& chunk);
  Status BeginAttempt(int64_t ordinal, const std::string& attempt);
  Status MarkStaged(const ChunkReceipt& receipt);
  Status FailAttempt(int64_t ordinal, const std::string& attempt, const std::string& why);
  Status AddPosition(const std::string& position);
  Status Advance(Phase from, Phase to, const std::vector<ChunkReceipt>& published,
                 const std::vector<std::string>& replaces);
  /// `updated_millis` becomes now.
  Status Touch();

 private:
  LoadChange(Tables& tables, std::string load, Phase phase)
      : tables_(&tables), load_(std::move(load)), phase_(phase) {}
  Status NeedsCopying(const char* act) const;
  Status CheckFollows(const Chunk& chunk, const std::optional<std::string>& after) const;
  Status Freeze(const std::vector<std::string>& replaces);
  Status TakePublished(const std::vector<ChunkReceipt>& published);
  /// "begun", "staged", "failed"; nothing when it was never begun.
  Result<std::optional<std::string>> StateOf(int64_t ordinal,
                                             const std::string& attempt) const;
  Result<std::optional<std::string>> WinnerOf(int64_t ordinal) const;
  Result<int64_t> NextAttemptNumber() const;

  Tables* tables_;
  std::string load_;
  Phase phase_;
};

/// A new load of `job`, without chunks.
Status InsertLoad(Tables& tables, const std::string& job, const LoadState& load);
Result<Phase> PhaseFrom(const std::string& word);

}  // namespace sluice::state
