/// \file
/// A Store in memory, shared by the "processes" of one test, that remembers all a lister
/// could see.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sluice/clock.h"
#include "sluice/store.h"

namespace sluice {

struct MemoryStoreOptions {
  /// false: a create-only store in name only, which overwrites what is there.
  bool create_only = true;
  /// false: looks first and writes after, so that several of many creators win.
  bool atomic = true;
  /// Of modified_micros; null: every change is a second later than the one before.
  Clock* clock = nullptr;
};

/// A change of what List shows.
struct Sighting {
  enum class Change { kAppeared, kReplaced, kRemoved };
  Change change = Change::kAppeared;
  std::string path;
  std::string attempt;   ///< of who staged it; "" after Put
  int64_t size = 0;      ///< 0 after kRemoved
  bool complete = true;  ///< size and crc32c are those its writer meant
  bool operator==(const Sighting&) const = default;
};

struct MemoryState;

/// Copies share the objects. Thread-safe. Publishing consumes what was staged, as on S3;
/// `path` of a leftover in ListStaged is its final name, and a folder holds it by final
/// or staging path.
class MemoryStore {
 public:
  explicit MemoryStore(MemoryStoreOptions options = {});

  /// Another process's handle.
  std::unique_ptr<Store> Open() const;

  /// Published bytes by path.
  std::map<std::string, std::string> Objects() const;
  /// Staged or half-written objects.
  int64_t staged() const;
  std::vector<Sighting> Sightings() const;
  /// Changes a published object behind everybody's back.
  void Corrupt(const std::string& path, std::string bytes);
  /// Called where a real store reaches its crash points: after the first byte of an
  /// object is written, and when an object is staged but nobody knows. An error is
  /// returned to the writer.
  void OnUpload(std::function<Status()> half, std::function<Status()> staged);

 private:
  std::shared_ptr<MemoryState> state_;
};

}  // namespace sluice
