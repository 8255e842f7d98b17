/// \file
/// Statements of the state: bound in order, read by column; and a transaction that is undone
/// unless it is committed.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "driver/sqlite.h"

namespace sluice::state {

/// One bound value; text is not owned.
class Value {
 public:
  Value(int64_t number) : kind_(Kind::kNumber), number_(number) {}
  Value(int number) : kind_(Kind::kNumber), number_(number) {}
  Value(bool flag) : kind_(Kind::kNumber), number_(flag ? 1 : 0) {}
  Value(std::string_view text) : kind_(Kind::kText), text_(text) {}
  Value(const std::string& text) : kind_(Kind::kText), text_(text) {}
  Value(const char* text) : kind_(Kind::kText), text_(text) {}
  Value(const std::optional<std::string>& text)
      : kind_(text ? Kind::kText : Kind::kNull),
        text_(text ? *text : std::string_view()) {}

  Status BindTo(sqlite::Statement& statement, int index) const;

 private:
  enum class Kind { kNull, kNumber, kText };
  Kind kind_;
  int64_t number_ = 0;
  std::string_view text_;
};

/// A statement at work.
class Query {
 public:
  static Result<Query> Make(sqlite::Database& database, std::string_view sql,
                            std::initializer_list<Value> values = {});
  /// true: a row is there.
  Result<bool> Next() { return statement_.Step(); }
  int64_t Number(int column) const { return statement_.ColumnInt64(column); }
  std::string Text(int column) const {
    return std::string(statement_.ColumnText(column));
  }
  std::optional<std::string> OptionalText(int column) const;

 private:
  explicit Query(sqlite::Statement statement) : statement_(std::move(statement)) {}
  sqlite::Statement statement_;
};

/// Runs a statement whose rows do not matter.
Status Run(sqlite::Database& database, std::string_view sql,
           std::initializer_list<Value> values = {});
/// The first column of the first row; nothing when there is no row.
Result<std::optional<int64_t>> FindNumber(sqlite::Database& database,
                                          std::string_view sql,
                                          std::initializer_list<Value> values = {});
Result<std::optional<std::string>> FindText(sqlite::Database& database,
                                            std::string_view sql,
                                            std::initializer_list<Value> values = {});

class Transaction {
 public:
  enum class Kind { kRead, kWrite };
  /// kWrite waits for other writers here, not later.
  static Result<Transaction> Begin(sqlite::Database& database, Kind kind);
  Transaction(Transaction&& other) noexcept
      : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  /// Durable once it returns OK.
  Status Commit();

 private:
  explicit Transaction(sqlite::Database* database) : database_(database) {}
  sqlite::Database* database_;
};

}  // namespace sluice::state
