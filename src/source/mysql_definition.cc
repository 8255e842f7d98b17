#include "source/mysql_definition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>

#include "base/nearest.h"
#include "base/sha256.h"
#include "sql/ledger.h"

namespace sluice::mysql {
namespace {

/// A statement about more would be a long one.
constexpr size_t kTablesAskedMax = 1000;

std::string Text(const TextRow& row, size_t column) { return row[column].value_or(""); }

int64_t Number(const TextRow& row, size_t column) {
  const std::string text = Text(row, column);
  int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() ? number : 0;
}

/// `*` and `?` as LIKE has them, escaped with '|'.
std::string LikePattern(const std::string& glob) {
  std::string pattern;
  for (const char c : glob) {
    if (c == '%' || c == '_' || c == '|') pattern += '|';
    pattern += c == '*' ? '%' : c == '?' ? '_' : c;
  }
  return pattern;
}

/// One name is an equation: MariaDB looks at that table alone then, else at all of the schema.
std::string OfTables(const std::vector<TableName>& names) {
  std::string list;
  for (const TableName& name : names)
    list += fmt::format("{}{}", list.empty() ? "" : ",", TextLiteral(name.table));
  return fmt::format(" WHERE TABLE_SCHEMA = {} AND TABLE_NAME {}",
                     TextLiteral(names[0].schema),
                     names.size() == 1 ? "= " + list : "IN (" + list + ")");
}

Status NoSuchTable(Connection& connection, const TableName& name) {
  // A table that may not be read is not in the catalogue either; the server knows.
  const Status denied = connection.Check("SELECT 1 FROM " + QuoteName(name));
  if (IdOf(denied) == "source.missing-grant" || KindOf(denied) == ErrorKind::kTransient)
    return denied;
  std::vector<std::string> names;
  ARROW_ASSIGN_OR_RAISE(const auto tables, ListTables(connection, "*", /*views=*/true));
  names.reserve(tables.size());
  for (const TableName& table : tables) names.push_back(table.table);
  const std::string meant = DidYouMean(name.table, names);
  return Error(ErrorKind::kUsage, "source.no-such-table",
               fmt::format("wanted a table or view {}, found none", ToString(name)),
               meant.empty() ? "sluice discover lists the tables of a source" : meant);
}

bool SameIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) {
                      return std::tolower(x) == std::tolower(y);
                    });
}

/// Of a server on whose disk case does not matter, several may be found.
const TextRow* Exact(const std::vector<TextRow>& rows, const std::string& table) {
  const TextRow* similar = nullptr;
  int num_similar = 0;
  for (const TextRow& row : rows) {
    if (Text(row, 0) == table) return &row;
    if (!SameIgnoringCase(Text(row, 0), table)) continue;
    similar = &row;
    ++num_similar;
  }
  // A server that compares names otherwise than we do has found what was asked for.
  if (num_similar == 0 && rows.size() == 1) return rows.data();
  return num_similar == 1 ? similar : nullptr;
}

/// Definitions by their tables' names.
using ByTable = std::map<std::string, Definition*>;

Definition* Find(const ByTable& definitions, const std::string& table) {
  const auto found = definitions.find(table);
  return found == definitions.end() ? nullptr : found->second;
}

Status ReadColumns(Connection& connection, const std::vector<TableName>& names,
                   const ByTable& definitions) {
  const bool has_srid = connection.server().flavor == Flavor::kMySql &&
                        connection.server().number >= 80'000;
  ARROW_ASSIGN_OR_RAISE(
      const auto rows,
      connection.Query(fmt::format(
          "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, "
          "COLLATION_NAME, EXTRA, GENERATION_EXPRESSION, COLUMN_COMMENT, IS_NULLABLE, {}, "
          "TABLE_NAME FROM information_schema.COLUMNS{} ORDER BY TABLE_NAME, "
          "ORDINAL_POSITION",
          has_srid ? "SRS_ID" : "NULL", OfTables(names))));
  for (const TextRow& row : rows) {
    Definition* definition = Find(definitions, Text(row, 10));
    if (definition == nullptr) continue;
    ColumnDefinition column;
    column.name = Text(row, 0);
    column.declared = {Text(row, 1), Text(row, 2), Text(row, 3)};
    column.collation = Text(row, 4);
    column.extra = Text(row, 5);
    column.generation = Text(row, 6);
    column.comment = Text(row, 7);
    column.nullable = definition->is_view || Text(row, 8) != "NO";
    if (row[9]) column.srid = Number(row, 9);
    definition->columns.push_back(std::move(column));
  }
  return Status::OK();
}

/// May an integer of the column be beyond a signed one of 64 bits?
bool IsWide(const DeclaredType& declared) {
  const bool is_unsigned = declared.column_type.find("unsigned") != std::string::npos;
  return declared.data_type == "bit" || (declared.data_type == "bigint" && is_unsigned);
}

std::optional<KeyForm> FormOf(const ColumnDefinition& column) {
  const std::string& type = column.declared.data_type;
  const auto is = [&type](std::initializer_list<const char*> words) {
    return std::find(words.begin(), words.end(), type) != words.end();
  };
  if (is({"tinyint", "smallint", "mediumint", "int", "bigint", "bit"}))
    return KeyForm::kInteger;
  if (is({"year"})) return KeyForm::kYear;
  if (is({"decimal"})) return KeyForm::kDecimal;
  if (is({"date", "datetime", "timestamp", "time"})) return KeyForm::kTemporal;
  if (is({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}))
    return KeyForm::kBytes;
  if (is({"enum", "set"})) return KeyForm::kOrdinal;
  if (is({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "uuid",
          "inet4", "inet6"}))
    return KeyForm::kText;
  return std::
      nullopt;  // FLOAT and DOUBLE among them: no literal is sure to be the same value.
}

struct IndexPart {
  std::string column;
  bool nullable = false, has_prefix = false, descending = false, usable = true;
};

/// The reason why an index does not do; "" if it does.
std::string WhyNot(const Definition& definition, const std::string& index,
                   const std::vector<IndexPart>& parts, KeyDefinition* key) {
  key->index = index;
  for (const IndexPart& part : parts) {
    const auto column = std::find_if(
        definition.columns.begin(), definition.columns.end(),
        [&part](const ColumnDefinition& each) { return each.name == part.column; });
    if (!part.usable || column == definition.columns.end())
      return "it is invisible, hashed, or of an expression";
    if (part.nullable) return fmt::format("{} may be NULL", part.column);
    if (part.has_prefix) return fmt::format("it holds only a prefix of {}", part.column);
    if (part.descending != parts[0].descending)
      return "it mixes ascending and descending parts";
    const auto form = FormOf(*column);
    if (!form)
      return fmt::format("{} is of type {}", part.column, column->declared.data_type);
    const bool has_charset = !column->declared.charset.empty();
    key->columns.push_back({.name = part.column,
                            .form = *form,
                            .charset = has_charset ? column->declared.charset : "utf8mb4",
                            .collation = has_charset ? column->collation : "utf8mb4_bin",
                            .is_wide = IsWide(column->declared)});
  }
  return {};
}

/// The parts of each index, by its name.
using Indexes = std::map<std::string, std::vector<IndexPart>>;

/// The unique ones, by table.
Result<std::map<std::string, Indexes>> ReadIndexes(Connection& connection,
                                                   const std::vector<TableName>& names) {
  const ServerVersion& server = connection.server();
  const bool is_mysql8 = server.flavor == Flavor::kMySql && server.number >= 80'000;
  const bool has_ignored = server.flavor == Flavor::kMariaDb && server.number >= 100'600;
  ARROW_ASSIGN_OR_RAISE(
      const auto rows,
      connection.Query(fmt::format(
          "SELECT INDEX_NAME, COLUMN_NAME, NULLABLE, SUB_PART, COLLATION, INDEX_TYPE, {}, "
          "TABLE_NAME FROM information_schema.STATISTICS{} AND NON_UNIQUE = 0 "
          "ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
          is_mysql8     ? "IS_VISIBLE"
          : has_ignored ? "IF(IGNORED = 'YES', 'NO', 'YES')"
                        : "'YES'",
          OfTables(names))));
  std::map<std::string, Indexes> indexes;
  for (const TextRow& row : rows) {
    IndexPart part;
    part.column = Text(row, 1);
    part.nullable = Text(row, 2) == "YES";
    part.has_prefix = row[3].has_value();
    part.descending = Text(row, 4) == "D";
    part.usable = Text(row, 5) == "BTREE" && Text(row, 6) == "YES";
    indexes[Text(row, 7)][Text(row, 0)].push_back(std::move(part));
  }
  return indexes;
}

/// PRIMARY, else the unique index of the fewest columns, then by name.
void ChooseKey(const Indexes& indexes, Definition& definition) {
  for (const auto& [index, parts] : indexes) {
    KeyDefinition key;
    const std::string reason = WhyNot(definition, index, parts, &key);
    if (!reason.empty()) {
      definition.key_note +=
          fmt::format("{}unique key {} is not used: {}",
                      definition.key_note.empty() ? "" : "; ", index, reason);
      continue;
    }
    const bool is_better = !definition.key || index == "PRIMARY" ||
                           (definition.key->index != "PRIMARY" &&
                            key.columns.size() < definition.key->columns.size());
    if (is_better) definition.key = std::move(key);
  }
}

Definition DefinitionFrom(const TextRow& row, const std::string& schema) {
  Definition definition;
  definition.name = {schema, Text(row, 0)};
  definition.is_view = Text(row, 1) == "VIEW";
  definition.estimated_rows = Number(row, 2);
  definition.estimated_bytes = definition.estimated_rows * Number(row, 3);
  return definition;
}

/// `names` are of one schema, and few enough for one statement.
Status ReadSome(Connection& connection, const std::vector<TableName>& names,
                std::vector<Result<Definition>>* definitions) {
  ARROW_ASSIGN_OR_RAISE(
      const auto rows,
      connection.Query("SELECT TABLE_NAME, TABLE_TYPE, TABLE_ROWS, AVG_ROW_LENGTH "
                       "FROM information_schema.TABLES" +
                       OfTables(names)));
  std::vector<TableName> found;
  std::map<std::string, Definition> by_name;
  for (const TableName& name : names) {
    const TextRow* row = Exact(rows, name.table);
    if (row == nullptr || by_name.contains(Text(*row, 0))) continue;
    found.push_back({name.schema, Text(*row, 0)});
    by_name.emplace(found.back().table, DefinitionFrom(*row, name.schema));
  }
  if (!found.empty()) {
    ByTable places;
    for (auto& [table, definition] : by_name) places.emplace(table, &definition);
    ARROW_RETURN_NOT_OK(ReadColumns(connection, found, places));
    ARROW_ASSIGN_OR_RAISE(const auto indexes, ReadIndexes(connection, found));
    for (const auto& [table, of_table] : indexes) {
      Definition* definition = Find(places, table);
      if (definition != nullptr && !definition->is_view) ChooseKey(of_table, *definition);
    }
  }
  for (const TableName& name : names) {
    const TextRow* row = Exact(rows, name.table);
    if (row == nullptr) {
      definitions->push_back(NoSuchTable(connection, name));
    } else {
      definitions->push_back(by_name.at(Text(*row, 0)));
    }
  }
  return Status::OK();
}

}  // namespace

// What sluice itself remembers there is no table of the user's: it changes while it is read.
Result<std::vector<TableName>> ListTables(Connection& connection, const std::string& glob,
                                          bool views) {
  const std::string schema = connection.options().database;
  ARROW_ASSIGN_OR_RAISE(
      const auto rows,
      connection.Query(fmt::format(
          "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} "
          "AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED'{}) "
          "AND CONVERT(TABLE_NAME USING utf8mb4) COLLATE utf8mb4_bin LIKE {} ESCAPE '|' "
          "AND LEFT(TABLE_NAME, {}) <> '{}' ORDER BY TABLE_NAME",
          TextLiteral(schema), views ? ", 'VIEW'" : "", TextLiteral(LikePattern(glob)),
          ledger::kPrefix.size(), ledger::kPrefix)));
  std::vector<TableName> names;
  names.reserve(rows.size());
  for (const TextRow& row : rows) names.push_back({schema, Text(row, 0)});
  return names;
}

Result<Definition> ReadDefinition(Connection& connection, const TableName& name) {
  ARROW_ASSIGN_OR_RAISE(auto definitions, ReadDefinitions(connection, {name}));
  return std::move(definitions[0]);
}

Result<std::vector<Result<Definition>>> ReadDefinitions(
    Connection& connection, const std::vector<TableName>& names) {
  std::vector<Result<Definition>> definitions;
  definitions.reserve(names.size());
  std::vector<TableName> some;
  for (const TableName& name : names) {
    const std::string& schema =
        name.schema.empty() ? connection.options().database : name.schema;
    if (some.size() == kTablesAskedMax || (!some.empty() && some[0].schema != schema)) {
      ARROW_RETURN_NOT_OK(ReadSome(connection, some, &definitions));
      some.clear();
    }
    some.push_back({schema, name.table});
  }
  if (!some.empty()) ARROW_RETURN_NOT_OK(ReadSome(connection, some, &definitions));
  return definitions;
}

std::string FingerprintOf(const Definition& definition) {
  // Each part with its length before it: no two definitions have one text.
  std::string text;
  const auto add = [&text](const std::string& part) {
    text += fmt::format("{}:{}", part.size(), part);
  };
  add(definition.name.schema);
  add(definition.name.table);
  add(definition.is_view ? "view" : "table");
  if (!definition.query.empty()) add(definition.query);
  for (const ColumnDefinition& column : definition.columns) {
    for (const std::string& part :
         {column.name, column.declared.column_type, column.declared.charset,
          column.collation, column.extra, column.generation})
      add(part);
    add(column.nullable ? "null" : "not null");
    add(column.srid ? std::to_string(*column.srid) : "");
  }
  if (definition.key) {
    add(definition.key->index);
    for (const KeyColumn& column : definition.key->columns) add(column.name);
  }
  return Sha256Hex(text);
}

}  // namespace sluice::mysql
