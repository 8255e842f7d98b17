/// \file
/// What every step of one run shares.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sluice/transfer.h"
#include "transfer/rate_limit.h"
#include "transfer/watch.h"

namespace sluice {

/// The sessions a cancel must reach. Thread-safe; holds none once closed.
class LiveSessions {
 public:
  void Open(const SessionSet& set) {
    std::lock_guard lock(mutex_);
    for (const auto& session : set.sessions) sessions_.push_back(session.get());
  }
  void Close() {
    std::lock_guard lock(mutex_);
    sessions_.clear();
  }
  /// The first failure; every session is asked.
  Status Cancel() {
    std::lock_guard lock(mutex_);
    Status first;
    for (Session* session : sessions_) {
      const Status status = session->Cancel();
      if (first.ok()) first = status;
    }
    return first;
  }

 private:
  std::mutex mutex_;
  std::vector<Session*> sessions_;  // guarded by mutex_
};

/// The sessions of a run that nobody works with. Thread-safe.
class IdleSessions {
 public:
  void Fill(const SessionSet& set) {
    const std::lock_guard lock(mutex_);
    for (const auto& session : set.sessions) idle_.push_back(session.get());
    living_ = idle_.size();
  }
  /// Null: all are at work.
  Session* Take() {
    const std::lock_guard lock(mutex_);
    return TakeIdle();
  }
  /// A living session for one that was lost, once another stream or worker gives one back; null: none
  /// lives. Whoever waits here holds no session.
  Session* InsteadOf(Session& session) {
    Lose(session);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return living_ == 0 || !idle_.empty(); });
    return TakeIdle();
  }
  void Lose(Session& session) {
    const std::lock_guard lock(mutex_);
    if (lost_.insert(&session).second) --living_;
    changed_.notify_all();
  }
  bool IsLost(Session& session) {
    const std::lock_guard lock(mutex_);
    return lost_.contains(&session);
  }
  /// A lost one is forgotten.
  void GiveBack(Session& session) {
    const std::lock_guard lock(mutex_);
    if (!lost_.contains(&session)) idle_.push_back(&session);
    changed_.notify_all();
  }

 private:
  Session* TakeIdle() {
    if (idle_.empty()) return nullptr;
    Session* session = idle_.back();
    idle_.pop_back();
    return session;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Session*> idle_;  // guarded by mutex_
  std::set<Session*> lost_;     // guarded by mutex_
  size_t living_ = 0;           // guarded by mutex_
};

/// What a source says of a session that is of no more use; its siblings may live.
inline bool LostItsSession(const Status& status) { return IdOf(status) == "source.lost"; }

/// What the probe of a destination found.
struct DestinationVerdict {
  Status status;
  bool attempt_names = false;  ///< creating is not exclusive there (A1)
};

/// Lives for one run, on the thread that called RunTransfer; `parts` are thread-safe.
struct RunContext {
  const TransferSpec& spec;
  const Collaborators& parts;
  const Lease& lease;
  const Watch& watch;
  const arrow::StopToken& stop;  ///< drain: start no new chunk
  SessionSet sessions = {};
  IdleSessions idle = {};
  RateLimit rate = {};
  std::map<const Destination*, DestinationVerdict> destinations =
      {};  ///< that are written to
  std::mutex warnings_mutex = {};
  std::vector<std::string> warnings = {};  // guarded by warnings_mutex

  Destination& DestinationOf(const StreamSpec& stream) const {
    return stream.destination != nullptr ? *stream.destination : parts.destination;
  }

  /// From any thread.
  void Warn(const std::string& stream, std::string message,
            const std::string& load = "") {
    {
      std::lock_guard lock(warnings_mutex);
      warnings.push_back(message);
    }
    Notify({.kind = EventKind::kWarning,
            .stream = stream,
            .load = load,
            .message = std::move(message)});
  }
  /// From any thread.
  void Notify(Event event) const {
    event.run = spec.run;
    parts.notifier.On(event);
  }
};

}  // namespace sluice
