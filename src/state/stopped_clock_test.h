/// \file
/// For tests of the state: its file from the other side, and a clock that stands still.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "driver/sqlite.h"
#include "state/sqlite_state.h"

namespace sluice::state {

inline std::unique_ptr<sqlite::Database> OpenPlain(const std::string& path) {
  auto opened = sqlite::Database::Open(
      {.path = path, .mode = sqlite::OpenMode::kReadWriteCreate}, sqlite::Role::kState);
  EXPECT_TRUE(opened.ok()) << opened.status().ToString();
  return *std::move(opened);
}

inline void MustExecute(const std::string& path, const std::string& sql) {
  const Status status = OpenPlain(path)->Execute(sql);
  EXPECT_TRUE(status.ok()) << status.ToString();
}

/// A state file, made here, whose leases live by a clock that only Advance moves.
class StoppedClock {
 public:
  explicit StoppedClock(const std::string& path) : path_(path) {
    EXPECT_TRUE(OpenSqliteState({.path = path}).ok());
    MustExecute(path,
                "CREATE TABLE test_clock (now INTEGER NOT NULL); "
                "INSERT INTO test_clock VALUES (1700000000000)");
  }
  SqliteStateOptions options() const {
    SqliteStateOptions options{.path = path_};
    options.now_sql = "(SELECT now FROM test_clock)";
    return options;
  }
  void Advance(int64_t millis) {
    MustExecute(path_, "UPDATE test_clock SET now = now + " + std::to_string(millis));
  }

 private:
  std::string path_;
};

}  // namespace sluice::state
