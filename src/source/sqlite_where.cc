// A `where` is put into parentheses in every statement of a load, so it must not be able to close
// them, and it is evaluated again by every session and by every resumed run, so it must not change
// its mind. The scan below knows SQLite's tokens (https://sqlite.org/lang_keywords.html and
// tokenize.c) just well enough for that; SQLite itself judges the rest.
#include "source/sqlite_where.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <vector>

#include "source/columns.h"
#include "source/query_text.h"

namespace sluice::sqlite {
namespace {

enum class TokenKind { kWord, kQuotedName, kString, kSymbol };

struct Token {
  TokenKind kind;
  std::string text;  ///< words in lower case; quotes removed
};

Status Refuse(std::string message, std::string hint = {}) {
  return Error(ErrorKind::kUsage, "source.where", "where: " + std::move(message),
               std::move(hint));
}

bool IsWordByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> Scan() {
    std::vector<Token> tokens;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (std::isspace(static_cast<unsigned char>(c)) != 0) {
        ++at_;
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(Token token, Next(c));
      tokens.push_back(std::move(token));
    }
    return tokens;
  }

 private:
  Result<Token> Next(char c) {
    if (c == '\'') return Quoted('\'', TokenKind::kString);
    if (c == '"' || c == '`') return Quoted(c, TokenKind::kQuotedName);
    if (c == '[') return Quoted(']', TokenKind::kQuotedName);
    const std::string_view two = text_.substr(at_, 2);
    if (two == "--" || two == "/*")
      return Refuse("wanted an expression without comments");
    if (c == ';') return Refuse("wanted one expression, found a semicolon");
    if (c == '?' || c == ':' || c == '@' || c == '$' || c == '#')
      return Refuse(fmt::format("wanted values in the expression, found a parameter: {}",
                                text_.substr(at_, 16)),
                    "write the value itself");
    if (IsWordByte(c)) return Word();
    if (static_cast<unsigned char>(c) < 0x20) return Refuse("found a control character");
    ++at_;
    return Token{TokenKind::kSymbol, std::string(1, c)};
  }

  Result<Token> Quoted(char end, TokenKind kind) {
    Token token{kind, {}};
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != end) {
        token.text += text_[at_];
        continue;
      }
      const bool is_doubled =
          end != ']' && at_ + 1 < text_.size() && text_[at_ + 1] == end;
      if (!is_doubled) {
        ++at_;
        return token;
      }
      token.text += text_[at_++];
    }
    return Refuse(fmt::format("wanted a closing {}, found the end", end));
  }

  Token Word() {
    const size_t start = at_;
    while (at_ < text_.size() && IsWordByte(text_[at_])) ++at_;
    return {TokenKind::kWord, LowerCase(text_.substr(start, at_ - start))};
  }

  std::string_view text_;
  size_t at_ = 0;
};

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool IsSymbol(const Token& token, char symbol) {
  return token.kind == TokenKind::kSymbol && token.text[0] == symbol;
}

Status CheckBalance(const std::vector<Token>& tokens) {
  int depth = 0;
  for (const Token& token : tokens) {
    if (IsSymbol(token, '(')) ++depth;
    if (IsSymbol(token, ')')) --depth;
    if (depth < 0) return Refuse("wanted one expression, found a ) that closes nothing");
  }
  return depth == 0 ? Status::OK() : Refuse("wanted a closing ), found the end");
}

Status RefuseClock(const std::string& what) {
  return Refuse(
      fmt::format("wanted an expression that is the same at any time, found {}", what),
      "write the date or time as a literal, such as '2024-01-31'");
}

bool IsDateFunction(std::string_view name) {
  return IsOneOf(name, {"date", "time", "datetime", "julianday", "unixepoch", "strftime",
                        "timediff"});
}

/// How many arguments of a date function leave out its time value, which then is now.
int ArgumentsOfNow(std::string_view name) { return name == "strftime" ? 1 : 0; }

/// `open` is the parenthesis of a call to a date function: does it mean the present time?
Status CheckDateCall(const std::vector<Token>& tokens, const std::string& name,
                     size_t open) {
  int depth = 0, arguments = IsSymbol(tokens[open + 1], ')') ? 0 : 1;
  for (size_t i = open; i < tokens.size(); ++i) {
    if (IsSymbol(tokens[i], '(')) ++depth;
    if (IsSymbol(tokens[i], ')') && --depth == 0) break;
    if (depth == 1 && IsSymbol(tokens[i], ',')) ++arguments;
    if (tokens[i].kind != TokenKind::kString) continue;
    const std::string text = LowerCase(tokens[i].text);
    if (text == "now") return RefuseClock(name + "('now')");
    if (IsOneOf(text, {"localtime", "utc"}))
      return Refuse(fmt::format("wanted an expression that is the same on any machine, "
                                "found {}(…, '{}')",
                                name, text),
                    "write the offset as a modifier, such as '+02:00'");
    // 'no' || 'w' is the present time as well.
    if (i > open + 3 && IsSymbol(tokens[i - 1], '|') &&
        tokens[i - 3].kind == TokenKind::kString)
      return RefuseClock(fmt::format("a text put together in {}()", name));
  }
  if (arguments <= ArgumentsOfNow(name)) return RefuseClock(name + "() of now");
  return Status::OK();
}

Status CheckCalls(const std::vector<Token>& tokens) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (token.kind == TokenKind::kWord &&
        IsOneOf(token.text, {"current_timestamp", "current_date", "current_time"}))
      return RefuseClock(token.text);
    const bool is_name =
        token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedName;
    if (!is_name || i + 1 == tokens.size() || !IsSymbol(tokens[i + 1], '(')) continue;
    const std::string name = LowerCase(token.text);
    if (IsOneOf(name, {"random", "randomblob", "changes", "total_changes",
                       "last_insert_rowid"}))
      return Refuse(
          fmt::format("wanted an expression that gives the same rows each time, found "
                      "{}()",
                      name));
    if (IsDateFunction(name)) ARROW_RETURN_NOT_OK(CheckDateCall(tokens, name, i + 1));
  }
  return Status::OK();
}

}  // namespace

Status CheckWhereText(std::string_view where) {
  if (!IsUtf8(where)) return Refuse("wanted UTF-8, found other bytes");
  ARROW_ASSIGN_OR_RAISE(const std::vector<Token> tokens, Scanner(where).Scan());
  if (tokens.empty()) return Refuse("wanted an expression, found nothing");
  if (tokens[0].kind == TokenKind::kWord &&
      IsOneOf(tokens[0].text, {"select", "values", "with", "where"}))
    return Refuse(fmt::format("wanted an expression, found {}", tokens[0].text),
                  "give only what would stand behind WHERE");
  ARROW_RETURN_NOT_OK(CheckBalance(tokens));
  return CheckCalls(tokens);
}

Status CheckQueryText(std::string_view sql) {
  const auto tokens = Scanner(sql).Scan();
  ARROW_RETURN_NOT_OK(OfQuery(tokens.status()));
  const bool is_query = !tokens->empty() && (*tokens)[0].kind == TokenKind::kWord &&
                        IsOneOf((*tokens)[0].text, {"select", "values", "with"});
  if (!is_query)
    return OfQuery(Refuse(
        "wanted a query, found something else: " +
            std::string(sql.substr(0, sql.find_first_of(" \t\r\n(")).substr(0, 32)),
        "begin with SELECT, WITH or VALUES"));
  ARROW_RETURN_NOT_OK(OfQuery(CheckBalance(*tokens)));
  return OfQuery(CheckCalls(*tokens));
}

Status CheckWhere(Database& database, const std::string& quoted_table,
                  std::string_view where) {
  ARROW_RETURN_NOT_OK(CheckWhereText(where));
  const Result<Statement> prepared =
      database.Prepare(fmt::format("SELECT 1 FROM {} WHERE ({})", quoted_table, where));
  if (prepared.ok() || KindOf(prepared.status()) != ErrorKind::kUsage)
    return prepared.status();
  return Refuse(prepared.status().message(), "try it in the sqlite3 shell behind WHERE");
}

}  // namespace sluice::sqlite
