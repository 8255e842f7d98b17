#include "source/query_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "source/columns.h"

namespace sluice {
namespace {

Status Refuse(std::string message, std::string hint = {}) {
  return Error(ErrorKind::kUsage, "source.query", "sql: " + std::move(message),
               std::move(hint));
}

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

/// Copies a text, a space in the place of each comment.
class Stripper {
 public:
  Stripper(std::string_view text, Dialect dialect)
      : text_(text), is_mysql_(dialect == Dialect::kMysql) {}

  Result<std::string> Strip() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool opens_name = c == '`' || (c == '[' && !is_mysql_);
      if (c == '\'' || c == '"' || opens_name) {
        CopyQuoted(c == '[' ? ']' : c);
      } else if (BeginsLineComment()) {
        at_ = std::min(text_.find('\n', at_), text_.size());
        out_ += ' ';
      } else if (text_.substr(at_, 2) == "/*") {
        ARROW_RETURN_NOT_OK(SkipBlock());
      } else {
        out_ += c;
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  /// Without its end the quote reaches to the text's, and whoever parses it says so.
  void CopyQuoted(char end) {
    out_ += text_[at_++];
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      out_ += c;
      if (c == '\\' && is_mysql_ && end != '`' && at_ < text_.size())
        out_ += text_[at_++];
      // A doubled quote is copied as two texts side by side.
      if (c == end) return;
    }
  }

  bool BeginsLineComment() const {
    if (text_[at_] == '#') return is_mysql_;
    if (text_.substr(at_, 2) != "--") return false;
    return !is_mysql_ || at_ + 2 == text_.size() || IsSpace(text_[at_ + 2]);
  }

  Status SkipBlock() {
    const std::string_view rest = text_.substr(at_);
    if (is_mysql_ && (rest.starts_with("/*!") || rest.starts_with("/*M!")))
      return Refuse("wanted a query, found a comment that the server would execute",
                    "write what is in it without the comment");
    const size_t end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos)
      return Refuse("wanted the end of a comment, found the end of the text");
    at_ = end + 2;
    out_ += ' ';
    return Status::OK();
  }

  std::string_view text_;
  bool is_mysql_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

Result<std::string> BareQuery(std::string_view sql, Dialect dialect) {
  if (!IsUtf8(sql)) return Refuse("wanted UTF-8, found other bytes");
  ARROW_ASSIGN_OR_RAISE(std::string text, Stripper(sql, dialect).Strip());
  while (!text.empty() && IsSpace(text.back())) text.pop_back();
  if (text.ends_with(';')) text.pop_back();
  while (!text.empty() && IsSpace(text.back())) text.pop_back();
  const auto first = std::find_if_not(text.begin(), text.end(), IsSpace);
  text.erase(text.begin(), first);
  if (text.empty()) return Refuse("wanted a query, found nothing");
  return text;
}

Status CheckColumnNames(const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (name.empty())
      return Refuse(fmt::format("column {} of the result has no name", seen.size() + 1),
                    "name it: SELECT expression AS name");
    std::string lower = name;
    for (char& c : lower)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!seen.insert(lower).second)
      return Refuse(fmt::format("wanted each column once, found {} twice", name),
                    "give one of them another name: SELECT expression AS name");
  }
  if (!names.empty()) return Status::OK();
  return Refuse("wanted a query with rows, found a statement without",
                "only SELECT, WITH and VALUES have rows");
}

Status CheckQueryAlone(const Relation& relation) {
  if (relation.columns.empty() && relation.where.empty()) return Status::OK();
  return Refuse("wanted a query alone, found columns or a condition beside it",
                "say them in the query");
}

Status OfQuery(const Status& status) {
  if (status.ok() || KindOf(status) != ErrorKind::kUsage) return status;
  std::string_view message = status.message();
  constexpr std::string_view kWhere = "where: ";
  if (message.starts_with(kWhere)) message.remove_prefix(kWhere.size());
  return Refuse(std::string(message), std::string(HintOf(status)));
}

}  // namespace sluice
