// drain DATABASE: steps through every row of lineitem on one thread, touches every column and prints
// the number of rows. What SQLite itself takes: nobody who reads through its interface takes less.
#include <sqlite3.h>

#include <cstdint>
#include <cstdio>

namespace {

/// Asks for the value as it is stored, so that SQLite converts nothing.
uint64_t Touch(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return static_cast<uint64_t>(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
      return static_cast<uint64_t>(sqlite3_column_double(statement, column));
    case SQLITE_NULL: return 0;
    default: {
      const auto* bytes =
          static_cast<const unsigned char*>(sqlite3_column_blob(statement, column));
      const int size = sqlite3_column_bytes(statement, column);
      return size == 0 ? 0 : bytes[0] + bytes[size - 1];
    }
  }
}

int Fail(sqlite3* database) {
  std::fprintf(stderr, "drain: %s\n", sqlite3_errmsg(database));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: drain DATABASE\n");
    return 2;
  }
  sqlite3* database = nullptr;
  if (sqlite3_open_v2(argv[1], &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
                      nullptr) != SQLITE_OK) {
    return Fail(database);
  }
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, "SELECT * FROM lineitem", -1, &statement, nullptr) !=
      SQLITE_OK) {
    return Fail(database);
  }
  const int columns = sqlite3_column_count(statement);
  uint64_t rows = 0;
  volatile uint64_t sum = 0;  // Or the compiler leaves the reading out.
  int code = sqlite3_step(statement);
  for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
    for (int column = 0; column < columns; ++column) {
      sum = sum + Touch(statement, column);
    }
    ++rows;
  }
  if (code != SQLITE_DONE) return Fail(database);
  std::printf("%llu\n", static_cast<unsigned long long>(rows));
  sqlite3_finalize(statement);
  return sqlite3_close(database) == SQLITE_OK ? 0 : 1;
}
