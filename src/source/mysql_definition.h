/// \file
/// What a server says about one of its tables, and which of its keys chunks may use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "driver/mysql.h"
#include "sluice/error.h"
#include "sluice/table.h"
#include "source/mysql_types.h"
#include "sql/mysql_text.h"

namespace sluice::mysql {

struct ColumnDefinition {
  std::string name;
  DeclaredType declared;
  std::string collation;  ///< "" for none
  std::string extra;      ///< "auto_increment", "VIRTUAL GENERATED", "INVISIBLE"
  std::string generation;
  std::string comment;
  std::optional<int64_t> srid;  ///< of a geometry whose definition restricts it
  bool nullable = true;
};

/// Unique and NOT NULL in every part, in an order the index has.
struct KeyDefinition {
  std::string index;
  std::vector<KeyColumn> columns;
};

struct Definition {
  TableName name;
  bool is_view = false;
  std::string query;                      ///< instead of a table
  bool is_wrapped = false;                ///< the query is read as a derived table
  std::vector<ColumnDefinition> columns;  ///< generated and invisible ones too
  std::optional<KeyDefinition> key;
  std::string
      key_note;  ///< why an unique key is not used; "" where nothing is to be said
  int64_t estimated_rows = 0, estimated_bytes = 0;
};

/// Tables, and views where wanted, of the connection's database whose name has the form `glob`.
Result<std::vector<TableName>> ListTables(Connection& connection, const std::string& glob,
                                          bool views);

/// kUsage "source.no-such-table" (names the nearest); kSource "source.missing-grant" with the
/// GRANT that would do.
Result<Definition> ReadDefinition(Connection& connection, const TableName& name);
/// Of many tables of one schema, with three questions a thousand.
Result<std::vector<Result<Definition>>> ReadDefinitions(
    Connection& connection, const std::vector<TableName>& names);

/// Of a query, as the server resolves it without running it: every column may be NULL, there is no key.
/// kUsage "source.query".
Result<Definition> ReadQuery(Connection& connection, const Relation& relation);

/// " FROM …" of a definition's query.
std::string DerivedTable(const std::string& query);

/// SHA-256 of all that a definition says, estimates and comments aside.
std::string FingerprintOf(const Definition& definition);

}  // namespace sluice::mysql
