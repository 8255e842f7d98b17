#include "source/sqlite_definition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <tuple>

#include "base/nearest.h"
#include "base/sha256.h"
#include "source/columns.h"
#include "source/sqlite_types.h"

namespace sluice::sqlite {
namespace {

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) {
                      return std::tolower(x) == std::tolower(y);
                    });
}

Result<std::vector<std::string>> TablesAndViews(Database& database) {
  ARROW_ASSIGN_OR_RAISE(Statement rows,
                        database.Prepare("SELECT name FROM main.sqlite_schema "
                                         "WHERE type IN ('table', 'view')"));
  std::vector<std::string> names;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Step());
    if (!has_row) return names;
    names.emplace_back(rows.ColumnText(0));
  }
}

Status NoSuchTable(const TableName& name, const std::vector<std::string>& tables) {
  return Error(
      ErrorKind::kUsage, "source.no-such-table",
      fmt::format("wanted a table or view, found none of the name {}", ToString(name)),
      DidYouMean(name.table, tables));
}

Status ReadSchemaRow(Database& database, Definition& definition) {
  ARROW_ASSIGN_OR_RAISE(
      Statement row,
      database.Prepare("SELECT sql, type FROM main.sqlite_schema WHERE name = ? "
                       "AND type IN ('table', 'view')"));
  ARROW_RETURN_NOT_OK(row.BindText(0, definition.table));
  ARROW_ASSIGN_OR_RAISE(const bool has_row, row.Step());
  if (!has_row) return NoSuchTable({"main", definition.table}, {});
  definition.sql = row.ColumnText(0);
  if (row.ColumnText(1) == "view") definition.kind = TableKind::kView;

  ARROW_ASSIGN_OR_RAISE(
      Statement list,
      database.Prepare("SELECT type, wr, strict FROM pragma_table_list(?) "
                       "WHERE schema = 'main'"));
  ARROW_RETURN_NOT_OK(list.BindText(0, definition.table));
  ARROW_ASSIGN_OR_RAISE(const bool is_listed, list.Step());
  if (!is_listed) return Status::OK();
  if (list.ColumnText(0) == "virtual") definition.kind = TableKind::kVirtual;
  definition.without_rowid = list.ColumnInt64(1) != 0;
  definition.strict = list.ColumnInt64(2) != 0;
  return Status::OK();
}

Status ReadColumns(Database& database, Definition& definition) {
  ARROW_ASSIGN_OR_RAISE(
      Statement rows,
      database.Prepare("SELECT name, type, \"notnull\", pk, hidden "
                       "FROM pragma_table_xinfo(?, 'main') ORDER BY cid"));
  ARROW_RETURN_NOT_OK(rows.BindText(0, definition.table));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Step());
    if (!has_row) return Status::OK();
    constexpr int kHiddenOfVirtualTable = 1;
    if (rows.ColumnInt64(4) == kHiddenOfVirtualTable) continue;
    ColumnDefinition column;
    column.name = rows.ColumnText(0);
    column.declared = rows.ColumnText(1);
    column.not_null = rows.ColumnInt64(2) != 0;
    column.primary_key = static_cast<int>(rows.ColumnInt64(3));
    if (definition.kind == TableKind::kTable)
      column.collation = database.ColumnCollation(definition.table, column.name);
    if (!IsUtf8(column.name))
      return Error(ErrorKind::kUsage, "source.column-name",
                   "a column's name is not UTF-8, so that no file could hold it",
                   "rename it with ALTER TABLE … RENAME COLUMN, or read through a view");
    definition.columns.push_back(std::move(column));
  }
}

const ColumnDefinition* FindColumn(const Definition& definition, std::string_view name) {
  for (const ColumnDefinition& column : definition.columns)
    if (column.name == name) return &column;
  return nullptr;
}

std::string VisibleRowid(const Definition& definition) {
  if (definition.kind != TableKind::kTable || definition.without_rowid) return {};
  for (const char* name : {"rowid", "_rowid_", "oid"}) {
    const bool is_hidden = std::any_of(
        definition.columns.begin(), definition.columns.end(),
        [&](const auto& column) { return EqualsIgnoringCase(column.name, name); });
    if (!is_hidden) return name;
  }
  return {};
}

struct Index {
  std::string name, origin;
};

Result<std::vector<Index>> UniqueIndexes(Database& database, const std::string& table) {
  ARROW_ASSIGN_OR_RAISE(
      Statement rows,
      database.Prepare("SELECT name, origin FROM pragma_index_list(?, 'main') "
                       "WHERE \"unique\" AND NOT partial"));
  ARROW_RETURN_NOT_OK(rows.BindText(0, table));
  std::vector<Index> indexes;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Step());
    if (!has_row) return indexes;
    indexes.push_back({std::string(rows.ColumnText(0)), std::string(rows.ColumnText(1))});
  }
}

/// The index as a key, unless some part of it forbids that.
Result<std::optional<KeyDefinition>> AsKey(Database& database,
                                           const Definition& definition,
                                           const std::string& index) {
  ARROW_ASSIGN_OR_RAISE(Statement rows,
                        database.Prepare("SELECT name, \"desc\", coll "
                                         "FROM pragma_index_xinfo(?, 'main') WHERE key "
                                         "ORDER BY seqno"));
  ARROW_RETURN_NOT_OK(rows.BindText(0, index));
  KeyDefinition key{.columns = {}, .collations = {}, .index = index};
  std::optional<bool> is_descending;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, rows.Step());
    if (!has_row) break;
    if (rows.ColumnType(0) != Type::kText)
      return std::nullopt;  // An expression, or the rowid.
    const ColumnDefinition* column = FindColumn(definition, rows.ColumnText(0));
    const std::string collation(rows.ColumnText(2));
    // A collation of the application is not here to compare with.
    const bool is_known = EqualsIgnoringCase(collation, "BINARY") ||
                          EqualsIgnoringCase(collation, "NOCASE") ||
                          EqualsIgnoringCase(collation, "RTRIM");
    if (column == nullptr || !column->not_null || HasRealAffinity(column->declared) ||
        !is_known)
      return std::nullopt;
    // Read in one direction, an index of mixed directions is in nobody's order.
    const bool descends = rows.ColumnInt64(1) != 0;
    if (is_descending.value_or(descends) != descends) return std::nullopt;
    is_descending = descends;
    key.columns.push_back(column->name);
    key.collations.push_back(collation);
  }
  return key.columns.empty() ? std::nullopt : std::optional(key);
}

Result<bool> StoresUtf8(Database& database) {
  ARROW_ASSIGN_OR_RAISE(Statement row, database.Prepare("PRAGMA encoding"));
  ARROW_RETURN_NOT_OK(row.Step());
  return row.ColumnText(0) == "UTF-8";
}

/// The only column of the PRIMARY KEY, if it is a name of the rowid: INTEGER, spelled so, and no
/// index of its own (`INTEGER PRIMARY KEY DESC` has one, by an old accident of SQLite).
const ColumnDefinition* RowidAlias(const Definition& definition,
                                   const std::vector<Index>& indexes) {
  if (definition.without_rowid) return nullptr;
  const ColumnDefinition* alias = nullptr;
  for (const ColumnDefinition& column : definition.columns) {
    if (column.primary_key == 0) continue;
    if (alias != nullptr || !EqualsIgnoringCase(column.declared, "INTEGER"))
      return nullptr;
    alias = &column;
  }
  const bool has_index =
      std::any_of(indexes.begin(), indexes.end(),
                  [](const Index& index) { return index.origin == "pk"; });
  return has_index ? nullptr : alias;
}

Status ChooseKey(Database& database, Definition& definition) {
  if (definition.kind != TableKind::kTable) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto indexes, UniqueIndexes(database, definition.table));
  if (const ColumnDefinition* alias = RowidAlias(definition, indexes)) {
    definition.key = KeyDefinition{{alias->name}, {"BINARY"}, ""};
    return Status::OK();
  }
  // Text of UTF-16 databases is converted on its way out and in, and comes back changed where it
  // was not well-formed: such a bound would lie elsewhere than the row it came from.
  ARROW_ASSIGN_OR_RAISE(const bool stores_utf8, StoresUtf8(database));
  if (!stores_utf8) return Status::OK();
  std::optional<std::tuple<bool, size_t, std::string>> best;
  for (const Index& index : indexes) {
    ARROW_ASSIGN_OR_RAISE(auto key, AsKey(database, definition, index.name));
    if (!key) continue;
    const auto rank =
        std::make_tuple(index.origin != "pk", key->columns.size(), index.name);
    if (best && *best <= rank) continue;
    best = rank;
    definition.key = std::move(key);
  }
  return Status::OK();
}

}  // namespace

std::string Quote(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

Result<std::string> ResolveTable(Database& database, const TableName& name) {
  if (!name.schema.empty() && !EqualsIgnoringCase(name.schema, "main"))
    return Error(
        ErrorKind::kUsage, "source.no-such-table",
        fmt::format("wanted a table of the schema main, the only one of a SQLite file, "
                    "found {}",
                    ToString(name)),
        "attached databases are read one by one, each as a source of its own");
  ARROW_ASSIGN_OR_RAISE(const auto tables, TablesAndViews(database));
  // SQLite itself never has two names that differ in case only.
  for (const std::string& table : tables)
    if (EqualsIgnoringCase(table, name.table)) return table;
  return NoSuchTable({"main", name.table}, tables);
}

Result<Definition> ReadDefinition(Database& database, const std::string& table) {
  if (!IsUtf8(table))
    return Error(ErrorKind::kUsage, "source.table-name",
                 fmt::format("the name of table {} is not UTF-8", table),
                 "rename it with ALTER TABLE … RENAME TO, or read it through a view");
  Definition definition;
  definition.table = table;
  ARROW_RETURN_NOT_OK(ReadSchemaRow(database, definition));
  if (definition.kind != TableKind::kTable) {
    // A view over a table that is gone, a module that is not here.
    const auto readable =
        database.Prepare("SELECT * FROM main." + Quote(table) + " LIMIT 0");
    ARROW_RETURN_NOT_OK(InContext(readable.status(), ToString(TableName{"main", table})));
  }
  ARROW_RETURN_NOT_OK(ReadColumns(database, definition));
  definition.rowid = VisibleRowid(definition);
  ARROW_RETURN_NOT_OK(ChooseKey(database, definition));
  return definition;
}

std::string FingerprintOf(const Definition& definition) {
  std::string all;
  const auto add = [&](std::string_view part) {
    all += fmt::format("{}:{};", part.size(), part);
  };
  add(definition.table);
  add(definition.sql);
  for (const ColumnDefinition& column : definition.columns) {
    add(column.name);
    add(column.declared);
    add(column.collation);
    add(column.not_null ? "NOT NULL" : "");
  }
  if (definition.key) {
    add(definition.key->index);
    for (size_t i = 0; i < definition.key->columns.size(); ++i) {
      add(definition.key->columns[i]);
      add(definition.key->collations[i]);
    }
  }
  return Sha256Hex(all);
}

}  // namespace sluice::sqlite
