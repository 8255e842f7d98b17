// Runs the cases of tests/types/sqlite, which say what they are in their README.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "arrow/array/array_base.h"
#include "arrow/array/array_binary.h"
#include "arrow/array/array_primitive.h"
#include "arrow/record_batch.h"
#include "arrow/scalar.h"
#include "arrow/type.h"
#include "base/vocabulary_json.h"
#include "driver/sqlite.h"
#include "source/sqlite.h"
#include "testing/scratch_folder.h"

namespace sluice {
namespace {

struct Expectation {
  OnTypeMismatch policy = OnTypeMismatch::kError;
  std::string type;
  std::string rows;  ///< JSON, or
  std::string error_id, message;
  int64_t coerced = 0;
};
struct TypeCase {
  std::string file, name, setup;
  std::vector<Expectation> expectations;
  friend void PrintTo(const TypeCase& c, std::ostream* out) {
    *out << c.file << ": " << c.name;
  }
};

std::vector<TypeCase> CasesOf(const std::filesystem::path& path) {
  std::vector<TypeCase> cases;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with("#")) continue;
    if (line.starts_with("== ")) {
      cases.push_back({path.stem(), line.substr(3), "", {}});
      continue;
    }
    auto& expectations = cases.back().expectations;
    if (line.starts_with("-> ")) {
      const size_t space = line.find(' ', 3);
      expectations.push_back(
          {.policy = OnTypeMismatchFrom(line.substr(3, space - 3)).ValueOrDie(),
           .type = line.substr(space + 1),
           .rows = {},
           .error_id = {},
           .message = {}});
    } else if (line.starts_with("!! ")) {
      const size_t colon = line.find(": ");
      expectations.back().error_id = line.substr(3, colon - 3);
      expectations.back().message = line.substr(colon + 2);
    } else if (line.starts_with("coerced ")) {
      expectations.back().coerced = std::stoll(line.substr(8));
    } else if (expectations.empty()) {
      cases.back().setup += line + "\n";
    } else {
      expectations.back().rows += line;
    }
  }
  return cases;
}

std::filesystem::path CaseFolder() {
  return std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() /
         "tests/types/sqlite";
}

std::vector<TypeCase> AllCases() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(CaseFolder()))
    if (entry.path().extension() == ".case") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<TypeCase> all;
  for (const auto& path : paths)
    for (TypeCase& c : CasesOf(path)) all.push_back(std::move(c));
  return all;
}

std::string Hex(std::string_view bytes) {
  std::ostringstream hex;
  for (const unsigned char byte : bytes)
    hex << "0123456789abcdef"[byte >> 4] << "0123456789abcdef"[byte & 15];
  return hex.str();
}

nlohmann::json JsonOf(const arrow::Array& array, int64_t i) {
  if (array.IsNull(i)) return nullptr;
  switch (array.type_id()) {
    case arrow::Type::INT64: return static_cast<const arrow::Int64Array&>(array).Value(i);
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanArray&>(array).Value(i);
    case arrow::Type::DOUBLE: {
      const double value = static_cast<const arrow::DoubleArray&>(array).Value(i);
      if (std::isinf(value)) return value > 0 ? "Inf" : "-Inf";
      if (value == 0 && std::signbit(value)) return "-0.0";
      return value;
    }
    case arrow::Type::STRING:
      return std::string(static_cast<const arrow::StringArray&>(array).GetView(i));
    case arrow::Type::BINARY:
      return Hex(static_cast<const arrow::BinaryArray&>(array).GetView(i));
    default: return array.GetScalar(i).ValueOrDie()->ToString();
  }
}

/// The values of `v`, or what went wrong on the way to them.
Result<nlohmann::json> ReadValues(Source& source, const Expectation& wanted) {
  ARROW_ASSIGN_OR_RAISE(auto set, source.Open(Consistency::kSnapshot, 1));
  Relation relation;
  relation.name = {"main", "t"};
  relation.columns = {"v"};
  relation.on_type_mismatch = wanted.policy;
  ARROW_ASSIGN_OR_RAISE(const TableInfo table, set.sessions[0]->Describe(relation));
  EXPECT_EQ(table.schema->field(0)->type()->ToString(), wanted.type);
  ReadTally tally;
  ARROW_ASSIGN_OR_RAISE(auto reader, set.sessions[0]->Read(table, {}, {.tally = &tally}));
  nlohmann::json values = nlohmann::json::array();
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (!batch) break;
    ARROW_RETURN_NOT_OK(batch->ValidateFull());
    for (int64_t i = 0; i < batch->num_rows(); ++i)
      values.push_back(JsonOf(*batch->column(0), i));
  }
  EXPECT_EQ(tally.coerced, (wanted.coerced == 0
                                ? std::map<std::string, int64_t>{}
                                : std::map<std::string, int64_t>{{"v", wanted.coerced}}));
  return values;
}

class SqliteTypes : public ::testing::TestWithParam<TypeCase> {};

TEST_P(SqliteTypes, AreAsTheCaseSays) {
  const ScratchFolder folder;
  const std::string path = folder.Path("types.db");
  {
    auto writer =
        sqlite::Database::Open({.path = path, .mode = sqlite::OpenMode::kReadWriteCreate},
                               sqlite::Role::kState)
            .ValueOrDie();
    const Status made = writer->Execute("PRAGMA synchronous=OFF;" + GetParam().setup);
    ASSERT_TRUE(made.ok()) << made.ToString();
  }
  auto source = OpenSqliteSource(path).ValueOrDie();
  ASSERT_FALSE(GetParam().expectations.empty());
  for (const Expectation& wanted : GetParam().expectations) {
    SCOPED_TRACE(ToString(wanted.policy));
    const auto values = ReadValues(*source, wanted);
    if (wanted.error_id.empty()) {
      ASSERT_TRUE(values.ok()) << values.status().ToString();
      EXPECT_EQ(*values, nlohmann::json::parse(wanted.rows));
      continue;
    }
    ASSERT_FALSE(values.ok());
    EXPECT_EQ(KindOf(values.status()), ErrorKind::kFailed);
    EXPECT_EQ(IdOf(values.status()), wanted.error_id);
    EXPECT_NE(values.status().message().find(wanted.message), std::string::npos)
        << values.status().message();
  }
}

std::string NameOfCase(const ::testing::TestParamInfo<TypeCase>& param) {
  std::string name = param.param.file + "_" + param.param.name;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Cases, SqliteTypes, ::testing::ValuesIn(AllCases()), NameOfCase);

}  // namespace
}  // namespace sluice
