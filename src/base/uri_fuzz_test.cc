/// Mutations of a corpus that is kept (tests/corpus/uri): a URI is read or refused, and a password that
/// was hidden in it is told to nobody.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/redact.h"
#include "base/uri.h"

namespace sluice {
namespace {

constexpr std::string_view kPieces[] = {
    "%",    "%00", "%2F", "%ff", "@",     ":",     "/",    "//", "?",
    "#",    "&",   "=",   "[",   "]",     "..",    ".",    " ",  "\t",
    "\xff", "\n",  "://", "s3",  "mysql", "65536", "tls=", "=&="};

std::vector<std::string> Corpus() {
  std::vector<std::string> corpus;
  const auto folder =
      std::filesystem::path(__FILE__).parent_path() / "../../tests/corpus/uri";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream lines(entry.path());
    for (std::string line; std::getline(lines, line);) corpus.push_back(line);
  }
  std::ranges::sort(corpus);
  return corpus;
}

std::string Mutated(const std::vector<std::string>& corpus, std::mt19937* random) {
  const auto below = [&](size_t bound) { return bound == 0 ? 0 : (*random)() % bound; };
  std::string text = corpus[below(corpus.size())];
  for (size_t i = 1 + below(4); i > 0; --i) {
    const size_t at = below(text.size() + 1);
    const size_t length = std::min(below(8), text.size() - at);
    switch (below(4)) {
      case 0: text.erase(at, length); break;
      case 1: text.insert(at, kPieces[below(std::size(kPieces))]); break;
      case 2: text.replace(at, length, kPieces[below(std::size(kPieces))]); break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
    }
  }
  return text;
}

TEST(UriFuzz, AnyTextIsReadOrRefused) {
  const char* wanted = std::getenv("SLUICE_FUZZ_ROUNDS");
  const int rounds = wanted == nullptr ? 60'000 : 10 * std::atoi(wanted);
  const std::vector<std::string> corpus = Corpus();
  ASSERT_GE(corpus.size(), 20u);
  std::mt19937 random(20'240'607);
  int read = 0, refused = 0;
  for (int i = 0; i < rounds && !::testing::Test::HasFailure(); ++i) {
    const std::string text = Mutated(corpus, &random);
    const auto uri = ParseUri(text);
    if (!uri.ok()) {
      ++refused;
      EXPECT_EQ(KindOf(uri.status()), ErrorKind::kUsage) << text;
      continue;
    }
    ++read;
    const auto authority = ParseAuthority(*uri);
    if (!authority.ok()) {
      EXPECT_EQ(KindOf(authority.status()), ErrorKind::kUsage) << text;
    } else {
      EXPECT_GE(authority->port, 0) << text;
      EXPECT_LE(authority->port, 65'535) << text;
    }
    if (uri->scheme.empty()) {
      EXPECT_EQ(uri->path, text);
      continue;
    }
    // What is written out again is read as the same place.
    const auto again = ParseUri(uri->scheme + "://h/" + EncodeUriPath(uri->path));
    ASSERT_TRUE(again.ok()) << text << "\n" << again.status().ToString();
    EXPECT_EQ(again->path, "/" + uri->path) << text;
  }
  EXPECT_GT(read, rounds / 10);
  EXPECT_GT(refused, rounds / 50);
}

TEST(UriFuzz, APasswordWithoutBlanksIsNeverShown) {
  std::mt19937 random(7);
  constexpr std::string_view kLetters = "abz019@/:?#%&=+;,.!$*()[]{}|~^`\\";
  for (int i = 0; i < 20'000; ++i) {
    std::string password = "hunter2";
    for (size_t n = random() % 6; n > 0; --n)
      password.insert(password.begin() + static_cast<int>(random() % 2) * 7,
                      kLetters[random() % kLetters.size()]);
    const std::string uri = "mysql://u:" + password + "@h/d";
    ASSERT_EQ(Redact(uri).find("hunter2"), std::string::npos) << uri;
    const auto parsed = ParseUri(uri);
    if (!parsed.ok()) {
      ASSERT_EQ(parsed.status().ToString().find("hunter2"), std::string::npos) << uri;
    }
  }
}

}  // namespace
}  // namespace sluice
