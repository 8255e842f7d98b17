// A `where` is put into parentheses in every statement of a load, so it must not be able to close
// them, and it is evaluated again by every session and by every resumed run, so it must not change
// its mind. The scan below knows MySQL's tokens
// (https://dev.mysql.com/doc/refman/8.4/en/language-structure.html) just well enough for that; the
// server itself judges the rest.
#include "source/mysql_where.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "source/columns.h"
#include "source/query_text.h"

namespace sluice::mysql {
namespace {

constexpr auto kOfClock = std::to_array<std::string_view>(
    {"now", "sysdate", "curdate", "curtime", "current_date", "current_time",
     "current_timestamp", "localtime", "localtimestamp", "utc_date", "utc_time",
     "utc_timestamp", "unix_timestamp"});
/// Words of the clock that need no parentheses.
constexpr auto kBareClock = std::to_array<std::string_view>(
    {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp",
     "utc_date", "utc_time", "utc_timestamp"});
constexpr auto kOfChance = std::to_array<std::string_view>({"rand",
                                                            "random_bytes",
                                                            "uuid",
                                                            "uuid_short",
                                                            "sleep",
                                                            "benchmark",
                                                            "get_lock",
                                                            "release_lock",
                                                            "release_all_locks",
                                                            "is_free_lock",
                                                            "is_used_lock",
                                                            "load_file",
                                                            "last_insert_id",
                                                            "found_rows",
                                                            "row_count",
                                                            "connection_id",
                                                            "user",
                                                            "current_user",
                                                            "session_user",
                                                            "system_user",
                                                            "current_role",
                                                            "database",
                                                            "schema",
                                                            "version",
                                                            "nextval",
                                                            "lastval",
                                                            "setval",
                                                            "master_pos_wait",
                                                            "source_pos_wait",
                                                            "sys_guid"});

template <size_t N>
bool IsOneOf(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Status Refuse(std::string message, std::string hint = {}) {
  return Error(ErrorKind::kUsage, "source.where", "where: " + std::move(message),
               std::move(hint));
}

bool IsWordByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Words that a query has nowhere but in a function's name: all of them are reserved.
constexpr auto kWriting = std::to_array<std::string_view>(
    {"into", "insert", "update", "delete", "replace", "call", "lock", "procedure"});
constexpr auto kOpening =
    std::to_array<std::string_view>({"select", "with", "values", "table"});

enum class Wanted { kExpression, kQuery };

class Scanner {
 public:
  explicit Scanner(std::string_view text, Wanted wanted = Wanted::kExpression)
      : text_(text), wanted_(wanted) {}

  Status Scan() {
    while (at_ < text_.size()) ARROW_RETURN_NOT_OK(Next(text_[at_]));
    if (words_ == 0) return Refuse("wanted an expression, found nothing");
    return depth_ == 0 ? Status::OK() : Refuse("wanted a closing ), found the end");
  }

 private:
  Status Next(char c) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at_;
      return Status::OK();
    }
    ++words_;
    if (c == '\'' || c == '"' || c == '`') return Quoted(c);
    const std::string_view two = text_.substr(at_, 2);
    if (c == '#' || two == "--" || two == "/*")
      return Refuse("wanted an expression without comments",
                    two == "--" ? "write a - -b with a space between" : "");
    if (c == ';') return Refuse("wanted one expression, found a semicolon");
    if (c == '?' || c == '@' || two == ":=")
      return Refuse(fmt::format("wanted values in the expression, found a parameter or a "
                                "variable: {}",
                                text_.substr(at_, 16)),
                    "write the value itself");
    if (IsWordByte(c)) return Word();
    if (static_cast<unsigned char>(c) < 0x20) return Refuse("found a control character");
    if (c == '(') ++depth_;
    if (c == ')' && --depth_ < 0)
      return Refuse("wanted one expression, found a ) that closes nothing");
    ++at_;
    return Status::OK();
  }

  Status Quoted(char end) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\' && end != '`') {
        ++at_;
        continue;
      }
      if (text_[at_] != end) continue;
      if (++at_ == text_.size() || text_[at_] != end) return Status::OK();
    }
    return Refuse(fmt::format("wanted a closing {}, found the end", end));
  }

  Status Word() {
    const size_t start = at_;
    while (at_ < text_.size() && IsWordByte(text_[at_])) ++at_;
    std::string word(text_.substr(start, at_ - start));
    for (char& c : word)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (wanted_ == Wanted::kQuery && words_ == 1 && !IsOneOf(word, kOpening))
      return Refuse(fmt::format("wanted a query, found {}", word),
                    "begin with SELECT, WITH or VALUES");
    if (wanted_ == Wanted::kExpression && words_ == 1 &&
        (word == "select" || word == "with" || word == "where"))
      return Refuse(fmt::format("wanted an expression, found {}", word),
                    "give only what would stand behind WHERE");
    size_t behind = at_;
    while (behind < text_.size() &&
           std::isspace(static_cast<unsigned char>(text_[behind])) != 0)
      ++behind;
    const bool is_call = behind < text_.size() && text_[behind] == '(';
    const bool is_member = start > 0 && text_[start - 1] == '.';
    if (is_member) return Status::OK();
    const bool locks = word == "share" && last_word_ == "for";
    last_word_ = word;
    if (wanted_ == Wanted::kQuery && !is_call && (locks || IsOneOf(word, kWriting)))
      return Refuse(fmt::format("wanted a query that only reads, found {}", word),
                    "a column of that name is written in backticks");
    if ((is_call && IsOneOf(word, kOfClock)) || IsOneOf(word, kBareClock))
      return Refuse(
          fmt::format("wanted an expression that is the same at any time, found {}",
                      word),
          "write the date or time as a literal, such as '2024-01-31'");
    if ((is_call && IsOneOf(word, kOfChance)) || word == "current_user")
      return Refuse(
          fmt::format("wanted an expression that gives the same rows each time, "
                      "found {}",
                      word));
    return Status::OK();
  }

  std::string_view text_;
  Wanted wanted_;
  std::string last_word_;
  size_t at_ = 0;
  int64_t words_ = 0;
  int depth_ = 0;
};

}  // namespace

Status CheckWhereText(std::string_view where) {
  if (!IsUtf8(where)) return Refuse("wanted UTF-8, found other bytes");
  return Scanner(where).Scan();
}

Status CheckQueryText(std::string_view sql) {
  const Status scanned = Scanner(sql, Wanted::kQuery).Scan();
  if (scanned.ok() && !IsWordByte(sql.front()) && sql.front() != '(')
    return OfQuery(Refuse("wanted a query, found something else",
                          "begin with SELECT, WITH or VALUES"));
  return OfQuery(scanned);
}

Status CheckWhere(Connection& connection, const std::string& quoted_table,
                  std::string_view where) {
  ARROW_RETURN_NOT_OK(CheckWhereText(where));
  const Status checked =
      connection.Check(fmt::format("SELECT 1 FROM {} WHERE ({})", quoted_table, where));
  if (checked.ok() || KindOf(checked) != ErrorKind::kUsage) return checked;
  return Refuse(checked.message(), "try it in the mysql client behind WHERE");
}

}  // namespace sluice::mysql
