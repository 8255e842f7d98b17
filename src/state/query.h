/// \file
/// Statements of the state, wherever its tables are: bound in order, read by column; and a transaction
/// that is undone unless it is committed.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/error.h"

namespace sluice::state {

/// One bound value; text is not owned.
class Value {
 public:
  enum class Kind { kNull, kNumber, kText };

  Value(int64_t number) : kind_(Kind::kNumber), number_(number) {}
  Value(int number) : kind_(Kind::kNumber), number_(number) {}
  Value(bool flag) : kind_(Kind::kNumber), number_(flag ? 1 : 0) {}
  Value(std::string_view text) : kind_(Kind::kText), text_(text) {}
  Value(const std::string& text) : kind_(Kind::kText), text_(text) {}
  Value(const char* text) : kind_(Kind::kText), text_(text) {}
  Value(const std::optional<std::string>& text)
      : kind_(text ? Kind::kText : Kind::kNull),
        text_(text ? *text : std::string_view()) {}

  Kind kind() const { return kind_; }
  int64_t number() const { return number_; }
  std::string_view text() const { return text_; }

 private:
  Kind kind_;
  int64_t number_ = 0;
  std::string_view text_;
};

/// The rows of one statement, from before the first.
class Rows {
 public:
  virtual ~Rows() = default;
  virtual Result<bool> Next() = 0;
  virtual int64_t Number(int column) const = 0;  ///< 0 for NULL
  virtual std::optional<std::string> Text(int column) const = 0;
};

enum class TransactionKind {
  kRead,   ///< sees one moment
  kWrite,  ///< one writer of a job at a time
};

/// Where the tables of a state are: one connection. SQL is of the kind that every database here
/// understands: `load` is quoted, for it is a word of MySQL's. One thread at a time.
class Tables {
 public:
  virtual ~Tables() = default;
  /// $loads in the SQL is the table of loads. Values take the places of ?, or of ?1, ?2, ….
  virtual Result<std::unique_ptr<Rows>> Ask(std::string_view sql,
                                            std::initializer_list<Value> values) = 0;
  virtual Status Begin(TransactionKind kind) = 0;
  /// Durable once it returns OK.
  virtual Status Commit() = 0;
  virtual void Rollback() = 0;
  /// Behind a SELECT of a job's row: nobody else changes it until the transaction ends. "" where a
  /// transaction that writes keeps all others out.
  virtual std::string_view locking() const = 0;
  /// Somebody else made the same row first: what led to it is to be read again.
  virtual bool WasRaced(const Status&) const { return false; }
  /// SQL for milliseconds since 1970, by the database's clock.
  virtual const std::string& now_sql() const = 0;
};

/// A statement at work.
class Query {
 public:
  static Result<Query> Make(Tables& tables, std::string_view sql,
                            std::initializer_list<Value> values = {});
  /// true: a row is there.
  Result<bool> Next() { return rows_->Next(); }
  int64_t Number(int column) const { return rows_->Number(column); }
  std::string Text(int column) const { return rows_->Text(column).value_or(""); }
  std::optional<std::string> OptionalText(int column) const {
    return rows_->Text(column);
  }

 private:
  explicit Query(std::unique_ptr<Rows> rows) : rows_(std::move(rows)) {}
  std::unique_ptr<Rows> rows_;
};

/// Runs a statement whose rows do not matter.
Status Run(Tables& tables, std::string_view sql,
           std::initializer_list<Value> values = {});
/// The first column of the first row; nothing when there is no row.
Result<std::optional<int64_t>> FindNumber(Tables& tables, std::string_view sql,
                                          std::initializer_list<Value> values = {});
Result<std::optional<std::string>> FindText(Tables& tables, std::string_view sql,
                                            std::initializer_list<Value> values = {});

class Transaction {
 public:
  static Result<Transaction> Begin(Tables& tables, TransactionKind kind);
  Transaction(Transaction&& other) noexcept
      : tables_(std::exchange(other.tables_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  /// Durable once it returns OK.
  Status Commit();

 private:
  explicit Transaction(Tables* tables) : tables_(tables) {}
  Tables* tables_;
};

}  // namespace sluice::state
