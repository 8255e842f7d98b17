// The forms were found by running, and are part of the digest's version. NULL is asked for by IF, never
// by an IFNULL around a CONCAT: an oversize CONCAT is NULL too, and must be seen as a row that was not
// hashed. CONV answers a string whose sum would be a DOUBLE, hence CAST. The derived table has a LIMIT so
// that it is materialized: merged, h would be computed twice. POINT(c, 0) keeps every bit of a double
// where any text form cuts some.
#include "sql/mysql_digest.h"

#include <fmt/format.h>

#include <charconv>

#include "sluice/version.h"
#include "sql/canonical.h"

namespace sluice::mysql {
namespace {

/// The canonical bytes, a binary string.
std::string Canonical(const CanonicalColumn& column) {
  const std::string& c = column.expression;
  switch (column.form) {
    case CanonicalForm::kNumber:
    // Without ZEROFILL's zeros.
    case CanonicalForm::kDecimal: return fmt::format("CAST({}+0 AS BINARY)", c);
    case CanonicalForm::kDate: return fmt::format("CAST({} AS BINARY)", c);
    case CanonicalForm::kDouble:
      return fmt::format("SUBSTR(ST_AsBinary(POINT({},0)),6,8)", c);
    case CanonicalForm::kTimestamp:
      return fmt::format("CAST(CAST({} AS DATETIME(6)) AS BINARY)", c);
    case CanonicalForm::kText: return fmt::format("CAST({} AS BINARY)", c);
  }
  return c;
}

std::string Field(const CanonicalColumn& column) {
  const std::string bytes = Canonical(column);
  const std::string inline_form = fmt::format("CONCAT(LENGTH({0}),':',{0})", bytes);
  if (column.form != CanonicalForm::kText)
    return fmt::format("IF({} IS NULL,'~',{})", column.expression, inline_form);
  return fmt::format(
      "IF({0} IS NULL,'~',IF(LENGTH({1})>{2},CONCAT('#',SHA2({1},256)),{3}))",
      column.expression, bytes, kDigestInlineMax, inline_form);
}

bool ReadSum(const std::string& text, Sum128* sum) {
  unsigned __int128 value = 0;
  if (text.empty() || text.size() > 38) return false;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  *sum = {static_cast<uint64_t>(value >> 64), static_cast<uint64_t>(value)};
  return true;
}

bool ReadCount(const std::string& text, int64_t* count) {
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, *count);
  return read.ec == std::errc() && read.ptr == end;
}

}  // namespace

std::string SelectDigest(const std::vector<CanonicalColumn>& columns,
                         const std::string& from) {
  std::string fields;
  for (const CanonicalColumn& column : columns)
    fields += (fields.empty() ? "" : ",") + Field(column);
  return fmt::format(
      "SELECT COUNT(*),COUNT(h),"
      "COALESCE(SUM(CAST(CONV(LEFT(h,16),16,10) AS UNSIGNED)),0),"
      "COALESCE(SUM(CAST(CONV(SUBSTR(h,17,16),16,10) AS UNSIGNED)),0) "
      "FROM (SELECT SHA2(CONCAT({}),256) AS h{} LIMIT 18446744073709551615) AS d",
      fields, from);
}

Result<Digest> DigestFrom(const std::vector<std::optional<std::string>>& row) {
  Digest digest;
  digest.kind = DigestKind::kServer;
  digest.version = kDigestVersion;
  const bool is_read = row.size() == 4 && ReadCount(row[0].value_or(""), &digest.rows) &&
                       ReadCount(row[1].value_or(""), &digest.hashed) &&
                       ReadSum(row[2].value_or(""), &digest.high) &&
                       ReadSum(row[3].value_or(""), &digest.low);
  if (is_read) return digest;
  return Error(ErrorKind::kFailed, "digest.sum",
               "wanted two counts and two sums of the server, found something else");
}

}  // namespace sluice::mysql
