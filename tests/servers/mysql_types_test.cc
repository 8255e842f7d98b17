// Runs the cases of tests/types/mysql and tests/types/mariadb, which say what they are in their
// README.md, and compares the digest of the server with that of the rows as they were delivered.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "arrow/array/array_base.h"
#include "arrow/array/array_binary.h"
#include "arrow/array/array_nested.h"
#include "arrow/record_batch.h"
#include "arrow/scalar.h"
#include "arrow/type.h"
#include "base/vocabulary_json.h"
#include "server_database.h"
#include "sql/digest.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

struct Expectation {
  OnTypeMismatch policy = OnTypeMismatch::kError;
  Policies policies;  ///< "unsigned=native"
  std::string type;
  std::string rows;     ///< JSON, or
  std::string lengths;  ///< bytes of each value, or
  std::string error_id, message;
  int64_t coerced = 0;
};
struct TypeCase {
  ServerKind server = ServerKind::kMysql;
  std::string file, name, setup;
  std::vector<Expectation> expectations;
  friend void PrintTo(const TypeCase& c, std::ostream* out) {
    *out << NameOf(c.server) << ' ' << c.file << ": " << c.name;
  }
};

void TakeLine(const std::string& line, TypeCase& into) {
  auto& expectations = into.expectations;
  if (line.starts_with("-> ")) {
    const size_t space = line.find(' ', 3);
    Expectation& added = expectations.emplace_back();
    std::stringstream words(line.substr(3, space - 3));
    std::string word;
    std::getline(words, word, ',');
    added.policy = OnTypeMismatchFrom(word).ValueOrDie();
    while (std::getline(words, word, ','))
      added.policies[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    added.type = line.substr(space + 1);
  } else if (expectations.empty()) {
    into.setup += line + "\n";
  } else if (line.starts_with("!! ")) {
    const size_t colon = line.find(": ");
    expectations.back().error_id = line.substr(3, colon - 3);
    expectations.back().message = line.substr(colon + 2);
  } else if (line.starts_with("coerced ")) {
    expectations.back().coerced = std::stoll(line.substr(8));
  } else if (line.starts_with("len ")) {
    expectations.back().lengths = line.substr(4);
  } else {
    expectations.back().rows += line;
  }
}

void AddCases(const fs::path& path, ServerKind server, std::vector<TypeCase>* cases) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with("#")) continue;
    if (line.starts_with("== ")) {
      TypeCase& added = cases->emplace_back();
      added.server = server;
      added.file = path.stem().string();
      added.name = line.substr(3);
    } else {
      TakeLine(line, cases->back());
    }
  }
}

std::vector<TypeCase> AllCases() {
  const fs::path types = SLUICE_TYPE_CASES;
  std::vector<TypeCase> cases;
  for (const char* folder : {"mysql", "mariadb"}) {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(types / folder))
      if (entry.path().extension() == ".case") paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) {
      const bool is_mariadb = std::string(folder) == "mariadb";
      const bool is_mysql_only = path.stem().string().starts_with("only_mysql");
      if (!is_mariadb) AddCases(path, ServerKind::kMysql, &cases);
      if (is_mariadb || !is_mysql_only) AddCases(path, ServerKind::kMariaDb, &cases);
    }
  }
  return cases;
}

std::string Hex(std::string_view bytes) {
  std::ostringstream hex;
  for (const unsigned char byte : bytes)
    hex << "0123456789abcdef"[byte >> 4] << "0123456789abcdef"[byte & 15];
  return hex.str();
}

nlohmann::json RealJson(double value) {
  if (value == 0 && std::signbit(value)) return "-0.0";
  return value;
}

nlohmann::json JsonOf(const arrow::Array& array, int64_t i) {
  if (array.IsNull(i)) return nullptr;
  const auto scalar = array.GetScalar(i).ValueOrDie();
  switch (array.type_id()) {
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64: return std::stoll(scalar->ToString());
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::UINT32:
    case arrow::Type::UINT64: return std::stoull(scalar->ToString());
    case arrow::Type::FIXED_SIZE_BINARY:
      return Hex(static_cast<const arrow::FixedSizeBinaryArray&>(array).GetView(i));
    case arrow::Type::BOOL: return scalar->ToString() == "true";
    case arrow::Type::FLOAT:
      return RealJson(static_cast<const arrow::FloatScalar&>(*scalar).value);
    case arrow::Type::DOUBLE:
      return RealJson(static_cast<const arrow::DoubleScalar&>(*scalar).value);
    case arrow::Type::STRING:
      return std::string(static_cast<const arrow::StringArray&>(array).GetView(i));
    case arrow::Type::BINARY:
      return Hex(static_cast<const arrow::BinaryArray&>(array).GetView(i));
    case arrow::Type::LIST: {
      const auto values = static_cast<const arrow::ListArray&>(array).value_slice(i);
      nlohmann::json list = nlohmann::json::array();
      for (int64_t at = 0; at < values->length(); ++at)
        list.push_back(JsonOf(*values, at));
      return list;
    }
    default: return scalar->ToString();
  }
}

/// Bytes of each value, with spaces between.
std::string LengthsOf(const nlohmann::json& values, bool is_hex) {
  std::string text;
  for (const auto& value : values) {
    if (!text.empty()) text += ' ';
    if (value.is_null())
      text += "null";
    else
      text += std::to_string(value.get<std::string>().size() / (is_hex ? 2 : 1));
  }
  return text;
}

/// The values of `v`, or what went wrong on the way to them.
Result<nlohmann::json> ReadValues(Source& source, const ServerDatabase& database,
                                  const Expectation& wanted) {
  ARROW_ASSIGN_OR_RAISE(auto set, source.Open(Consistency::kSnapshot, 1));
  Relation relation;
  relation.name = {database.name(), "t"};
  relation.columns = {"v"};
  relation.on_type_mismatch = wanted.policy;
  relation.policies = wanted.policies;
  ARROW_ASSIGN_OR_RAISE(const TableInfo table, set.sessions[0]->Describe(relation));
  EXPECT_EQ(table.schema->field(0)->type()->ToString(), wanted.type);
  ReadTally tally;
  ARROW_ASSIGN_OR_RAISE(auto reader, set.sessions[0]->Read(table, {}, {.tally = &tally}));
  nlohmann::json values = nlohmann::json::array();
  RowDigester digester(table.schema);
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (!batch) break;
    ARROW_RETURN_NOT_OK(batch->ValidateFull());
    ARROW_RETURN_NOT_OK(digester.Add(*batch));
    for (int64_t i = 0; i < batch->num_rows(); ++i)
      values.push_back(JsonOf(*batch->column(0), i));
  }
  EXPECT_EQ(tally.coerced, (wanted.coerced == 0
                                ? std::map<std::string, int64_t>{}
                                : std::map<std::string, int64_t>{{"v", wanted.coerced}}));
  if (wanted.coerced > 0) return values;  // What a policy changed has no server form.
  ARROW_ASSIGN_OR_RAISE(const auto digest, set.sessions[0]->DigestOf(table, {}));
  // Of some policies there is no server form, nor of a view, which is what has no key here.
  const bool is_view = table.key.empty();
  EXPECT_FALSE(is_view && digest);
  if ((!wanted.policies.empty() || is_view) && !digest) return values;
  EXPECT_TRUE(digest);
  Digest as_client = digest.value_or(Digest{});
  as_client.kind = DigestKind::kClient;
  EXPECT_EQ(as_client, digester.digest());
  return values;
}

class ServerTypes : public ::testing::TestWithParam<TypeCase> {};

TEST_P(ServerTypes, AreAsTheCaseSays) {
  ServerDatabase database(GetParam().server);
  database.Execute(GetParam().setup);
  auto source = database.Open().ValueOrDie();
  ASSERT_FALSE(GetParam().expectations.empty());
  for (const Expectation& wanted : GetParam().expectations) {
    SCOPED_TRACE(ToString(wanted.policy));
    const auto values = ReadValues(*source, database, wanted);
    if (!wanted.error_id.empty()) {
      ASSERT_FALSE(values.ok());
      EXPECT_EQ(KindOf(values.status()), ErrorKind::kFailed);
      EXPECT_EQ(IdOf(values.status()), wanted.error_id);
      EXPECT_NE(values.status().message().find(wanted.message), std::string::npos)
          << values.status().message();
      continue;
    }
    ASSERT_TRUE(values.ok()) << values.status().ToString();
    if (wanted.lengths.empty())
      EXPECT_EQ(*values, nlohmann::json::parse(wanted.rows));
    else
      EXPECT_EQ(LengthsOf(*values, wanted.type == "binary"), wanted.lengths);
  }
}

std::string NameOfCase(const ::testing::TestParamInfo<TypeCase>& param) {
  std::string name = std::string(NameOf(param.param.server)) + "_" + param.param.file +
                     "_" + param.param.name;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Cases, ServerTypes, ::testing::ValuesIn(AllCases()), NameOfCase);

}  // namespace
}  // namespace sluice
