/// Mutations of a corpus that is kept (tests/corpus/job): whatever stands in a job file, it is read or
/// refused, and said why in one line of the file.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "app/job.h"
#include "arrow/util/utf8.h"

namespace sluice {
namespace {

/// What a mutation puts in: what parsers trip over.
constexpr std::string_view kPieces[] = {"*",
                                        "&a ",
                                        "*a",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        ": ",
                                        "- ",
                                        "\"",
                                        "'",
                                        "|\n",
                                        ">\n",
                                        "\t",
                                        "\n",
                                        "#",
                                        "${env:HOME}",
                                        "${file:/etc/passwd}",
                                        "${cmd:x}",
                                        "${",
                                        "null",
                                        "~",
                                        "no",
                                        "true",
                                        "!!str ",
                                        "<<: *a",
                                        "---\n",
                                        "\xEF\xBB\xBF",
                                        "\xE2\x80\xAE",
                                        "\xFF",
                                        "\\x00",
                                        "%",
                                        "zstd:99",
                                        "999999999999999999999",
                                        "0",
                                        "-1",
                                        "128MiB",
                                        "mysql://u:p@h/d",
                                        "s3://",
                                        "sqlite:",
                                        "{load}",
                                        "secrets: {source.password: x}",
                                        "defaults:",
                                        "exclude: true",
                                        "sql: select 1"};

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  std::string Mutated(const std::vector<std::string>& corpus) {
    std::string text = corpus[Below(corpus.size())];
    for (size_t i = 1 + Below(4); i > 0; --i) Change(corpus, &text);
    return text;
  }

 private:
  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  void Change(const std::vector<std::string>& corpus, std::string* text) {
    const size_t at = Below(text->size() + 1);
    const size_t length = std::min(Below(20), text->size() - at);
    switch (Below(6)) {
      case 0: text->erase(at, length); break;
      case 1: text->insert(at, text->substr(Below(text->size() + 1), length)); break;
      case 2: text->insert(at, kPieces[Below(std::size(kPieces))]); break;
      case 3: text->replace(at, length, kPieces[Below(std::size(kPieces))]); break;
      case 4:
        if (at < text->size()) (*text)[at] = static_cast<char>(Below(256));
        break;
      default: {
        const std::string& other = corpus[Below(corpus.size())];
        *text = text->substr(0, at) + other.substr(Below(other.size() + 1));
      }
    }
  }

  std::mt19937 random_;
};

std::vector<std::string> Corpus() {
  std::vector<std::string> corpus;
  const auto folder =
      std::filesystem::path(__FILE__).parent_path() / "../../tests/corpus/job";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    corpus.push_back(text.str());
  }
  std::ranges::sort(corpus);  // folders have no order
  return corpus;
}

TEST(JobFuzz, WhateverStandsInAFileItIsReadOrRefusedInWords) {
  const char* wanted = std::getenv("SLUICE_FUZZ_ROUNDS");
  const int rounds = wanted == nullptr ? 6'000 : std::atoi(wanted);
  const std::vector<std::string> corpus = Corpus();
  ASSERT_GE(corpus.size(), 8u);
  Mutator mutator(20'240'607);
  arrow::util::InitializeUTF8();
  int read = 0, refused = 0;
  for (int i = 0; i < rounds; ++i) {
    const std::string text = mutator.Mutated(corpus);
    const auto job = ParseJob({"fuzz.yaml", text});
    if (job.ok()) {
      ++read;
      EXPECT_FALSE(job->source.empty() || job->destination.empty() ||
                   job->streams.empty())
          << text;
      continue;
    }
    ++refused;
    const Status& status = job.status();
    EXPECT_EQ(KindOf(status), ErrorKind::kUsage) << status.ToString() << "\n" << text;
    EXPECT_NE(IdOf(status), "") << status.ToString() << "\n" << text;
    EXPECT_TRUE(status.message().starts_with("fuzz.yaml:")) << status.ToString() << "\n"
                                                            << text;
    EXPECT_TRUE(arrow::util::ValidateUTF8(status.message())) << text;
    EXPECT_LE(std::ranges::count(status.message(), '\n'), 2) << status.ToString() << "\n"
                                                             << text;
    EXPECT_LT(status.message().size(), 20'000u) << text;
    if (HasFailure()) break;
  }
  // Both happen, else the corpus or the mutations are no good.
  EXPECT_GT(read, rounds / 50);
  EXPECT_GT(refused, rounds / 4);
}

TEST(JobFuzz, TheCorpusItselfIsRead) {
  for (const std::string& text : Corpus()) {
    const auto job = ParseJob({"corpus.yaml", text});
    EXPECT_TRUE(job.ok()) << job.status().ToString() << "\n" << text;
  }
}

}  // namespace
}  // namespace sluice
