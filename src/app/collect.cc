#include "app/collect.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "app/definition.h"
#include "app/open_job.h"
#include "app/quantity.h"
#include "arrow/util/cancel.h"
#include "base/redact.h"
#include "base/uuid.h"
#include "sluice/version.h"

namespace sluice {
namespace {

/// When the load was begun, as its id says; 0 where it is no such id.
int64_t BegunMicros(const std::string& load) { return MicrosOfUuidV7(load).value_or(0); }

/// As far as the state knows. A store that lists by the names to come shows none of a load below a
/// template of its own before one of them is published.
int64_t ObjectsStagedOf(const LoadState& load) {
  size_t count = 0;
  for (const ChunkState& chunk : load.chunks)
    if (chunk.staged) count += chunk.staged->staged.size();
  for (const ChunkReceipt& loser : load.losers) count += loser.staged.size();
  return static_cast<int64_t>(count);
}

class Collector {
 public:
  Collector(const CollectRequest& request, Clock& clock)
      : request_(request), clock_(clock) {}

  Result<std::vector<CollectedLoad>> Run(const arrow::StopToken& stop) {
    std::vector<Endpoint> places = request_.destinations;
    std::erase_if(places, [](const Endpoint& place) { return !MayExist(place); });
    if (places.empty()) {
      return Error(ErrorKind::kUsage, "gc.no-destination",
                   "no such destination: " + request_.destinations.front().uri);
    }
    ARROW_RETURN_NOT_OK(OpenTheState());
    Status status;
    for (const Endpoint& place : places) {
      status = CollectPlace(place, stop);
      if (!status.ok()) break;
    }
    const Status released = Release();
    ARROW_RETURN_NOT_OK(status);
    ARROW_RETURN_NOT_OK(released);
    for (const std::string& load : request_.abandon) {
      if (!seen_.contains(load)) return NotFound(load);
    }
    return std::move(collected_);
  }

 private:
  Status OpenTheState() {
    ARROW_ASSIGN_OR_RAISE(
        state_, OpenStateIfThere(request_.state_path, request_.dry_run
                                                          ? StateAccess::kReadOnly
                                                          : StateAccess::kReadWrite));
    if (state_ == nullptr) return Status::OK();
    return state_->Jobs(&jobs_).status();
  }

  Status CollectPlace(const Endpoint& place, const arrow::StopToken& stop) {
    place_ = place.uri;
    ARROW_ASSIGN_OR_RAISE(destination_, OpenDestination(place));
    enforced_ = true;
    if (state_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(const auto probe,
                            state_->LastProbe(destination_->Describe()));
      if (probe) enforced_ = probe->first.Enforced();
    }
    ARROW_ASSIGN_OR_RAISE(const std::vector<TableName> tables, destination_->Tables());
    for (const TableName& table : tables) ARROW_RETURN_NOT_OK(CollectTable(table, stop));
    return CollectInvisible();
  }

  Status NotFound(const std::string& load) const {
    std::string hint = "sluice status lists the unfinished loads";
    if (const auto elsewhere = elsewhere_.find(load); elsewhere != elsewhere_.end())
      hint = fmt::format("it goes to {}: give gc that destination", elsewhere->second);
    std::vector<std::string> uris;
    for (const Endpoint& place : request_.destinations) uris.push_back(place.uri);
    return Error(ErrorKind::kUsage, "gc.no-such-load",
                 fmt::format("no load {} at {}", load, fmt::join(uris, ", ")),
                 std::move(hint));
  }

  Status CollectTable(const TableName& table, const arrow::StopToken& stop) {
    ARROW_ASSIGN_OR_RAISE(const std::vector<LoadEntry> loads, destination_->Loads(table));
    for (const LoadEntry& entry : loads) {
      if (stop.IsStopRequested())
        return Error(ErrorKind::kCancelled, "gc.stopped", "asked to stop");
      ARROW_ASSIGN_OR_RAISE(CollectedLoad collected, Judge(table, entry));
      if (collected.act == CollectAct::kNothing) continue;
      if (!request_.dry_run) collected.status = Act(entry, &collected);
      collected_.push_back(std::move(collected));
    }
    return Status::OK();
  }

  /// Loads to abandon of which their destination shows nothing yet.
  Status CollectInvisible() {
    for (const std::string& load : request_.abandon) {
      if (seen_.contains(load) || state_ == nullptr) continue;
      ARROW_ASSIGN_OR_RAISE(const auto known, state_->FindLoad(load));
      if (!known || known->phase >= Phase::kCommitted) continue;
      // A slot taken at another place would leave its own to a runner that lost the job.
      const std::string goes_to = DestinationIn(known->definition);
      if (!goes_to.empty() && goes_to != place_) {
        elsewhere_[load] = Redact(goes_to);
        continue;
      }
      LoadEntry entry;
      entry.load = load;
      entry.table = known->spec.relation.name;
      entry.staged = ObjectsStagedOf(*known);
      ARROW_ASSIGN_OR_RAISE(CollectedLoad collected, Judge(entry.table, entry));
      if (!request_.dry_run) collected.status = Act(entry, &collected);
      collected_.push_back(std::move(collected));
    }
    return Status::OK();
  }

  Result<CollectedLoad> Judge(const TableName& table, const LoadEntry& entry) {
    CollectedLoad judged;
    judged.destination = place_;
    judged.table = table;
    judged.load = entry.load;
    judged.leftovers =
        entry.staged + (entry.outcome == Outcome::kCommitted ? 0 : entry.files);
    std::optional<LoadState> known;
    if (state_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(known, state_->FindLoad(entry.load));
    }
    judged.job = known ? known->spec.job : entry.job;
    const bool abandoned = std::find(request_.abandon.begin(), request_.abandon.end(),
                                     entry.load) != request_.abandon.end();
    const std::string goes_to = known ? DestinationIn(known->definition) : "";
    if (known && entry.outcome == Outcome::kUndecided &&
        (known->spec.relation.name != table || (!goes_to.empty() && goes_to != place_))) {
      // A destination within this one, or this one by another spelling.
      elsewhere_[entry.load] = Redact(goes_to);
      return judged;
    }
    if (abandoned) seen_.insert(entry.load);
    if (!request_.job.empty() && !judged.job.empty() && judged.job != request_.job &&
        !abandoned)
      return judged;
    if (entry.outcome != Outcome::kUndecided) {
      if (judged.leftovers == 0) return judged;
      judged.act = CollectAct::kLeftovers;
      judged.why = entry.outcome == Outcome::kCommitted
                       ? "committed; leftovers of other attempts"
                       : "discarded";
    } else if (known && known->phase < Phase::kCommitted) {
      JudgeOpen(*known, abandoned, &judged);
    } else if (known && known->phase == Phase::kDiscarded) {
      judged.act = CollectAct::kDiscard;
      judged.why = "discarded, as this state knows; its slot is still to be written";
    } else if (known) {
      judged.act = CollectAct::kKeepOpen;
      judged.why = "committed, as this state knows, but its slot is missing";
    } else {
      JudgeUnknown(entry, abandoned, &judged);
    }
    return KeepIfHeld(std::move(judged));
  }

  static void JudgeOpen(const LoadState& known, bool abandoned, CollectedLoad* judged) {
    judged->act = abandoned ? CollectAct::kDiscard : CollectAct::kKeepOpen;
    judged->why =
        abandoned
            ? "unfinished; abandoned"
            : fmt::format(
                  "unfinished ({}); the next run resumes it, --abandon {} discards it",
                  ToString(known.phase), known.spec.load);
  }

  void JudgeUnknown(const LoadEntry& entry, bool abandoned, CollectedLoad* judged) const {
    // A store that tells no time of what is staged leaves the one in the id.
    const int64_t seen = std::max(entry.modified_micros, BegunMicros(entry.load));
    const int64_t age = std::max<int64_t>(0, clock_.NowMicros() - seen) / 1000;
    if (BegunMicros(entry.load) == 0) {
      judged->act = CollectAct::kKeepUnproven;
      judged->why = "its name is not that of a load: somebody else's folder";
    } else if (!enforced_) {
      judged->act = CollectAct::kKeepUnproven;
      judged->why =
          "unknown to this state, and the destination cannot prove that nobody else "
          "decides it";
    } else if (abandoned || age >= request_.older_than_millis) {
      judged->act = CollectAct::kDiscard;
      judged->why =
          fmt::format("unknown to this state, begun or written {}", FormatAge(age));
    } else {
      judged->act = CollectAct::kKeepYoung;
      judged->why = fmt::format(
          "unknown to this state, begun or written {}; another state may be at work on it",
          FormatAge(age));
    }
  }

  /// Whoever holds the job may be at work on the load; a known job's loads are touched
  /// under its lease only.
  Result<CollectedLoad> KeepIfHeld(CollectedLoad judged) {
    const bool acts =
        judged.act == CollectAct::kLeftovers || judged.act == CollectAct::kDiscard;
    const bool known_job =
        std::find(jobs_.begin(), jobs_.end(), judged.job) != jobs_.end();
    if (!acts || !known_job) return judged;
    if (request_.dry_run) {
      ARROW_ASSIGN_OR_RAISE(const auto holder, state_->Holder(judged.job));
      if (!holder || !holder->held) return judged;
    } else if (!leases_.contains(judged.job)) {
      LeaseOptions options;
      ARROW_ASSIGN_OR_RAISE(options.ttl_millis, LeaseMillisFromEnvironment());
      options.run = NewUuidV7(clock_.NowMicros());
      auto lease = state_->Acquire(judged.job, options);
      if (lease.ok()) {
        leases_[judged.job] = *lease;
        return judged;
      }
      if (KindOf(lease.status()) != ErrorKind::kHeld) return lease.status();
      judged.status = lease.status();
    } else {
      ARROW_RETURN_NOT_OK(state_->Renew(leases_[judged.job]));
      return judged;
    }
    judged.act = CollectAct::kKeepHeld;
    judged.why = fmt::format("a run is at work on job {}", judged.job);
    return judged;
  }

  Status Act(const LoadEntry& entry, CollectedLoad* collected) {
    if (collected->act != CollectAct::kLeftovers &&
        collected->act != CollectAct::kDiscard)
      return collected->status;
    std::optional<LoadState> known;
    if (state_ != nullptr && collected->act == CollectAct::kDiscard) {
      ARROW_ASSIGN_OR_RAISE(known, state_->FindLoad(entry.load));
    }
    if (!known || known->phase >= Phase::kCommitted) {
      return destination_->Collect(collected->table, entry.load)
          .Value(&collected->removed);
    }
    // The slot decides, not this call: it may have been committed just before.
    ARROW_ASSIGN_OR_RAISE(const auto load, destination_->Open(known->spec));
    const Status discarded = load->Discard();
    if (IdOf(discarded) == "load.committed") {
      collected->why = "had been committed; the next run of its job takes note";
      return Status::OK();
    }
    ARROW_RETURN_NOT_OK(discarded);
    collected->removed = collected->leftovers;
    return state_->Advance(leases_[collected->job], entry.load, known->phase,
                           Phase::kDiscarded, {}, {});
  }

  Status Release() {
    Status first;
    for (const auto& [job, lease] : leases_) {
      const Status status = state_->Release(lease);
      if (first.ok()) first = status;
    }
    return first;
  }

  const CollectRequest& request_;
  Clock& clock_;
  std::unique_ptr<StateStore> state_;
  std::string place_;                         ///< the destination at hand: its URI,
  std::unique_ptr<Destination> destination_;  ///< itself,
  bool enforced_ = true;                      ///< and whether creating is exclusive there
  std::vector<std::string> jobs_;
  std::map<std::string, Lease> leases_;
  std::set<std::string> seen_;
  std::map<std::string, std::string> elsewhere_;  ///< loads to abandon, and where they go
  std::vector<CollectedLoad> collected_;
};

}  // namespace

const char* ToString(CollectAct act) {
  switch (act) {
    case CollectAct::kNothing: return "nothing";
    case CollectAct::kLeftovers: return "leftovers";
    case CollectAct::kDiscard: return "discard";
    case CollectAct::kKeepOpen: return "keep-open";
    case CollectAct::kKeepYoung: return "keep-young";
    case CollectAct::kKeepHeld: return "keep-held";
    case CollectAct::kKeepUnproven: return "keep-unproven";
  }
  return "nothing";
}

Result<std::vector<CollectedLoad>> Collect(const CollectRequest& request, Clock& clock,
                                           const arrow::StopToken& stop) {
  return Collector(request, clock).Run(stop);
}

}  // namespace sluice
