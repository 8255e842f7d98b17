/// \file
/// A database in memory and a Source over it: rows change between sessions, calls fail
/// where a test says, and a killed process's source is dead.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sluice/source.h"

namespace sluice {

/// A row of every scripted table: id BIGINT PRIMARY KEY, name TEXT NOT NULL, amount
/// DOUBLE.
struct ScriptedRow {
  std::string name;
  std::optional<double> amount;
  bool operator==(const ScriptedRow&) const = default;
};
using ScriptedRows = std::map<int64_t, ScriptedRow>;
/// `count` rows with keys first, first + step, … and values made from the key.
ScriptedRows MakeRows(int64_t first, int64_t count, int64_t step = 1);

struct ScriptedTable {
  ScriptedRows rows;
  bool keyed = true;
  int64_t definition = 1;  ///< ALTER makes it greater
};

/// Copies share the tables. Thread-safe. Every change makes a new version.
class ScriptedDatabase {
 public:
  ScriptedDatabase();
  /// Of schema "main".
  void Create(const std::string& table, ScriptedRows rows, bool keyed = true);
  void Put(const std::string& table, int64_t id, ScriptedRow row);
  void Remove(const std::string& table, int64_t id);
  void Alter(const std::string& table);
  void Drop(const std::string& table);
  ScriptedRows Rows(const std::string& table) const;
  /// false: Open gives sessions that each see what is there when they read (kPerChunk).
  void AllowSnapshots(bool allowed);

 private:
  friend class ScriptedSource;
  friend class ScriptedSession;
  using Tables = std::map<TableName, std::shared_ptr<const ScriptedTable>>;
  struct State {
    std::mutex mutex;
    Tables tables;
    int64_t version = 1;
    bool snapshots = true;
  };
  ScriptedTable* Change(const std::string& table);  ///< holds the mutex
  std::shared_ptr<State> state_;
};

/// kBatch: a batch that a reader is asked for.
enum class SourceCall {
  kOpen,
  kList,
  kDescribe,
  kLastKey,
  kBound,
  kRead,
  kBatch,
  kCheckUnchanged
};

/// One process's connection to the database. Thread-safe.
class ScriptedSource final : public Source {
 public:
  explicit ScriptedSource(ScriptedDatabase database);
  ~ScriptedSource() override;

  std::string Describe() const override { return "scripted:"; }
  /// One session per wanted; kSnapshot unless the database forbids it or kPerChunk was
  /// wanted.
  Result<SessionSet> Open(Consistency wanted, int sessions) override;

  /// The nth call of that sort (from 1, of all sessions together) and `times - 1` after
  /// it fail.
  void FailAt(SourceCall call, int64_t nth, Status failure, int64_t times = 1);
  /// From now on every call fails with "fault.dead".
  void Kill();
  int64_t calls(SourceCall call) const;
  /// Rows handed out by all readers.
  int64_t rows_read() const;

 private:
  friend class ScriptedSession;
  friend class ScriptedTableReader;
  struct Script;
  ScriptedDatabase database_;
  std::shared_ptr<Script> script_;
};

}  // namespace sluice
