#include "base/uri.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

Uri Parsed(std::string_view text) {
  auto uri = ParseUri(text);
  EXPECT_TRUE(uri.ok()) << uri.status().ToString();
  return uri.ok() ? *uri : Uri{};
}

std::string Refused(std::string_view text) {
  auto uri = ParseUri(text);
  EXPECT_FALSE(uri.ok()) << text;
  if (uri.ok()) return {};
  EXPECT_EQ(KindOf(uri.status()), ErrorKind::kUsage);
  return uri.status().message();
}

TEST(Uri, ThreeSlashesAreAbsoluteAndNoneIsRelative) {
  EXPECT_EQ(Parsed("sqlite:///data/abs.db").path, "/data/abs.db");
  EXPECT_EQ(Parsed("sqlite:///data/abs.db").authority, "");
  EXPECT_EQ(Parsed("sqlite:rel.db").path, "rel.db");
  EXPECT_EQ(Parsed("sqlite:../rel.db").path, "../rel.db");
  EXPECT_EQ(Parsed("file:/abs").path, "/abs");
  EXPECT_EQ(Parsed("FILE:rel").scheme, "file");
}

TEST(Uri, TwoSlashesNameAHost) {
  EXPECT_EQ(Parsed("sqlite://rel.db").authority, "rel.db");
  EXPECT_EQ(Parsed("mysql://reader@db:3306/shop?tls=required").authority,
            "reader@db:3306");
  EXPECT_EQ(Parsed("mysql://reader@db:3306/shop?tls=required").path, "/shop");
  EXPECT_EQ(Parsed("mysql://reader@db:3306/shop?tls=required").query.at("tls"),
            "required");
}

TEST(Uri, ABarePathIsTakenAsWritten) {
  EXPECT_EQ(Parsed("a b%20c?d#e.db").path, "a b%20c?d#e.db");
  EXPECT_EQ(Parsed("./odd:name.db").path, "./odd:name.db");
  EXPECT_EQ(Parsed("/abs.db").scheme, "");
  EXPECT_EQ(Parsed(":memory:").path, ":memory:");
}

TEST(Uri, PercentSequencesAreDecoded) {
  EXPECT_EQ(Parsed("sqlite:///a%20b%23%3f%25.db").path, "/a b#?%.db");
  EXPECT_EQ(Parsed("sqlite:x.db?na%20me=va%26l").query.at("na me"), "va&l");
}

TEST(Uri, EncodingAPathIsUndoneByParsing) {
  const std::string path = "/a b%#?\"<>\x01\xc3\xa9.db";
  EXPECT_EQ(Parsed("sqlite://" + EncodeUriPath(path)).path, path);
}

TEST(Uri, WhatCannotBeUsedIsRefusedWithTheReason) {
  EXPECT_EQ(Refused(""), "expected a URI or a path, found nothing");
  EXPECT_EQ(Refused(std::string_view("a\0b", 3)),
            "not a usable URI, it holds a NUL: a\\x00b");
  EXPECT_EQ(Refused("sqlite:a%00b"),
            "not a usable URI, it holds a NUL (%00): sqlite:a%00b");
  EXPECT_EQ(Refused("sqlite:100%.db"),
            "not a usable URI, a % without two hex digits after it: sqlite:100%.db");
  EXPECT_EQ(Refused("sqlite:a%2"),
            "not a usable URI, a % without two hex digits after it: sqlite:a%2");
  EXPECT_EQ(Refused("sqlite:a#b.db"), "not a usable URI, it holds a #: sqlite:a#b.db");
  EXPECT_EQ(Refused("file:a?x=1&x=2"),
            "not a usable URI, the option x is given twice: file:a?x=1&x=2");
}

TEST(Uri, ARefusalShowsNoPassword) {
  EXPECT_EQ(Refused("mysql://u:secret@h/d#x"),
            "not a usable URI, it holds a #: mysql://u:***@h/d#x");
}

TEST(UriAuthorityTest, UserPasswordHostAndPortAreTakenApart) {
  const auto parts = [](std::string_view text) {
    return ParseAuthority(ParseUri(text).ValueOrDie());
  };
  const UriAuthority whole =
      parts("mysql://us%3Aer:p%40ss:w@db.example:3307/x").ValueOrDie();
  EXPECT_EQ(whole.user, "us:er");
  EXPECT_EQ(whole.password, "p@ss:w");
  EXPECT_EQ(whole.host, "db.example");
  EXPECT_EQ(whole.port, 3307);
  EXPECT_EQ(parts("mysql://[::1]:3307/x").ValueOrDie().host, "::1");
  EXPECT_EQ(parts("mysql://db/x").ValueOrDie().port, 0);
  EXPECT_EQ(parts("mysql://u@db/x").ValueOrDie().password, "");
  for (const char* bad : {"mysql://u:secret@db:/x", "mysql://u:secret@db:0/x",
                          "mysql://u:secret@db:65536/x", "mysql://u:secret@[::1/x"}) {
    const Status status = parts(bad).status();
    EXPECT_EQ(IdOf(status), "uri.malformed") << bad;
    EXPECT_EQ(status.ToString().find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice
