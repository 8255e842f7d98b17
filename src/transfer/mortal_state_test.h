/// \file
/// Tests: a StateStore of a process that may die. Once dead, every call fails without effect.
#pragma once

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "sluice/state_store.h"

namespace sluice {

class MortalState : public StateStore {
 public:
  MortalState(StateStore& state, const std::atomic<bool>& dead)
      : state_(state), dead_(dead) {}

  std::string Describe() const override { return state_.Describe(); }
  Result<Lease> Acquire(const std::string& job, const LeaseOptions& options) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.Acquire(job, options);
  }
  Status Renew(const Lease& lease) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.Renew(lease);
  }
  Status Release(const Lease& lease) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.Release(lease);
  }
  Result<std::optional<LeaseHolder>> Holder(const std::string& job) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.Holder(job);
  }
  Status OpenLoad(const Lease& lease, const LoadState& load) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.OpenLoad(lease, load);
  }
  Status AddChunk(const Lease& lease, const std::string& load,
                  const Chunk& chunk) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.AddChunk(lease, load, chunk);
  }
  Status BeginAttempt(const Lease& lease, const std::string& load, int64_t ordinal,
                      const std::string& attempt) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.BeginAttempt(lease, load, ordinal, attempt);
  }
  Status MarkStaged(const Lease& lease, const ChunkReceipt& receipt) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.MarkStaged(lease, receipt);
  }
  Status FailAttempt(const Lease& lease, const std::string& load, int64_t ordinal,
                     const std::string& attempt, const std::string& why) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.FailAttempt(lease, load, ordinal, attempt, why);
  }
  Status AddPosition(const Lease& lease, const std::string& load,
                     const std::string& position) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.AddPosition(lease, load, position);
  }
  Status Advance(const Lease& lease, const std::string& load, Phase from, Phase to,
                 const std::vector<ChunkReceipt>& published,
                 const std::vector<std::string>& replaces) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.Advance(lease, load, from, to, published, replaces);
  }
  Result<std::optional<LoadState>> FindLoad(const std::string& load) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.FindLoad(load);
  }
  Result<std::optional<LoadState>> OpenLoadOf(const std::string& job,
                                              const std::string& stream) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.OpenLoadOf(job, stream);
  }
  Result<std::vector<LoadState>> Loads(const std::string& job, int count) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.Loads(job, count);
  }
  Result<std::vector<LeaseHolder>> Jobs(std::vector<std::string>* names) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.Jobs(names);
  }
  Status BeginRun(const Lease& lease, const RunRecord& run) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.BeginRun(lease, run);
  }
  Status EndRun(const Lease& lease, const std::string& run, int exit_code,
                const std::string& summary) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.EndRun(lease, run, exit_code, summary);
  }
  Result<std::vector<RunRecord>> Runs(const std::string& job, int count) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.Runs(job, count);
  }
  Status SaveProbe(const std::string& destination, const ProbeVerdict& verdict) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.SaveProbe(destination, verdict);
  }
  Result<std::optional<std::pair<ProbeVerdict, int64_t>>> LastProbe(
      const std::string& destination) override {
    ARROW_RETURN_NOT_OK(Alive());
    return state_.LastProbe(destination);
  }

 private:
  Status Alive() const {
    if (!dead_) return Status::OK();
    return Error(ErrorKind::kFailed, "test.dead", "this process is dead");
  }
  StateStore& state_;
  const std::atomic<bool>& dead_;
};

}  // namespace sluice
