#include "driver/aws_signature.h"

#include <gtest/gtest.h>

#include "base/sha256.h"

namespace sluice::aws {
namespace {

// The examples of "Signature Calculations for the Authorization Header", S3's API reference.
const Credentials kExample = {"AKIAIOSFODNN7EXAMPLE",
                              "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", 0, ""};
constexpr int64_t k20130524 = 1'369'353'600'000'000;

Unsigned Example() {
  Unsigned request;
  request.method = "GET";
  request.scheme = "https";
  request.host = "examplebucket.s3.amazonaws.com";
  request.payload_hash = Sha256Hex("");
  return request;
}

std::string HeaderOf(const Signed& ready, const std::string& name) {
  for (const auto& header : ready.headers) {
    if (header.name == name) return header.value;
  }
  return "<none>";
}

std::string SignatureOf(const Unsigned& request) {
  const Signed ready = Sign(request, kExample, {"us-east-1", "s3", k20130524});
  const std::string authorization = HeaderOf(ready, "authorization");
  return authorization.substr(authorization.find("Signature=") + 10);
}

TEST(AwsSignature, GetObjectOfTheReference) {
  Unsigned request = Example();
  request.path = "/test.txt";
  request.headers = {{"range", "bytes=0-9"}};
  EXPECT_EQ(SignatureOf(request),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(AwsSignature, PutObjectOfTheReferenceWithADollarInItsKey) {
  Unsigned request = Example();
  request.method = "PUT";
  request.path = "/test$file.text";
  request.headers = {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                     {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
  request.payload_hash = Sha256Hex("Welcome to Amazon S3.");
  EXPECT_EQ(SignatureOf(request),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  const Signed ready = Sign(request, kExample, {"us-east-1", "s3", k20130524});
  EXPECT_EQ(ready.url, "https://examplebucket.s3.amazonaws.com/test%24file.text");
}

TEST(AwsSignature, AQueryWithoutAValueOfTheReference) {
  Unsigned request = Example();
  request.query = {{"lifecycle", ""}};
  EXPECT_EQ(SignatureOf(request),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(AwsSignature, AQueryOfTheReferenceInWhateverOrder) {
  Unsigned request = Example();
  request.query = {{"prefix", "J"}, {"max-keys", "2"}};
  EXPECT_EQ(SignatureOf(request),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
  std::swap(request.query[0], request.query[1]);
  EXPECT_EQ(SignatureOf(request),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(AwsSignature, QueriesAreSortedByNameThenValueNotAsText) {
  Unsigned request = Example();
  request.query = {{"a-b", "1"}, {"a", "2"}, {"a", "1"}, {"uploads", ""}};
  EXPECT_EQ(Sign(request, kExample, {"r", "s3", 0}).url,
            "https://examplebucket.s3.amazonaws.com/?a=1&a=2&a-b=1&uploads=");
}

TEST(AwsSignature, HeadersThatArePrefixesOfOthersAreSortedByTheirNames) {
  Unsigned request = Example();
  request.headers = {{"x-amz-copy-source-range", "b"}, {"x-amz-copy-source", "a"}};
  const Signed ready = Sign(request, kExample, {"us-east-1", "s3", k20130524});
  EXPECT_NE(HeaderOf(ready, "authorization")
                .find("SignedHeaders=host;x-amz-content-sha256;x-amz-copy-source;"
                      "x-amz-copy-source-range;x-amz-date,"),
            std::string::npos)
      << HeaderOf(ready, "authorization");
}

TEST(AwsSignature, BlanksInValuesAreCollapsed) {
  Unsigned one = Example(), other = Example();
  one.headers = {{"x-amz-meta-a", "  b   c "}};
  other.headers = {{"x-amz-meta-a", "b c"}};
  EXPECT_EQ(SignatureOf(one), SignatureOf(other));
}

TEST(AwsSignature, OddKeysAreEncodedByteByByteAndOnlyOnce) {
  EXPECT_EQ(UriEncode("a b/ü+%2F~*'()", Slash::kKeep),
            "a%20b/%C3%BC%2B%252F~%2A%27%28%29");
  EXPECT_EQ(UriEncode("a/b", Slash::kEncode), "a%2Fb");
  EXPECT_EQ(UriEncode(std::string_view("\0\x7f", 2), Slash::kKeep), "%00%7F");
}

TEST(AwsSignature, ASessionTokenIsSigned) {
  Credentials session = kExample;
  session.session_token = "token";
  const Signed ready = Sign(Example(), session, {"us-east-1", "s3", k20130524});
  EXPECT_EQ(HeaderOf(ready, "x-amz-security-token"), "token");
  EXPECT_NE(HeaderOf(ready, "authorization").find("x-amz-security-token,"),
            std::string::npos);
}

TEST(AwsSignature, NobodySignsNothing) {
  const Signed ready = Sign(Example(), Credentials(), {"us-east-1", "s3", k20130524});
  EXPECT_EQ(HeaderOf(ready, "authorization"), "<none>");
  EXPECT_EQ(HeaderOf(ready, "host"), "examplebucket.s3.amazonaws.com");
}

TEST(AwsSignature, TimesAreReadAsTheyAreWritten) {
  EXPECT_EQ(AmzDate(k20130524), "20130524T000000Z");
  EXPECT_EQ(MicrosOfIsoTime("2013-05-24T00:00:00.250Z"), k20130524 + 250'000);
  EXPECT_EQ(MicrosOfIsoTime("2013-05-24T00:00:01Z"), k20130524 + 1'000'000);
  EXPECT_EQ(MicrosOfHttpDate("Fri, 24 May 2013 00:00:00 GMT"), k20130524);
  EXPECT_EQ(MicrosOfIsoTime("yesterday"), 0);
  EXPECT_EQ(MicrosOfHttpDate(""), 0);
}

}  // namespace
}  // namespace sluice::aws
