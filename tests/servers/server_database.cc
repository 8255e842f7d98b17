#include "server_database.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/uri.h"
#include "base/uuid.h"

namespace sluice {
namespace {

void Must(const Status& status, const std::string& what) {
  ASSERT_TRUE(status.ok()) << what.substr(0, 300) << "\n" << status.ToString();
}

}  // namespace

const char* NameOf(ServerKind kind) {
  return kind == ServerKind::kMysql ? "Mysql" : "MariaDb";
}

mysql::ConnectOptions ServerOptions(ServerKind kind) {
  const char* variable =
      kind == ServerKind::kMysql ? "SLUICE_TEST_MYSQL" : "SLUICE_TEST_MARIADB";
  const char* uri = std::getenv(variable);
  EXPECT_NE(uri, nullptr) << variable
                          << " names no server; tools/test servers starts them";
  if (uri == nullptr) return {};
  return MysqlOptionsFrom(ParseUri(uri).ValueOrDie()).ValueOrDie();
}

ServerDatabase::ServerDatabase(ServerKind kind) : options_(ServerOptions(kind)) {
  writer_ = mysql::Connection::Open(options_).ValueOrDie();
  const std::string name = "t_" + NewNonce();
  options_.database = name;
  Execute("CREATE DATABASE " + name + " CHARACTER SET utf8mb4;\nUSE " + name);
}

ServerDatabase::~ServerDatabase() {
  Must(writer_->Execute("DROP DATABASE " + options_.database), "DROP DATABASE");
}

void ServerDatabase::Execute(const std::string& statements) {
  for (size_t begin = 0; begin < statements.size();) {
    const size_t end = std::min(statements.find(";\n", begin), statements.size());
    const std::string sql = statements.substr(begin, end - begin);
    if (sql.find_first_not_of(" \n") != std::string::npos)
      Must(writer_->Execute(sql), sql);
    begin = end + 2;
  }
}

Result<std::vector<mysql::TextRow>> ServerDatabase::Query(const std::string& sql) {
  return writer_->Query(sql);
}

Result<std::unique_ptr<Source>> ServerDatabase::Open() {
  return OpenMysqlSource(options_);
}

}  // namespace sluice
