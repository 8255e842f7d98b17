/// \file
/// What a SQLite database says about one of its tables, and which of its keys chunks may use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "driver/sqlite.h"
#include "sluice/error.h"
#include "sluice/table.h"

namespace sluice::sqlite {

enum class TableKind { kTable, kView, kVirtual };

struct ColumnDefinition {
  std::string name;
  std::string declared;   ///< as written; "" for none
  std::string collation;  ///< "" for views and virtual tables
  bool not_null = false;
  int primary_key = 0;  ///< place in the PRIMARY KEY, from 1; 0: not in it
};

/// Unique and NOT NULL in every part, in an order SQLite can read without sorting.
struct KeyDefinition {
  std::vector<std::string> columns;
  std::vector<std::string> collations;  ///< of the index: BINARY, NOCASE or RTRIM
  std::string index;  ///< "": the rowid, which the only column is an alias of
  bool operator==(const KeyDefinition&) const = default;
};

struct Definition {
  std::string table;
  std::string sql;  ///< CREATE …
  TableKind kind = TableKind::kTable;
  bool without_rowid = false;
  bool strict = false;
  std::vector<ColumnDefinition> columns;  ///< generated ones too; not the hidden ones
  std::optional<KeyDefinition> key;
  std::string
      rowid;  ///< a name of the rowid that no column hides; "" if there is no rowid
};

/// `name` with SQL's double quotes.
std::string Quote(const std::string& name);

/// The table or view of that name, as the database spells it. kUsage "source.no-such-table".
Result<std::string> ResolveTable(Database& database, const TableName& name);

/// kUsage "source.no-such-table", or "source.sql" for a view or virtual table that cannot be read.
Result<Definition> ReadDefinition(Database& database, const std::string& table);

/// SHA-256 of all that a definition says.
std::string FingerprintOf(const Definition& definition);

}  // namespace sluice::sqlite
