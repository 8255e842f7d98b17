#include "base/uuid.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sluice {
namespace {

TEST(Uuid, CarriesTimeVersionAndVariant) {
  // The example of RFC 9562, appendix A.6: 2022-02-22T19:22:22Z.
  const std::string id = NewUuidV7(1645557742000'000);
  EXPECT_TRUE(IsUuid(id)) << id;
  EXPECT_EQ(id.substr(0, 13), "017f22e2-79b0");
  EXPECT_EQ(id[14], '7');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
}

TEST(Uuid, SortsByTimeToTheMicrosecond) {
  std::string before;
  for (int64_t micros = 1'700'000'000'000'000; micros < 1'700'000'000'003'000; ++micros) {
    const std::string id = NewUuidV7(micros);
    EXPECT_LT(before, id);
    before = id;
  }
}

TEST(Uuid, TenThousandOfOneInstantDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(NewUuidV7(1'700'000'000'000'000));
  EXPECT_EQ(seen.size(), 10'000u);
}

TEST(Uuid, ANonceIsSixteenLowerCaseHexDigits) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string nonce = NewNonce();
    EXPECT_EQ(nonce.size(), 16u);
    EXPECT_EQ(nonce.find_first_not_of("0123456789abcdef"), std::string::npos) << nonce;
    seen.insert(nonce);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(Uuid, OnlyTheCanonicalTextIsOne) {
  EXPECT_TRUE(IsUuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
  EXPECT_FALSE(IsUuid("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"));
  EXPECT_FALSE(IsUuid("017f22e279b07cc398c4dc0c0c07398f"));
  EXPECT_FALSE(IsUuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398"));
  EXPECT_FALSE(IsUuid("017f22e2-79b0-7cc3-98c4_dc0c0c07398f"));
  EXPECT_FALSE(IsUuid(""));
}

TEST(Uuid, VersionSevenSaysWhenItWasMade) {
  EXPECT_EQ(MicrosOfUuidV7(NewUuidV7(1'767'225'600'123'456)), 1'767'225'600'123'000);
  EXPECT_EQ(MicrosOfUuidV7("019c167f-cbff-4000-8000-000000000001"), std::nullopt);
  EXPECT_EQ(MicrosOfUuidV7("L1"), std::nullopt);
}

}  // namespace
}  // namespace sluice
