// What is special to MySQL and MariaDB: keys of every type, snapshots among writers, errors and what
// is advised, the login.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "server_database.h"
#include "testing/batches.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

class ServerSession : public ::testing::TestWithParam<ServerKind> {
 protected:
  ServerSession() : database_(GetParam()) {}

  SessionSet Open(int sessions = 1, Consistency wanted = Consistency::kSnapshot) {
    source_ = database_.Open().ValueOrDie();
    return source_->Open(wanted, sessions).ValueOrDie();
  }
  Relation RelationOf(const std::string& table) const {
    Relation relation;
    relation.name = {database_.name(), table};
    return relation;
  }
  /// Rows of all ranges that bounds of `rows_wanted` cut the table into, and of the table at once.
  void ExpectRangesCoverTheTable(const std::string& table, size_t rows) {
    auto set = Open();
    Session& session = *set.sessions[0];
    const TableInfo info = session.Describe(RelationOf(table)).ValueOrDie();
    ASSERT_FALSE(info.key.empty());
    const auto all = Read(session, info, {});
    EXPECT_EQ(all.size(), rows);
    KeyRange within{std::nullopt, session.LastKey(info).ValueOrDie()};
    std::vector<Row> joined;
    for (int i = 0; i < 1000; ++i) {
      const auto bound = session.Bound(info, within, 3).ValueOrDie();
      for (Row& row : Read(session, info, {within.after, bound ? bound : within.upto}))
        joined.push_back(std::move(row));
      if (!bound) break;
      within.after = bound;
    }
    EXPECT_EQ(joined, all);
    ExpectEachRowOnce(table, info, session, rows);
  }
  /// The same a row at a time: each bound then is a value that is there.
  void ExpectEachRowOnce(const std::string& table, const TableInfo& info,
                         Session& session, size_t rows) {
    KeyRange within{std::nullopt, session.LastKey(info).ValueOrDie()};
    std::set<std::string> seen;
    for (size_t i = 0; i <= rows; ++i) {
      const auto bound = session.Bound(info, within, 1).ValueOrDie();
      for (const Row& row :
           Read(session, info, {within.after, bound ? bound : within.upto}))
        EXPECT_TRUE(seen.insert(::testing::PrintToString(row)).second) << table;
      if (!bound) break;
      within.after = bound;
    }
    EXPECT_EQ(seen.size(), rows) << table << " a row at a time";
  }
  static std::vector<Row> Read(Session& session, const TableInfo& info,
                               const KeyRange& range) {
    return ReadRows(*session.Read(info, range, {}).ValueOrDie()).ValueOrDie();
  }

  ServerDatabase database_;
  std::unique_ptr<Source> source_;
};

INSTANTIATE_TEST_SUITE_P(All, ServerSession,
                         ::testing::Values(ServerKind::kMysql, ServerKind::kMariaDb),
                         [](const auto& param) { return NameOf(param.param); });

TEST_P(ServerSession, KeysOfEveryTypeCutTheTableIntoRangesThatCoverIt) {
  const std::pair<const char*, const char*> keys[] = {
      {"BIGINT UNSIGNED",
       "(0),(1),(9223372036854775807),(9223372036854775808),"
       "(18446744073709551614),(18446744073709551615)"},
      {"TINYINT", "(-128),(-1),(0),(1),(127),(5),(6)"},
      {"DECIMAL(30,10)", "(-1.5),(0),(0.0000000001),(1),(12345678901234567890.5)"},
      {"DATE",
       "('1000-01-01'),('2024-02-29'),('2024-03-01'),('9999-12-31'),('1970-01-01')"},
      {"DATETIME(6)",
       "('2024-01-01 00:00:00'),('2024-01-01 00:00:00.000001'),"
       "('2024-01-01 00:00:00.000002'),('2025-01-01'),('1000-01-01')"},
      {"TIMESTAMP(3)",
       "('2024-03-31 01:30:00'),('2024-03-31 02:30:00.001'),"
       "('2024-10-27 02:30:00'),('2037-01-01'),('1971-01-01')"},
      {"TIME(2)",
       "('-838:59:59'),('-00:00:00.01'),('00:00:00'),('24:00:00'),('838:59:59')"},
      {"YEAR", "(0),(1901),(1950),(1969),(1970),(2000),(2069),(2155),(2024)"},
      {"BIT(64)", "(0),(1),(9223372036854775808),(18446744073709551615),(7)"},
      {"BINARY(4)", "(x'00000000'),(x'00000001'),(x'FF000000'),(x'7F'),(x'80')"},
      {"VARBINARY(20)", "(x''),(x'00'),(x'0000'),(x'FF'),(x'6161')"},
      {"ENUM('z','y','x','w','v')", "('z'),('y'),('x'),('w'),('v')"},
      {"SET('z','y','x')", "(''),('z'),('y'),('z,y'),('x'),('z,x')"},
      {"VARCHAR(50) CHARACTER SET utf8mb4", "('a'),('B'),('c'),('ü'),('Z'),('_'),('')"},
      {"VARCHAR(50) CHARACTER SET latin1", "('a'),('B'),('c'),('ü'),('Z'),('\\'')"},
      {"VARCHAR(50) CHARACTER SET utf16", "('a'),('B'),('c'),('ü'),('Z')"},
      {"CHAR(10) CHARACTER SET utf8mb4", "('a'),('B'),('c  '),('ü'),('Z')"},
  };
  for (const auto& [type, values] : keys) {
    SCOPED_TRACE(type);
    const std::string list = values;
    database_.Execute(std::string("SET sql_mode='';\nCREATE TABLE t (k ") + type +
                      " NOT NULL PRIMARY KEY);\nINSERT INTO t VALUES " + list);
    ExpectRangesCoverTheTable(
        "t", static_cast<size_t>(std::count(list.begin(), list.end(), '(')));
    database_.Execute("DROP TABLE t");
  }
}

/// Rows of each chunk that bounds of `rows_wanted` cut the table into, read one by one.
std::vector<int64_t> RowsOfChunks(Session& session, const TableInfo& info,
                                  int64_t rows_wanted) {
  std::vector<int64_t> counts;
  KeyRange within{std::nullopt, session.LastKey(info).ValueOrDie()};
  for (bool more = true; more && counts.size() < 100;) {
    const auto bound = session.Bound(info, within, rows_wanted).ValueOrDie();
    more = bound.has_value();
    ReadTally tally;
    ReadContext context;
    context.tally = &tally;
    const KeyRange range{within.after, more ? bound : within.upto};
    EXPECT_TRUE(session.Read(info, range, context).ValueOrDie()->ToRecordBatches().ok());
    counts.push_back(tally.rows);
    within.after = bound;
  }
  return counts;
}

TEST_P(ServerSession, TheEndOfALargeChunkIsNearWhateverLiesBetweenTheKeys) {
  struct Case {
    const char* what;
    const char* columns;
    const char* values;  // of i, from 0 to 99,999, and j, 0 or 1
    int64_t rows_max = 110'000;
  };
  const Case cases[] = {
      {"dense", "a INT, b INT", "i, j"},
      {"one integer", "a INT UNSIGNED, b INT GENERATED ALWAYS AS (a) VIRTUAL", nullptr},
      {"sparse multiples", "a BIGINT, b SMALLINT", "i * 3200 - 70000, j"},
      {"denser and denser", "a BIGINT, b TINYINT UNSIGNED",
       "1e10 - (1e5 - i) * (1e5 - i), j"},
      {"a gap", "a BIGINT, b BIGINT UNSIGNED", "i + IF(i < 50000, 0, 1000000000000), j"},
      {"a crowd at the end", "a INT, b INT", "LEAST(i, 40000), i * 3 + j"},
      {"a crowd in the middle", "a INT, b INT",
       "IF(i BETWEEN 20000 AND 60000, 30000, i), i * 3 + j", 220'000},
      {"few first values", "a INT, b INT", "i % 10, i * 3 + j"},
      {"an integer and a text", "a INT, b VARCHAR(9)", "i, CONCAT('x', j)"},
      {"the ends of 64 bits", "a BIGINT, b INT",
       "IF(i < 50000, -9223372036854775808 + i, 9223372036854775807 - i), j"},
      {"beyond a signed integer", "a BIGINT UNSIGNED, b INT",
       "18446744073709551615 - i, j"},
  };
  database_.Execute(
      "CREATE TABLE d (n INT);\nINSERT INTO d VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);\n"
      "CREATE TABLE l (j INT);\nINSERT INTO l VALUES (0),(1);\n"
      "CREATE TABLE n (i INT);\nINSERT INTO n SELECT e.n*10000+f.n*1000+g.n*100+h.n*10+k.n "
      "FROM d e, d f, d g, d h, d k");
  constexpr int64_t kWanted = 55'000;
  for (const Case& each : cases) {
    SCOPED_TRACE(each.what);
    const bool single = each.values == nullptr;
    database_.Execute(
        std::string("CREATE TABLE t (") + each.columns + ", PRIMARY KEY (a" +
        (single ? ")" : ", b)") + ");\nINSERT INTO t " +
        (single ? "(a) SELECT i * 3 + j" : std::string("SELECT ") + each.values) +
        " FROM n, l;\nANALYZE TABLE t");
    auto set = Open();
    const TableInfo info = set.sessions[0]->Describe(RelationOf("t")).ValueOrDie();
    const auto counts = RowsOfChunks(*set.sessions[0], info, kWanted);
    int64_t sum = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      sum += counts[i];
      EXPECT_LE(counts[i], each.rows_max);
      if (i + 1 < counts.size()) {
        EXPECT_GE(counts[i], kWanted / 2);
      }
    }
    EXPECT_EQ(sum, 200'000);
    set.sessions.clear();
    database_.Execute("DROP TABLE t");
  }
}

TEST_P(ServerSession, ANullableUniqueKeyIsNotUsedAndThatIsSaid) {
  database_.Execute(
      "CREATE TABLE t (a INT, UNIQUE KEY u (a));\nINSERT INTO t VALUES (1),(NULL)");
  auto set = Open();
  const TableInfo info = set.sessions[0]->Describe(RelationOf("t")).ValueOrDie();
  EXPECT_TRUE(info.key.empty());
  EXPECT_THAT(info.schema->ToString(/*show_metadata=*/true),
              HasSubstr("unique key u is not used: a may be NULL"));
  EXPECT_EQ(Read(*set.sessions[0], info, {}).size(), 2u);
}

TEST_P(ServerSession, FloatAndPrefixKeysAreNotUsed) {
  database_.Execute(
      "CREATE TABLE t (f DOUBLE NOT NULL PRIMARY KEY, s VARCHAR(50) NOT NULL, i INT NOT NULL, "
      "UNIQUE KEY a (s(3)), UNIQUE KEY z (i))");
  auto set = Open();
  const TableInfo info = set.sessions[0]->Describe(RelationOf("t")).ValueOrDie();
  EXPECT_EQ(info.key, std::vector<std::string>{"i"});
}

TEST_P(ServerSession, EverySnapshotShowsAnInvariantOverTwoTablesWhole) {
  database_.Execute(
      "CREATE TABLE a (id INT PRIMARY KEY, n BIGINT NOT NULL);\n"
      "CREATE TABLE b (id INT PRIMARY KEY, n BIGINT NOT NULL);\n"
      "INSERT INTO a VALUES (1, 1000), (2, 1000);\nINSERT INTO b VALUES (1, 1000)");
  std::atomic<bool> done = false;
  std::vector<std::thread> writers;
  for (int w = 0; w < 2; ++w)
    writers.emplace_back([&, w] {
      auto writer = mysql::Connection::Open(database_.options()).ValueOrDie();
      for (int i = 1; !done; ++i) {
        const std::string n = std::to_string(1 + (i + w) % 5);
        // A deadlock of the two writers rolls one of them back: nothing moved.
        Status moved = writer->Execute("BEGIN");
        if (moved.ok())
          moved = writer->Execute("UPDATE a SET n = n - " + n +
                                  " WHERE id = " + std::to_string(1 + i % 2));
        if (moved.ok()) moved = writer->Execute("UPDATE b SET n = n + " + n);
        const Status ended = writer->Execute(moved.ok() ? "COMMIT" : "ROLLBACK");
        EXPECT_TRUE(ended.ok()) << ended.ToString();
      }
    });
  int proven = 0;
  for (int round = 0; round < 40; ++round) {
    auto set = Open(3);
    if (set.kind != Consistency::kSnapshot) continue;
    ++proven;
    int64_t sum = 0;
    for (size_t i = 0; i < 2; ++i) {
      Session& session = *set.sessions[i + 1];
      const TableInfo info =
          session.Describe(RelationOf(i == 0 ? "a" : "b")).ValueOrDie();
      for (const Row& row : Read(session, info, {})) sum += std::stoll(*row[1]);
    }
    EXPECT_EQ(sum, 3000) << set.position;
  }
  done = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_GT(proven, 0);
}

TEST_P(ServerSession, AMissingPrivilegeIsToldWithTheGrantThatWouldDo) {
  database_.Execute(
      "CREATE TABLE t (id INT PRIMARY KEY);\nCREATE TABLE u (id INT PRIMARY KEY)");
  const std::string account = "'r" + database_.name().substr(2, 10) + "'@'%'";
  database_.Execute("CREATE USER " + account +
                    " IDENTIFIED BY 'secret';\nGRANT SELECT ON " + database_.name() +
                    ".u TO " + account);
  mysql::ConnectOptions options = database_.options();
  options.user = "r" + database_.name().substr(2, 10);
  options.password = "secret";
  auto set =
      OpenMysqlSource(options).ValueOrDie()->Open(Consistency::kSnapshot, 2).ValueOrDie();
  const Status status = set.sessions[0]->Describe(RelationOf("t")).status();
  EXPECT_EQ(KindOf(status), ErrorKind::kSource) << status.ToString();
  EXPECT_EQ(IdOf(status), "source.missing-grant");
  EXPECT_THAT(std::string(HintOf(status)),
              HasSubstr("GRANT SELECT ON `" + database_.name() + "`.`t` TO '"));
  database_.Execute("DROP USER " + account);
}

TEST_P(ServerSession, WrongPasswordsDatabasesAndHostsAreUsageAndNoServerIsTransient) {
  mysql::ConnectOptions options = database_.options();
  options.password = "wrong-secret";
  Status status = OpenMysqlSource(options).status();
  EXPECT_EQ(IdOf(status), "source.password") << status.ToString();
  EXPECT_EQ(KindOf(status), ErrorKind::kUsage);
  EXPECT_THAT(status.ToString(), Not(HasSubstr("wrong-secret")));
  options = database_.options();
  options.database = "no_such_database";
  status = OpenMysqlSource(options).status();
  EXPECT_EQ(IdOf(status), "source.no-such-database") << status.ToString();
  options = database_.options();
  options.port = 1;
  status = OpenMysqlSource(options).status();
  EXPECT_EQ(IdOf(status), "source.unreachable") << status.ToString();
  EXPECT_EQ(KindOf(status), ErrorKind::kTransient);
  options.host = "no-such-host.invalid";
  options.tls = mysql::Tls::kVerifyIdentity;
  status = OpenMysqlSource(options).status();
  EXPECT_EQ(KindOf(status), ErrorKind::kUsage) << status.ToString();
}

TEST_P(ServerSession, AWrongCaIsRefused) {
  mysql::ConnectOptions options = database_.options();
  ASSERT_EQ(options.tls, mysql::Tls::kVerifyIdentity);
  options.tls_ca = "/etc/ssl/certs/ca-certificates.crt";
  const Status status = OpenMysqlSource(options).status();
  EXPECT_EQ(IdOf(status), "source.tls") << status.ToString();
  EXPECT_EQ(KindOf(status), ErrorKind::kUsage);
}

TEST_P(ServerSession, WeakTlsIsForLoopbackOnly) {
  mysql::ConnectOptions options = database_.options();
  options.host = "db.example";
  for (const mysql::Tls tls : {mysql::Tls::kDisabled, mysql::Tls::kPreferred,
                               mysql::Tls::kRequired, mysql::Tls::kVerifyCa}) {
    options.tls = tls;
    EXPECT_EQ(IdOf(OpenMysqlSource(options).status()), "source.tls");
  }
}

TEST_P(ServerSession, AReadThatIsLeftEarlyLeavesTheSessionGood) {
  database_.Execute(
      "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(1000));\n"
      "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < "
      "900) SELECT i, REPEAT('x', 1000) FROM n;\n"
      "INSERT INTO t SELECT id + 1000 * b.n, s FROM t, (SELECT 1 n UNION SELECT 2 UNION "
      "SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6) b");
  auto set = Open();
  Session& session = *set.sessions[0];
  const TableInfo info = session.Describe(RelationOf("t")).ValueOrDie();
  for (int i = 0; i < 3; ++i) {
    auto reader = session.Read(info, {}, {.batch_rows = 10}).ValueOrDie();
    std::shared_ptr<arrow::RecordBatch> batch;
    ASSERT_TRUE(reader->ReadNext(&batch).ok());
    reader.reset();
    EXPECT_EQ(Read(session, info, {}).size(), 6300u);
  }
}

TEST_P(ServerSession, WheresThatChangeTheirMindAreRefused) {
  database_.Execute("CREATE TABLE t (id INT PRIMARY KEY, note TEXT)");
  auto set = Open();
  for (const char* where :
       {"id > RAND()", "note < NOW()", "note < sysdate ( )", "note = CURRENT_TIMESTAMP",
        "id = @x", "id = ?", "id = 1 -- x", "id = 1 /* x */", "id = 1 # x", "SLEEP(1)",
        "note = USER()", "id IN (SELECT 1", "id = 1)", "'"}) {
    SCOPED_TRACE(where);
    Relation relation = RelationOf("t");
    relation.where = where;
    const Status status = set.sessions[0]->Describe(relation).status();
    EXPECT_EQ(IdOf(status), "source.where") << status.ToString();
  }
  Relation relation = RelationOf("t");
  relation.where = "note = 'it''s \\' NOW() -- ; ' AND `id` > -1";
  EXPECT_TRUE(set.sessions[0]->Describe(relation).ok());
}

TEST_P(ServerSession, AThousandColumnsAreRead) {
  std::string sql = "CREATE TABLE t (id INT PRIMARY KEY",
              values = "INSERT INTO t VALUES (1";
  for (int i = 1; i < 1000; ++i) {
    sql += ", c" + std::to_string(i) + " INT";
    values += "," + std::to_string(i);
  }
  database_.Execute(sql + ");\n" + values + ")");
  auto set = Open();
  const TableInfo info = set.sessions[0]->Describe(RelationOf("t")).ValueOrDie();
  const auto rows = Read(*set.sessions[0], info, {});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0][999], "999");
  EXPECT_EQ(set.sessions[0]->DigestOf(info, {}).ValueOrDie()->hashed, 1);
}

}  // namespace
}  // namespace sluice
