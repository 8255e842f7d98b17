// A query is read as it stands where nothing has to be done to its columns. Else it becomes a derived
// table: text of other character sets is converted and checked by the statement around it, large values
// are guarded, the error value of an ENUM is told from ''. The server may build a derived table before
// its first row, which is why it is not made without need.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "source/mysql_definition.h"
#include "source/mysql_where.h"
#include "source/query_text.h"

namespace sluice::mysql {
namespace {

bool IsText(const std::string& type) {
  return type == "char" || type == "varchar" || type.ends_with("text") ||
         type == "enum" || type == "set";
}

bool IsPlainCharset(std::string_view charset) {
  return charset.starts_with("utf8") || charset == "ascii";
}

/// Character sets by the numbers of their collations.
Result<std::map<int, std::string>> CharsetsOf(Connection& connection,
                                              const std::vector<ResultColumn>& columns) {
  std::set<int> numbers;
  for (const ResultColumn& column : columns)
    if (IsText(column.data_type)) numbers.insert(column.collation);
  std::map<int, std::string> charsets;
  if (numbers.empty()) return charsets;
  // MariaDB's newer collations have their numbers in the other view.
  const bool is_mariadb = connection.server().flavor == Flavor::kMariaDb &&
                          connection.server().number >= 101'000;
  ARROW_ASSIGN_OR_RAISE(
      const auto rows,
      connection.Query(fmt::format(
          "SELECT ID, CHARACTER_SET_NAME FROM information_schema.{} WHERE ID IN ({})",
          is_mariadb ? "COLLATION_CHARACTER_SET_APPLICABILITY" : "COLLATIONS",
          fmt::join(numbers, ","))));
  for (const TextRow& row : rows) {
    const std::string text = row[0].value_or("");
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    charsets[number] = row[1].value_or("");
  }
  return charsets;
}

bool NeedsMore(const ColumnDefinition& column) {
  const std::string& type = column.declared.data_type;
  const bool is_large = type.starts_with("medium") || type.starts_with("long");
  return (is_large && type != "mediumint") || type == "json" || type == "enum" ||
         type == "set" || type == "geometry" || type == "vector" || type == "bit" ||
         type == "tinyint" ||
         (!column.declared.charset.empty() && !IsPlainCharset(column.declared.charset));
}

Result<std::vector<ColumnDefinition>> ColumnsFrom(Connection& connection,
                                                  const std::string& sql) {
  const auto columns = connection.ColumnsOf(sql);
  ARROW_RETURN_NOT_OK(OfQuery(columns.status()));
  ARROW_ASSIGN_OR_RAISE(const auto charsets, CharsetsOf(connection, *columns));
  std::vector<ColumnDefinition> definitions;
  for (const ResultColumn& column : *columns) {
    if (column.data_type == "null" || column.data_type.empty())
      return OfQuery(
          Error(ErrorKind::kUsage, "source.query",
                fmt::format("column {} has no type", column.name),
                fmt::format("give it one: CAST(… AS CHAR) AS {}", column.name)));
    ColumnDefinition& definition = definitions.emplace_back();
    definition.name = column.name;
    definition.declared.data_type = column.data_type;
    definition.declared.column_type = column.column_type;
    if (!IsText(column.data_type)) continue;
    const auto charset = charsets.find(column.collation);
    if (charset == charsets.end())
      return Error(
          ErrorKind::kFailed, "source.unsupported-type",
          fmt::format("column {}: collation {} is not known to the server's "
                      "catalogue",
                      column.name, column.collation),
          fmt::format("convert it: CONVERT({0} USING utf8mb4) AS {0}", column.name));
    definition.declared.charset = charset->second;
  }
  return definitions;
}

std::vector<std::string> NamesOf(const std::vector<ColumnDefinition>& columns) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const ColumnDefinition& column : columns) names.push_back(column.name);
  return names;
}

}  // namespace

std::string DerivedTable(const std::string& query) {
  return fmt::format(" FROM ({}) AS `q`", query);
}

Result<Definition> ReadQuery(Connection& connection, const Relation& relation) {
  ARROW_RETURN_NOT_OK(CheckQueryAlone(relation));
  Definition definition;
  definition.name = relation.name;
  if (definition.name.schema.empty())
    definition.name.schema = connection.options().database;
  definition.is_view = true;
  ARROW_ASSIGN_OR_RAISE(definition.query, BareQuery(relation.sql, Dialect::kMysql));
  ARROW_RETURN_NOT_OK(CheckQueryText(definition.query));
  ARROW_ASSIGN_OR_RAISE(definition.columns, ColumnsFrom(connection, definition.query));
  ARROW_RETURN_NOT_OK(CheckColumnNames(NamesOf(definition.columns)));
  definition.is_wrapped =
      std::any_of(definition.columns.begin(), definition.columns.end(), NeedsMore);
  if (!definition.is_wrapped) return definition;
  ARROW_ASSIGN_OR_RAISE(
      definition.columns,
      ColumnsFrom(connection, "SELECT *" + DerivedTable(definition.query)));
  return definition;
}

}  // namespace sluice::mysql
