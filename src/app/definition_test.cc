#include "app/definition.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

StreamSpec Orders() {
  StreamSpec stream;
  stream.name = "orders";
  stream.relation.name = {"main", "orders"};
  stream.relation.columns = {"id", "total"};
  stream.relation.where = "total > 100";
  return stream;
}

TEST(Definition, IsCanonicalJsonOfWhatDecidesBytes) {
  EXPECT_EQ(
      DefinitionOf(Orders(), "sqlite:///a.db", "file:///lake"),
      R"({"columns":["id","total"],"compression":"zstd:1","destination":"file:///lake",)"
      R"("file_size":134217728,"format":"parquet","mode":"full","on_type_mismatch":"error",)"
      R"("source":"sqlite:///a.db","table":{"schema":"main","table":"orders"},"where":"total > 100"})");
}

TEST(Definition, ChangesWithEverythingThatChangesBytes) {
  const std::string before = DefinitionOf(Orders(), "sqlite:///a.db", "file:///lake");
  StreamSpec columns = Orders(), where = Orders(), policy = Orders(), codec = Orders(),
             level = Orders(), size = Orders();
  columns.relation.columns = {"total", "id"};
  where.relation.where = "";
  policy.relation.on_type_mismatch = OnTypeMismatch::kString;
  codec.compression = "snappy";
  level.compression_level = 9;
  size.file_size = 1 << 20;
  for (const StreamSpec& stream : {columns, where, policy, codec, level, size}) {
    EXPECT_NE(DefinitionOf(stream, "sqlite:///a.db", "file:///lake"), before);
  }
  EXPECT_NE(DefinitionOf(Orders(), "sqlite:///a.db", "file:///pond"), before);
  EXPECT_NE(DefinitionOf(Orders(), "sqlite:///b.db", "file:///lake"), before);
}

TEST(Definition, NamesQueriesPoliciesAndPathsOnlyWhereTheyAre) {
  const std::string before = DefinitionOf(Orders(), "sqlite:///a.db", "file:///lake");
  StreamSpec query = Orders(), policy = Orders(), type = Orders(), column = Orders(),
             path = Orders();
  query.relation.sql = "select 1";
  policy.relation.policies["zero_date"] = "null";
  type.relation.type_policies["date"]["zero_date"] = "null";
  column.relation.column_policies["d"]["zero_date"] = "null";
  path.path = "{schema}/{table}/x/{load}";
  for (const StreamSpec& stream : {query, policy, type, column, path})
    EXPECT_NE(DefinitionOf(stream, "sqlite:///a.db", "file:///lake"), before);
  for (const char* member : {"\"sql\"", "policies", "path"})
    EXPECT_EQ(before.find(member), std::string::npos) << member;
}

TEST(Definition, DoesNotChangeWithVerifyDepthOrVersionsKept) {
  StreamSpec stream = Orders();
  stream.verify = VerifyDepth::kContent;
  stream.keep_versions = 7;
  EXPECT_EQ(DefinitionOf(stream, "sqlite:///a.db", "file:///lake"),
            DefinitionOf(Orders(), "sqlite:///a.db", "file:///lake"));
}

TEST(Definition, TellsWhatDiffersByName) {
  StreamSpec stream = Orders();
  const std::string before = DefinitionOf(stream, "sqlite:///a.db", "file:///lake");
  EXPECT_TRUE(DifferencesOf(before, before).empty());
  stream.relation.where = "id > 1";
  stream.path = "{schema}/{table}/x/{load}";
  const std::string now = DefinitionOf(stream, "sqlite:///a.db", "file:///lake");
  const auto differences = DifferencesOf(before, now);
  ASSERT_EQ(differences.size(), 2u);
  EXPECT_EQ(differences[0], "path was null and is \"{schema}/{table}/x/{load}\"");
  EXPECT_TRUE(differences[1].starts_with("where was "));
  EXPECT_EQ(DifferencesOf("of another form", now).size(), 1u);
}

TEST(Definition, ACopyIsNamedByItsTwoPlaces) {
  const std::string name = CopyJobName("sqlite:///a.db", "file:///lake");
  EXPECT_EQ(name.size(), 17u);
  EXPECT_TRUE(name.starts_with("copy-"));
  EXPECT_EQ(name, CopyJobName("sqlite:///a.db", "file:///lake"));
  EXPECT_NE(name, CopyJobName("sqlite:///b.db", "file:///lake"));
  EXPECT_NE(name, CopyJobName("sqlite:///a.db", "file:///pond"));
}

}  // namespace
}  // namespace sluice
