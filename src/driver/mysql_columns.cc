// What a prepared statement's metadata say of its columns, in the words of the catalogue
// (https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html).
#include <fmt/format.h>

#include <string_view>

#include "driver/mysql_api.h"

namespace sluice::mysql {
namespace {

constexpr unsigned int kBinaryCollation = 63;
/// Not in the client library's headers: MySQL 9.
constexpr int kVector = 242;

const char* IntegerName(enum_field_types type) {
  switch (type) {
    case MYSQL_TYPE_TINY: return "tinyint";
    case MYSQL_TYPE_SHORT: return "smallint";
    case MYSQL_TYPE_INT24: return "mediumint";
    case MYSQL_TYPE_LONG: return "int";
    case MYSQL_TYPE_LONGLONG: return "bigint";
    default: return nullptr;
  }
}

const char* TemporalName(enum_field_types type) {
  switch (type) {
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE: return "date";
    case MYSQL_TYPE_DATETIME: return "datetime";
    case MYSQL_TYPE_TIMESTAMP: return "timestamp";
    case MYSQL_TYPE_TIME: return "time";
    default: return nullptr;
  }
}

std::string BytesOrText(const MYSQL_FIELD& field) {
  const bool is_binary = field.charsetnr == kBinaryCollation;
  if ((field.flags & ENUM_FLAG) != 0) return "enum";
  if ((field.flags & SET_FLAG) != 0) return "set";
  switch (field.type) {
    case MYSQL_TYPE_STRING: return is_binary ? "binary" : "char";
    case MYSQL_TYPE_VARCHAR:
    case MYSQL_TYPE_VAR_STRING: return is_binary ? "varbinary" : "varchar";
    case MYSQL_TYPE_TINY_BLOB:
    case MYSQL_TYPE_MEDIUM_BLOB:
    case MYSQL_TYPE_LONG_BLOB:
    case MYSQL_TYPE_BLOB: {
      // The server says how long a value may be, not which of the four it is.
      const std::string_view size = field.length <= (1 << 18)   ? ""
                                    : field.length <= (1 << 26) ? "medium"
                                                                : "long";
      return fmt::format("{}{}", size, is_binary ? "blob" : "text");
    }
    default: return {};
  }
}

std::string NumberType(const MYSQL_FIELD& field, const char* name) {
  const bool is_unsigned = (field.flags & UNSIGNED_FLAG) != 0;
  const bool is_flag = field.type == MYSQL_TYPE_TINY && field.length == 1;
  return fmt::format("{}{}{}", name, is_flag ? "(1)" : "",
                     is_unsigned ? " unsigned" : "");
}

/// MariaDB's types that are bytes or text on the wire.
std::string MariaDbName(const MYSQL_FIELD& field) {
  MARIADB_CONST_STRING name{};
  if (mariadb_field_attr(&name, &field, MARIADB_FIELD_ATTR_DATA_TYPE_NAME) != 0)
    return {};
  const std::string_view text(name.str == nullptr ? "" : name.str, name.length);
  return text == "uuid" || text == "inet4" || text == "inet6" ? std::string(text) : "";
}

void NameType(const MYSQL_FIELD& field, ResultColumn& column) {
  const auto is = [&column](std::string name, std::string type) {
    column.data_type = std::move(name);
    column.column_type = std::move(type);
  };
  const bool is_unsigned = (field.flags & UNSIGNED_FLAG) != 0;
  if (const char* name = IntegerName(field.type))
    return is(name, NumberType(field, name));
  if (const char* name = TemporalName(field.type)) {
    const bool has_fraction =
        field.type != MYSQL_TYPE_DATE && field.decimals > 0 && field.decimals <= 6;
    return is(name, has_fraction ? fmt::format("{}({})", name, field.decimals) : name);
  }
  switch (static_cast<int>(field.type)) {
    case MYSQL_TYPE_NEWDECIMAL: {
      // The length counts the sign and the point.
      const auto scale = static_cast<unsigned long>(field.decimals);
      const unsigned long extra = (scale > 0 ? 1 : 0) + (is_unsigned ? 0 : 1);
      const unsigned long precision = field.length > extra ? field.length - extra : 1;
      return is("decimal", fmt::format("decimal({},{})", precision, scale));
    }
    case MYSQL_TYPE_FLOAT: return is("float", "float");
    case MYSQL_TYPE_DOUBLE: return is("double", "double");
    case MYSQL_TYPE_YEAR: return is("year", "year");
    case MYSQL_TYPE_BIT: return is("bit", fmt::format("bit({})", field.length));
    case MYSQL_TYPE_JSON: return is("json", "json");
    case MYSQL_TYPE_GEOMETRY: return is("geometry", "geometry");
    case kVector: return is("vector", "vector");
    case MYSQL_TYPE_NULL: return is("null", "null");
    default: break;
  }
  std::string name = MariaDbName(field);
  if (name.empty()) name = BytesOrText(field);
  const bool has_length = name == "binary";
  is(name, has_length ? fmt::format("{}({})", name, field.length) : name);
}

}  // namespace

Result<std::vector<ResultColumn>> Connection::ColumnsOf(const std::string& sql) {
  Begin();
  const auto prepared = Prepare(sql);
  if (!prepared.ok()) return End(prepared.status());
  std::vector<ResultColumn> columns;
  const bool has_parameters = mysql_stmt_param_count(*prepared) > 0;
  if (MYSQL_RES* metadata = mysql_stmt_result_metadata(*prepared)) {
    const unsigned int count = mysql_num_fields(metadata);
    for (unsigned int i = 0; i < count; ++i) {
      const MYSQL_FIELD& field = *mysql_fetch_field_direct(metadata, i);
      ResultColumn& column = columns.emplace_back();
      column.name = std::string(field.name, field.name_length);
      column.collation = static_cast<int>(field.charsetnr);
      column.length = static_cast<int64_t>(field.length);
      NameType(field, column);
    }
    mysql_free_result(metadata);
  }
  mysql_stmt_close(*prepared);
  ARROW_RETURN_NOT_OK(End(Status::OK()));
  if (!has_parameters) return columns;
  return Error(ErrorKind::kUsage, "source.sql",
               "SQL was not accepted: wanted values, found a parameter");
}

}  // namespace sluice::mysql
