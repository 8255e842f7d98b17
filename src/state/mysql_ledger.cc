#include "state/mysql_ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <utility>

#include "base/uuid.h"
#include "sluice/version.h"
#include "sql/ledger.h"
#include "sql/mysql_text.h"

namespace sluice::state {
namespace {

using mysql::TextRow;
using Facts = std::map<std::string, std::string>;

constexpr char kId[] = "ledger";
constexpr char kWriter[] = "sluice_version";
constexpr char kVersionName[] = "version";

Status Corrupt(std::string message) {
  return Error(ErrorKind::kSource, "state.corrupt", std::move(message));
}

/// What the ledger says of itself; empty: there is none.
Result<Facts> ReadAbout(MysqlTables& tables, const MysqlStateOptions& options) {
  const auto rows = tables.Send("SELECT name, value FROM " +
                                ledger::NameIn(options.server.database, ledger::kAbout) +
                                " ORDER BY name");
  // No such table. A table of that name with other columns is found out by its shape.
  if (IdOf(rows.status()) == "source.changed") return Facts();
  ARROW_RETURN_NOT_OK(rows.status());
  Facts facts;
  for (const TextRow& row : *rows) facts[row[0].value_or("")] = row[1].value_or("");
  return facts;
}

/// DDL cannot be undone: the row that says that all is there comes last.
Status CreateTables(MysqlTables& tables, const MysqlStateOptions& options) {
  const std::string& schema = options.server.database;
  for (const ledger::Table& table : ledger::Tables())
    ARROW_RETURN_NOT_OK(tables.Send(ledger::CreateStatement(schema, table)).status());
  const std::pair<std::string, std::string> facts[] = {
      {kId, NewNonce()},
      {kWriter, kVersion},
      {kVersionName, std::to_string(ledger::kVersion)}};
  for (const auto& [name, value] : facts)
    // Of several who make it at the same time, the first one names it.
    ARROW_RETURN_NOT_OK(
        tables
            .Send(fmt::format("INSERT INTO {} VALUES ({}, {}) ON DUPLICATE KEY UPDATE "
                              "name = name",
                              ledger::NameIn(schema, ledger::kAbout),
                              mysql::TextLiteral(name), mysql::TextLiteral(value)))
            .status());
  return Status::OK();
}

Status CheckVersion(const Facts& facts) {
  const std::string text = facts.at(kVersionName);
  int64_t version = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, version);
  if (read.ec != std::errc() || read.ptr != end || version < 1)
    return Corrupt(fmt::format("its version is '{}'", text));
  if (version <= ledger::kVersion) return Status::OK();
  const auto writer = facts.find(kWriter);
  const std::string needed = writer == facts.end()
                                 ? std::string("the sluice that made it")
                                 : "sluice " + writer->second;
  return Error(
      ErrorKind::kUsage, "state.newer",
      fmt::format("the ledger is of version {}, sluice {} knows versions up to {}",
                  version, kVersion, ledger::kVersion),
      fmt::format("use {} or newer, or another state with --state", needed));
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return std::tolower(c); });
  return lower;
}

bool IsText(const std::string& type) {
  return type.find("char") != std::string::npos || type.find("text") != std::string::npos;
}

std::string ColumnShape(std::string_view name, const std::string& type, bool is_nullable,
                        std::string_view collation, bool is_counted) {
  return fmt::format("{} {}{}{}{}; ", name, type, is_nullable ? " null" : "",
                     collation.empty() ? "" : fmt::format(" {}", collation),
                     is_counted ? " auto_increment" : "");
}

/// Everything about a table that the statements count on, as one text.
std::string WantedShape(const ledger::Table& table) {
  std::string shape;
  for (const ledger::Column& column : table.columns) {
    const std::string type = Lower(column.type);
    shape +=
        ColumnShape(column.name, type, column.is_nullable,
                    IsText(type) ? "utf8mb4_bin" : "", column.more == "AUTO_INCREMENT");
  }
  shape += "primary key";
  for (const std::string_view column : table.primary_key)
    shape += fmt::format(" {}", column);
  return shape + "; innodb";
}

/// The same of the tables that are there, by name.
Result<Facts> FoundShapes(MysqlTables& tables) {
  const std::string where =
      fmt::format(" WHERE TABLE_SCHEMA = DATABASE() AND LEFT(TABLE_NAME, {}) = '{}' ",
                  ledger::kPrefix.size(), ledger::kPrefix);
  Facts shapes;
  ARROW_ASSIGN_OR_RAISE(
      const auto columns,
      tables.Send("SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, "
                  "IS_NULLABLE, COLLATION_NAME, EXTRA FROM information_schema.COLUMNS" +
                  where + "ORDER BY TABLE_NAME, ORDINAL_POSITION"));
  for (const TextRow& row : columns) {
    std::string type = Lower(row[2].value_or(""));
    if (type.ends_with("char")) type += "(" + row[3].value_or("") + ")";
    shapes[row[0].value_or("")] +=
        ColumnShape(row[1].value_or(""), type, row[4] == "YES", row[5].value_or(""),
                    Lower(row[6].value_or("")) == "auto_increment");
  }
  ARROW_ASSIGN_OR_RAISE(
      const auto keys,
      tables.Send("SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.STATISTICS" +
                  where +
                  "AND INDEX_NAME = 'PRIMARY' ORDER BY TABLE_NAME, SEQ_IN_INDEX"));
  for (auto& [name, shape] : shapes) shape += "primary key";
  for (const TextRow& row : keys)
    shapes[row[0].value_or("")] += " " + row[1].value_or("");
  ARROW_ASSIGN_OR_RAISE(
      const auto engines,
      tables.Send("SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES" + where));
  for (const TextRow& row : engines)
    shapes[row[0].value_or("")] += "; " + Lower(row[1].value_or("a view"));
  return shapes;
}

Status CheckShapes(MysqlTables& tables) {
  ARROW_ASSIGN_OR_RAISE(const Facts found, FoundShapes(tables));
  for (const ledger::Table& table : ledger::Tables()) {
    const std::string wanted = WantedShape(table);
    const auto shape = found.find(std::string(table.name));
    if (shape == found.end())
      return Corrupt(fmt::format("its table {} is not there", table.name));
    if (shape->second != wanted)
      return Corrupt(fmt::format("wanted its table {} to be ({}), found ({})", table.name,
                                 wanted, shape->second));
  }
  return Status::OK();
}

}  // namespace

Result<std::string> OpenLedger(MysqlTables& tables, const MysqlStateOptions& options) {
  ARROW_RETURN_NOT_OK(tables.Connect());
  ARROW_ASSIGN_OR_RAISE(Facts facts, ReadAbout(tables, options));
  if (!facts.contains(kVersionName)) {
    if (options.read_only || !options.create)
      return Error(ErrorKind::kUsage, "state.no-such-file",
                   fmt::format("wanted a ledger, found no tables {}… in {}",
                               ledger::kPrefix, LedgerUri(options.server)));
    ARROW_RETURN_NOT_OK(CreateTables(tables, options));
    ARROW_ASSIGN_OR_RAISE(facts, ReadAbout(tables, options));
  }
  if (!facts.contains(kVersionName)) return Corrupt("it does not say its version");
  ARROW_RETURN_NOT_OK(CheckVersion(facts));
  ARROW_RETURN_NOT_OK(CheckShapes(tables));
  if (!facts.contains(kId)) return Corrupt("it does not say which one it is");
  return facts.at(kId);
}

}  // namespace sluice::state
