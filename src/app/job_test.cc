#include "app/job.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/job_keys.h"
#include "app/job_schema.h"

namespace sluice {
namespace {

constexpr char kHead[] = "version: 1\nsource: shop.db\ndestination: lake\n";

Job Good(const std::string& text) {
  auto job = ParseJob({"jobs/shop.yaml", text});
  EXPECT_TRUE(job.ok()) << job.status().ToString();
  return job.ok() ? *job : Job{};
}

/// What a user is told: the message, the hint, the id.
std::string Refusal(const std::string& text) {
  auto job = ParseJob({"shop.yaml", text});
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
consistency: per-chunk
defaults:
  mode: full
  format: parquet
  compression: zstd:9
  file_size: 64MiB
  verify: content
  keep_versions: 3
  path: "{schema}/{table}/day={date}/{load}"
  zero_date: null
  type_policies: {datetime: {zero_date: string}}
streams:
  orders:
    columns: [id, "total"]
    where: status <> 'draft'
    on_type_mismatch: string
    destination: file:///other
    compression: snappy
    keep_versions: 2
    tinyint1: bool
    uuid: [id]
    column_policies: {shipped_at: {zero_date: null}}
  "tmp_*": {exclude: true}
  big: {sql: "select 1 as one"}
  lines: {on_type_mismatch: null}
limits: {memory: 512MiB, connections: 4, rate: 50MiB/s}
)");
  EXPECT_EQ(job.name, "nightly");
  EXPECT_EQ(job.settings.consistency, Consistency::kPerChunk);
  EXPECT_EQ(job.settings.compression, "zstd");
  EXPECT_EQ(job.settings.compression_level, 9);
  EXPECT_EQ(job.settings.file_size, 64 << 20);
  EXPECT_EQ(job.settings.verify, VerifyDepth::kContent);
  EXPECT_EQ(job.settings.keep_versions, 3);
  EXPECT_EQ(job.settings.path, "{schema}/{table}/day={date}/{load}");
  EXPECT_EQ(job.settings.policies, (Policies{{"zero_date", "null"}}));
  EXPECT_EQ(job.settings.type_policies.at("datetime").at("zero_date"), "string");
  EXPECT_EQ(job.settings.memory, 512 << 20);
  EXPECT_EQ(job.settings.connections, 4);
  EXPECT_EQ(job.settings.rate, 50 << 20);
  ASSERT_EQ(job.streams.size(), 4u);
  const StreamEntry& orders = job.streams[0];
  EXPECT_EQ(orders.columns, (std::vector<std::string>{"id", "total"}));
  EXPECT_EQ(orders.where, "status <> 'draft'");
  EXPECT_EQ(orders.destination, "file:///other");
  EXPECT_EQ(orders.settings.on_type_mismatch, OnTypeMismatch::kString);
  EXPECT_EQ(orders.settings.compression, "snappy");
  EXPECT_EQ(orders.settings.keep_versions, 2);
  EXPECT_EQ(orders.settings.policies, (Policies{{"tinyint1", "bool"}}));
  EXPECT_EQ(orders.settings.column_policies,
            (std::map<std::string, Policies>{{"id", {{"uuid", "fixed"}}},
                                             {"shipped_at", {{"zero_date", "null"}}}}));
  EXPECT_EQ(job.streams[1].pattern, "tmp_*");
  EXPECT_TRUE(job.streams[1].exclude);
  EXPECT_EQ(job.streams[2].sql, "select 1 as one");
  EXPECT_EQ(job.streams[3].settings.on_type_mismatch, OnTypeMismatch::kNull);
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
            "they stand for\n"
            "  6 | a5: ***\n"
            "    |     ^^^\n"
            "HINT: write out what the aliases stand for, or make several jobs of it\n"
            "[job.syntax]\n");
}

TEST(Job, DeepNestingAndHugeFilesAreRefused) {
  EXPECT_EQ(Refusal(std::string(5000, '[')),
            "error: shop.yaml:1:17: nested more than 32 deep\n"
            "  1 | " +
                std::string(66, '[') + "...\n    | " + std::string(16, ' ') +
                "^\nHINT: a job nests four deep: check brackets and "
                "indentation\n[job.syntax]\n");
  EXPECT_EQ(Refusal(std::string(10 << 20, 'x')),
            "error: shop.yaml: a job file has at most 4 MiB, found 10485760 bytes\n"
            "HINT: globs and defaults say much in few lines; or make several jobs of "
            "it\n[job.syntax]\n");
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

/// `text` is what the page says between its markers, or all of it; SLUICE_UPDATE_GOLDEN=1 rewrites.
void ExpectPage(const std::string& name, const std::string& text, bool marked) {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "../../docs" / name;
  std::ostringstream page;
  page << std::ifstream(path).rdbuf();
  std::string wanted = text;
  if (marked) {
    const std::string begin = "<!-- keys: made by job_schema.cc -->\n";
    const std::string end = "<!-- end of keys -->\n";
    const size_t from = page.str().find(begin), to = page.str().find(end);
    ASSERT_NE(from, std::string::npos) << name;
    ASSERT_NE(to, std::string::npos) << name;
    wanted = page.str().substr(0, from + begin.size()) + "\n" + text + "\n" +
             page.str().substr(to);
  }
  EXPECT_EQ(page.str(), wanted) << name;
  if (std::getenv("SLUICE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << wanted;
}

TEST(Job, TheSchemaForEditorsIsMadeFromTheKeys) {
  ExpectPage("job.schema.json", JobSchema(), /*marked=*/false);
}

TEST(Job, TheReferenceIsMadeFromTheKeys) {
  ExpectPage("job-file.md", JobReference(), /*marked=*/true);
}

TEST(Job, EveryKeyOfTheSchemaIsReadAndNoOther) {
  for (const JobKey& key : JobKeys()) {
    if ((key.sections & kInStream) == 0) continue;
    // Nothing fits every key; a key that is unknown would be told so.
    const std::string told = Refusal(std::string(kHead) + "streams:\n  t:\n    " +
                                     std::string(key.name) + ": [{}]\n");
    EXPECT_EQ(told.find("unknown key"), std::string::npos) << told;
    EXPECT_EQ(told.find("not in this version") != std::string::npos,
              key.shape == KeyShape::kLater)
        << told;
  }
}

TEST(Job, WhatIsNoFileGivesNoName) {
  const std::string text = std::string(kHead) + "streams: {orders: {}}\n";
  const auto nameless = ParseJob({"/dev/fd/63", text, /*names_job=*/false});
  EXPECT_EQ(IdOf(nameless.status()), "job.missing-key");
  EXPECT_NE(HintOf(nameless.status()).find("name: nightly"), std::string::npos);
  const auto named = ParseJob({"/dev/fd/63", "name: a\n" + text, /*names_job=*/false});
  ASSERT_TRUE(named.ok());
  EXPECT_EQ(named->name, "a");
}

/// Nothing a file of the greatest size holds costs more than its size.
TEST(Job, TheLargestFilesAreReadOrRefusedAtOnce) {
  const auto full = [](const std::string& head, const auto& piece,
                       const std::string& tail) {
    constexpr size_t kSize = (4 << 20) - 100;
    std::string text = head;
    for (int i = 0; text.size() < kSize && i < 120'000; ++i) text += piece(i);
    return text + tail;
  };
  const auto same = [](std::string piece) { return [=](int) { return piece; }; };
  const std::string flow = "{version: 1, source: a.db, destination: b, streams: {";
  const std::vector<std::string> files = {
      full(
          flow, [](int i) { return fmt::format("t{}: {{zero_date: null}}, ", i); }, "}}"),
      full(
          std::string(kHead) + "streams:\n",
          [](int i) { return fmt::format("  t{}:\n    zero_date: null\n", i); }, ""),
      full(
          flow + "a: {columns: [", [](int i) { return fmt::format("c{0}, d{0}, ", i); },
          "z]}}}"),
      full(
          flow, [](int i) { return fmt::format("t{}: {{}}, ", i); }, "z: {bogus: 1}}}"),
      full(flow + "a: {where: \"", same("id > 1 and "), "1\", bogus: 1}}}"),
      full("", same("["), ""),
      full("", same("{a: "), ""),
      full("", same("- "), ""),
      full("source: ", same("a://b:"), ""),
      full("{source: x, ", same("://, "), ""),
  };
  for (const std::string& text : files) {
    // Of this process: others may be busy. Under the sanitizers it takes seconds; it had been minutes.
    const clock_t begun = clock();
    const auto job = ParseJob({"shop.yaml", text});
    EXPECT_LT(clock() - begun, 20 * CLOCKS_PER_SEC)
        << text.substr(0, 80) << job.status().message();
  }
}

}  // namespace
}  // namespace sluice
