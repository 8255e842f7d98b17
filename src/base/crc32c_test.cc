#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace sluice {
namespace {

TEST(Crc32c, HasTheCheckValuesOfRfc3720) {
  EXPECT_EQ(ExtendCrc32c(0, "123456789"), 0xE3069283u);
  EXPECT_EQ(ExtendCrc32cPortable(0, "123456789"), 0xE3069283u);
  EXPECT_EQ(ExtendCrc32c(0, std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(ExtendCrc32c(0, std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(ExtendCrc32c(0, ""), 0u);
}

TEST(Crc32c, BothFormsAgreeAtEveryLengthAndCut) {
  std::mt19937_64 random(7);
  for (size_t size = 0; size < 300; ++size) {
    std::string bytes(size, 0);
    for (char& byte : bytes) byte = static_cast<char>(random());
    const uint32_t whole = ExtendCrc32c(0, bytes);
    EXPECT_EQ(whole, ExtendCrc32cPortable(0, bytes)) << size;
    const size_t cut = size == 0 ? 0 : random() % size;
    const std::string_view view(bytes);
    EXPECT_EQ(whole,
              ExtendCrc32c(ExtendCrc32c(0, view.substr(0, cut)), view.substr(cut)));
    EXPECT_EQ(whole, ExtendCrc32cPortable(ExtendCrc32cPortable(0, view.substr(0, cut)),
                                          view.substr(cut)));
  }
}

}  // namespace
}  // namespace sluice
