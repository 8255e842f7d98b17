#include "app/job.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/job_keys.h"

namespace sluice {
namespace {

constexpr char kHead[] = "version: 1\nsource: shop.db\ndestination: lake\n";

Job Good(const std::string& text) {
  auto job = ParseJob(text, "jobs/shop.yaml");
  EXPECT_TRUE(job.ok()) << job.status().ToString();
  return job.ok() ? *job : Job{};
}

/// What a user is told: the message, the hint, the id.
std::string Refusal(const std::string& text) {
  auto job = ParseJob(text, "shop.yaml");
  if (job.ok()) return "accepted\n";
  EXPECT_EQ(KindOf(job.status()), ErrorKind::kUsage);
  std::string told = "error: " + job.status().message() + "\n";
  if (!HintOf(job.status()).empty())
    told += "HINT: " + std::string(HintOf(job.status())) + "\n";
  return told + "[" + std::string(IdOf(job.status())) + "]\n";
}

/// The golden file spells bytes that editors dislike as \t, \0, \xff.
std::string Unescape(std::string text) {
  const std::pair<std::string, std::string> escapes[] = {
      {"\\t", "\t"}, {"\\0", std::string(1, '\0')}, {"\\xff", "\xff"}};
  for (const auto& [from, to] : escapes) {
    for (size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  }
  return text;
}

TEST(Job, TheSmallestFileNamesSourceDestinationAndStreams) {
  const Job job = Good(std::string(kHead) + "streams: {orders: {}}\n");
  EXPECT_EQ(job.name, "shop");
  EXPECT_EQ(job.source, "shop.db");
  EXPECT_EQ(job.destination, "lake");
  ASSERT_EQ(job.streams.size(), 1u);
  EXPECT_EQ(job.streams[0].pattern, "orders");
  EXPECT_EQ(job.streams[0].place.line, 4);
  EXPECT_FALSE(job.settings.memory);
}

TEST(Job, EveryKeyOfThisVersionIsRead) {
  const Job job = Good(R"(
version: 1
name: nightly
source: sqlite:///data/shop.db
destination: file:///lake
streams:
  orders:
    columns: [id, "total"]
    where: status <> 'draft'
    on_type_mismatch: string
  "tmp_*":
  lines: {on_type_mismatch: null}
limits: {memory: 512MiB, connections: 4}
)");
  EXPECT_EQ(job.name, "nightly");
  ASSERT_EQ(job.streams.size(), 3u);
  EXPECT_EQ(job.streams[0].columns, (std::vector<std::string>{"id", "total"}));
  EXPECT_EQ(job.streams[0].where, "status <> 'draft'");
  EXPECT_EQ(job.streams[0].on_type_mismatch, OnTypeMismatch::kString);
  EXPECT_EQ(job.streams[1].pattern, "tmp_*");
  EXPECT_EQ(job.streams[2].on_type_mismatch, OnTypeMismatch::kNull);
  EXPECT_EQ(job.settings.memory, 512 << 20);
  EXPECT_EQ(job.settings.connections, 4);
}

TEST(Job, JsonIsAccepted) {
  const Job job = Good(
      "{\n\t\"version\": 1, \"source\": \"a.db\",\n\t\"destination\": \"b\",\n"
      "  \"streams\": {\"caf\\u00e9\": {\"columns\": [\"id\"]}}\n}\n");
  ASSERT_EQ(job.streams.size(), 1u);
  EXPECT_EQ(job.streams[0].pattern, "caf\xc3\xa9");
}

TEST(Job, AnAnchorMayBeUsedTwice) {
  const Job job =
      Good(std::string(kHead) + "streams:\n  a: &few {columns: [id]}\n  b: *few\n");
  EXPECT_EQ(job.streams[1].columns, std::vector<std::string>{"id"});
}

/// Cases are "=== title", a job file, ">>>", what a user is told. SLUICE_UPDATE_GOLDEN=1
/// rewrites.
TEST(Job, EveryMistakeIsToldWithItsPlaceAndItsCure) {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "job_refusals.golden";
  std::ifstream stream(path);
  ASSERT_TRUE(stream) << path;
  std::string line, title, text, told, golden;
  int cases = 0;
  bool in_file = true;
  const auto finish = [&] {
    if (title.empty()) return;
    ++cases;
    const std::string refusal = Refusal(Unescape(text));
    EXPECT_EQ(refusal, told) << "case: " << title;
    golden += title + "\n" + text + ">>>\n" + refusal;
  };
  while (std::getline(stream, line)) {
    if (line.starts_with("=== ")) {
      finish();
      title = line;
      text.clear();
      told.clear();
      in_file = true;
    } else if (line == ">>>") {
      in_file = false;
    } else {
      (in_file ? text : told) += line + "\n";
    }
  }
  finish();
  EXPECT_GE(cases, 30);
  if (std::getenv("SLUICE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << golden;
}

TEST(Job, AliasesThatExplodeAreRefusedAtOnce) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 8; ++j) text += ", " + last;
    text += "]\n";
  }
  EXPECT_EQ(Refusal(text),
            "error: shop.yaml:6:40: more than 500000 values, aliases counted with all "
            "they stand "
            "for\n[job.syntax]\n");
}

TEST(Job, DeepNestingAndHugeFilesAreRefused) {
  EXPECT_EQ(Refusal(std::string(5000, '[')),
            "error: shop.yaml:1:17: nested more than 32 deep\n[job.syntax]\n");
  EXPECT_EQ(Refusal(std::string(10 << 20, 'x')),
            "error: shop.yaml: a job file has at most 4 MiB, found 10485760 "
            "bytes\n[job.syntax]\n");
}

TEST(Job, TenThousandLinesAreRead) {
  std::string text = std::string(kHead) + "streams:\n";
  for (int i = 0; i < 10'000; ++i)
    text += "  table_" + std::to_string(i) + ": {where: id > 7}\n";
  EXPECT_EQ(Good(text).streams.size(), 10'000u);
}

TEST(Job, AMissingFileOrAFolderIsAUsageError) {
  auto job = ReadJobFile("/nonexistent/shop.yaml");
  EXPECT_EQ(job.status().message(), "no such job file: /nonexistent/shop.yaml");
  EXPECT_EQ(KindOf(job.status()), ErrorKind::kUsage);
  EXPECT_EQ(ReadJobFile("/").status().message(),
            "expected a job file, found a folder: /");
}

TEST(Job, TheSchemaForEditorsHasExactlyTheKeysOfThisVersion) {
  const auto docs = std::filesystem::path(__FILE__).parent_path() / "../../docs";
  std::ifstream stream(docs / "job.schema.json");
  const auto schema = nlohmann::json::parse(stream, nullptr, /*allow_exceptions=*/false);
  ASSERT_FALSE(schema.is_discarded());
  const auto& top = schema["properties"];
  const std::map<std::string_view, nlohmann::json> sections = {
      {"", top},
      {"streams.*", schema["$defs"]["stream"]["properties"]},
      {"limits", top["limits"]["properties"]}};
  size_t keys = 0;
  for (const JobKey& key : JobKeys()) {
    const auto& properties = sections.at(key.section);
    const bool known = key.shape != KeyShape::kLater;
    EXPECT_EQ(properties.contains(key.name), known) << key.section << " " << key.name;
    if (!known) continue;
    ++keys;
    EXPECT_EQ(properties[std::string(key.name)]["description"], key.help) << key.name;
  }
  EXPECT_EQ(top.size() + sections.at("streams.*").size() + sections.at("limits").size(),
            keys);
}

TEST(Job, ThePageAboutJobFilesNamesEveryKey) {
  std::ostringstream page;
  page << std::ifstream(std::filesystem::path(__FILE__).parent_path() /
                        "../../docs/job-file.md")
              .rdbuf();
  for (const JobKey& key : JobKeys()) {
    if (key.shape == KeyShape::kLater) continue;
    const std::string name =
        (key.section == "limits" ? "`limits." : "`") + std::string(key.name) + "`";
    if (key.name == "limits") continue;  // Shown by its two keys.
    EXPECT_NE(page.str().find(name), std::string::npos) << name;
  }
}

TEST(Settings, AFlagBeatsTheFile) {
  Settings file, flags;
  file.memory = 1;
  file.connections = 2;
  flags.memory = 3;
  ASSERT_TRUE(SetCompression("zstd:9", &file).ok());
  ASSERT_TRUE(SetCompression("snappy", &flags).ok());
  const Settings merged = Merge(file, flags);
  EXPECT_EQ(merged.memory, 3);
  EXPECT_EQ(merged.connections, 2);
  EXPECT_EQ(merged.compression, "snappy");
  EXPECT_EQ(merged.compression_level, 0);
}

TEST(Settings, ACompressionHasACodecAndPerhapsALevel) {
  Settings settings;
  EXPECT_TRUE(SetCompression("zstd", &settings).ok());
  EXPECT_EQ(settings.compression_level, 1);
  EXPECT_EQ(SetCompression("gzip", &settings).message(),
            "compression must be zstd or snappy or none, found gzip");
  EXPECT_EQ(SetCompression("zstd:99", &settings).message(),
            "the level of zstd must be a whole number from 1 to 22, found 99");
  EXPECT_EQ(SetCompression("snappy:1", &settings).message(),
            "snappy has no levels, found snappy:1");
}

}  // namespace
}  // namespace sluice
