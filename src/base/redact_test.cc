#include "base/redact.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Redact, HidesThePasswordOfAUri) {
  EXPECT_EQ(Redact("mysql://reader:hunter2@db:3306/shop"),
            "mysql://reader:***@db:3306/shop");
  EXPECT_EQ(Redact("cannot open mysql://u:p@ss/w?rd@db/shop now"),
            "cannot open mysql://u:***@db/shop now");
  EXPECT_EQ(Redact("mysql://:x@db"), "mysql://:***@db");
  EXPECT_EQ(Redact("two: a://u:1@h and b://v:2@h"), "two: a://u:***@h and b://v:***@h");
}

TEST(Redact, KeepsAUriWithoutAPassword) {
  EXPECT_EQ(Redact("mysql://reader@db:3306/shop"), "mysql://reader@db:3306/shop");
  EXPECT_EQ(Redact("file:///data/lake"), "file:///data/lake");
  EXPECT_EQ(Redact("http://host:80/a/b"), "http://host:80/a/b");
}

TEST(Redact, HidesValuesOfSecretNamesInEveryNotation) {
  EXPECT_EQ(Redact("?password=abc&x=1"), "?password=***&x=1");
  EXPECT_EQ(Redact("AWS_SECRET_ACCESS_KEY=abc/def+g"), "AWS_SECRET_ACCESS_KEY=***");
  EXPECT_EQ(Redact("source.password: abc"), "source.password: ***");
  EXPECT_EQ(Redact(R"({"session_token": "a b\"c", "n": 1})"),
            R"({"session_token": "***", "n": 1})");
  EXPECT_EQ(Redact(R"("message":"bad password=\"abc\" given")"),
            R"("message":"bad password=\"***\" given")");
  EXPECT_EQ(Redact("PWD='a b'; x"), "PWD='***'; x");
  EXPECT_EQ(Redact("api-key = zzz"), "api-key = ***");
}

TEST(Redact, HidesAuthorization) {
  EXPECT_EQ(Redact("Authorization: Bearer abcdef123456"), "Authorization: Bearer ***");
  EXPECT_EQ(Redact("Authorization: Basic dXNlcjpwYXNz"), "Authorization: Basic ***");
}

TEST(Redact, KeepsReferences) {
  for (const char* text :
       {R"(source.password: "${env:SHOP_PASSWORD}")",
        "password=${file:/run/secrets/shop}", "mysql://reader:${env:SHOP}@db/shop"})
    EXPECT_EQ(Redact(text), text);
  EXPECT_EQ(Redact(R"(password: "${env:A}x")"), R"(password: "***")");
  EXPECT_EQ(Redact(R"(password: "${cmd:echo abc}")"), R"(password: "***")");
}

TEST(Redact, APasswordOfAUriMayHoldAnyCharacter) {
  for (const std::string password :
       {"my SECRET", "my'SECRET", "my\"SECRET", "my<SECRET>", "my SECRET#", "a@b SECRET",
        "12 SECRET", "12/SECRET", "a b'c\"d<e>SECRET?f"}) {
    EXPECT_EQ(RedactUri("mysql://u:" + password + "@h:3306/d?tls=off"),
              "mysql://u:***@h:3306/d?tls=off");
    EXPECT_EQ(RedactUri("--source=mysql://u:" + password + "@h/d"),
              "--source=mysql://u:***@h/d");
  }
  EXPECT_EQ(RedactUri("mysql://u:my SECRET"), "mysql://u:***")
      << "the host was forgotten";
  EXPECT_EQ(RedactUri("s3://b/p?secret_key=my SECRET&region=x"),
            "s3://b/p?secret_key=***&region=x");
  EXPECT_EQ(RedactUri("mysql://u:${env:A}@h/d"), "mysql://u:${env:A}@h/d");
  EXPECT_EQ(RedactUri("mysql://${env:U}:${env:A}@h/d"), "mysql://${env:U}:${env:A}@h/d");
  for (const char* same :
       {"shop db", "sqlite:///a b.db", "s3://b/p?region=x", "mysql://u@h:3306/d",
        "mysql://[::1]:3306/d", "--where", "--where=id > 1", "--", ""})
    EXPECT_EQ(RedactUri(same), same);
}

TEST(Redact, ASpaceInAPasswordHidesUpToTheHost) {
  EXPECT_EQ(Redact(R"("command":"copy 'mysql://u:my SECRET@h/d' lake")"),
            R"("command":"copy 'mysql://u:***@h/d' lake")");
  EXPECT_EQ(Redact("cannot open mysql://u:my SECRET@h/d now"),
            "cannot open mysql://u:***@h/d now");
  EXPECT_EQ(Redact("http://h:80/a is not b@c"), "http://h:80/a is not b@c");
}

TEST(Redact, WhatIsASecretIsHiddenWhereverItStands) {
  HideLiterally("hush");
  HideLiterally("quite#Secret");
  HideLiterally("quite#Secret2");
  HideLiterally("abc");
  EXPECT_EQ(Redact("said 'hush' to xquite#Secretx"), "said '***' to x***x");
  EXPECT_EQ(Redact("quite#Secret2"), "***");
  EXPECT_EQ(Redact("abc hushed"), "abc hushed") << "too short, and another word";
}

TEST(Redact, WhatIsNoNameOfAVariableIsNoReference) {
  EXPECT_EQ(RedactUri("mysql://u:${SECRET}@h/d"), "mysql://u:***@h/d");
  EXPECT_EQ(RedactUri("mysql://u:${env:SECRET!}@h/d"), "mysql://u:***@h/d");
}

TEST(Redact, KeepsAServersSentenceAboutALogin) {
  for (const char* text :
       {"refused the login: Access denied for user 'a'@'b' (using password: YES)",
        "refused the login: Access denied for user 'a'@'b' (using password: NO)"})
    EXPECT_EQ(Redact(text), text);
  EXPECT_EQ(Redact("password: YES"), "password: ***");
  EXPECT_EQ(Redact("password: YESTERDAY)"), "password: ***)");
  EXPECT_EQ(Redact("password: hunter2"), "password: ***");
}

TEST(Redact, KeepsProse) {
  EXPECT_EQ(Redact("the password is wrong"), "the password is wrong");
  EXPECT_EQ(Redact("secretary: Anne"), "secretary: Anne");
  EXPECT_EQ(Redact("basic types"), "basic types");
  EXPECT_EQ(Redact(""), "");
}

}  // namespace
}  // namespace sluice
