/// \file
/// A database of a test's own on a real server, which SLUICE_TEST_MYSQL and SLUICE_TEST_MARIADB name
/// as URIs of an account that may do everything. Without them the test fails: none is skipped.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "driver/mysql.h"
#include "sluice/source.h"
#include "source/mysql.h"

namespace sluice {

enum class ServerKind { kMysql, kMariaDb };
const char* NameOf(ServerKind kind);

/// Where the server is; ends the test program where nobody said so.
mysql::ConnectOptions ServerOptions(ServerKind kind);

/// Made empty, dropped at the end.
class ServerDatabase {
 public:
  explicit ServerDatabase(ServerKind kind);
  ~ServerDatabase();

  const std::string& name() const { return options_.database; }
  /// As `user`, a new account with that password and no rights, or as the administrator.
  const mysql::ConnectOptions& options() const { return options_; }
  /// Statements, each of which ends with ";\n" or the end; one that fails ends the program.
  void Execute(const std::string& statements);
  Result<std::vector<mysql::TextRow>> Query(const std::string& sql);
  Result<std::unique_ptr<Source>> Open();

 private:
  mysql::ConnectOptions options_;
  std::unique_ptr<mysql::Connection> writer_;
};

}  // namespace sluice
