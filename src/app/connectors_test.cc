#include "app/connectors.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sluice {
namespace {

namespace fs = std::filesystem;

class ConnectorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (fs::temp_directory_path() / "sluice-connectors-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = fs::canonical(pattern);
    before_ = fs::current_path();
    fs::current_path(root_);
  }
  void TearDown() override {
    fs::current_path(before_);
    fs::remove_all(root_);
  }
  static std::string Told(const Status& status) {
    EXPECT_EQ(KindOf(status), ErrorKind::kUsage);
    return status.message() + " | " + std::string(HintOf(status));
  }
  fs::path root_, before_;
};

TEST_F(ConnectorsTest, ABarePathIsASqliteFileOrAFolder) {
  const auto source = ResolveSource("shop.db");
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(source->scheme, "sqlite");
  EXPECT_EQ(source->path, (root_ / "shop.db").string());
  EXPECT_EQ(source->uri, "sqlite://" + (root_ / "shop.db").string());
  const auto destination = ResolveDestination("lake/");
  ASSERT_TRUE(destination.ok());
  EXPECT_EQ(destination->uri, "file://" + (root_ / "lake").string());
}

TEST_F(ConnectorsTest, OnePlaceHasOneText) {
  std::ofstream("shop.db") << "x";
  fs::create_symlink("shop.db", "link.db");
  const std::string uri = ResolveSource("shop.db")->uri;
  EXPECT_EQ(ResolveSource("./shop.db")->uri, uri);
  EXPECT_EQ(ResolveSource("sqlite:shop.db")->uri, uri);
  EXPECT_EQ(ResolveSource("sqlite://localhost" + (root_ / "shop.db").string())->uri, uri);
  EXPECT_EQ(ResolveSource("link.db")->uri, uri);
  EXPECT_EQ(ResolveSource("../" + root_.filename().string() + "/shop.db")->uri, uri);
}

TEST_F(ConnectorsTest, APlaceOnS3IsNamedByBucketPrefixAndEndpointOnly) {
  const Endpoint place = *ResolveDestination(
      "s3://lake/raw//?region=eu-west-1&endpoint=http://127.0.0.1:9/&sse=AES256");
  EXPECT_EQ(place.scheme, "s3");
  EXPECT_EQ(place.path, "");
  EXPECT_EQ(place.uri, "s3://lake/raw?endpoint=http://127.0.0.1:9");
  EXPECT_EQ(UriBelow(place, "main/a b"),
            "s3://lake/raw/main/a%20b?endpoint=http://127.0.0.1:9");
  EXPECT_EQ((*OpenStore(place))->Describe(), place.uri);
  const Endpoint root =
      *ResolveRoot("s3://lake/raw", "s3://lake/raw/x.json?endpoint=http://127.0.0.1:9");
  EXPECT_EQ(root.uri, place.uri);
  for (const char* uri :
       {"s3:///raw", "s3://My_Bucket", "s3://-lake", "s3://a..b", "s3://ab"})
    EXPECT_EQ(IdOf(ResolveDestination(uri).status()), "uri.no-bucket") << uri;
  EXPECT_TRUE(ResolveDestination("s3://My_Bucket/raw?path_style=true").ok());
  EXPECT_EQ(Told(ResolveDestination("s3://lake?regoin=x").status()),
            "s3: has no option regoin | did you mean region?");
  EXPECT_EQ(IdOf(ResolveDestination("s3://lake?part_size=1").status()), "uri.bad-option");
  EXPECT_EQ(IdOf(ResolveDestination("s3://lake?endpoint=lake.corp").status()),
            "uri.bad-option");
}

TEST_F(ConnectorsTest, ASchemeOfALaterVersionIsNamed) {
  const std::string source_hint =
      "usable as a source: sqlite:///absolute.db, sqlite:relative.db or a path; "
      "mysql://user:password@host:port/database; "
      "mariadb://user:password@host:port/database";
  const std::string destination_hint =
      "usable as a destination: file:///absolute/folder, file:relative/folder or a path; "
      "s3://bucket/prefix?endpoint=…&region=…";
  EXPECT_EQ(Told(ResolveSource("postgres://reader:secret@db/shop").status()),
            "postgres: is not in this version as a source | " + source_hint);
  EXPECT_EQ(Told(ResolveDestination("gs://lake/raw").status()),
            "gs: is not in this version as a destination | " + destination_hint);
  EXPECT_EQ(
      Told(ResolveDestination("iceberg+glue://x").status()),
      "iceberg+glue: is not in this version as a destination | " + destination_hint);
  EXPECT_EQ(Told(ResolveDestination("sqlite:a.db").status()),
            "sqlite: is a source, not a destination | " + destination_hint);
  EXPECT_EQ(Told(ResolveSource("file:///lake").status()),
            "file: is a destination, not a source | " + source_hint);
}

TEST_F(ConnectorsTest, AnUnknownSchemeIsToldTheNearest) {
  EXPECT_EQ(Told(ResolveSource("sqlit:///a.db").status()),
            "unknown scheme sqlit: | did you mean sqlite?");
  EXPECT_EQ(Told(ResolveDestination("fil:///lake").status()),
            "unknown scheme fil: | did you mean file?");
  EXPECT_EQ(Told(ResolveSource("oracle://x").status()),
            "unknown scheme oracle: | usable as a source: sqlite:///absolute.db, "
            "sqlite:relative.db or a "
            "path; mysql://user:password@host:port/database; "
            "mariadb://user:password@host:port/database; a path with a colon begins with "
            "./");
}

TEST_F(ConnectorsTest, AServerIsKnownByHostAndDatabaseWithoutSecrets) {
  const auto source = ResolveSource("mysql://reader:se%40cret@DB.example/shop");
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->uri, "mysql://DB.example:3306/shop");
  EXPECT_EQ(source->path, "");
  EXPECT_EQ(ResolveSource("mysql://other@[::1]:3307/shop")->uri,
            "mysql://[::1]:3307/shop");
  EXPECT_TRUE(CheckApart(*source, *ResolveDestination("lake"), "state.db").ok());
  for (const char* bad : {"mysql://db/shop", "mysql://u@/shop", "mysql://u@db",
                          "mysql://u:secret@db:0/shop", "mysql://u:secret@db:x/shop",
                          "mysql://u:secret@db/shop?tls=maybe",
                          "mysql://u:secret@db/shop?nonsense=1", "mysql:shop"}) {
    SCOPED_TRACE(bad);
    EXPECT_EQ(Told(ResolveSource(bad).status()).find("secret"), std::string::npos);
  }
}

TEST_F(ConnectorsTest, EveryOptionThatIsListedIsKnown) {
  int known = 0;
  for (const ConnectorInfo& connector : Connectors()) {
    for (const ConnectorOption& option : connector.options) {
      SCOPED_TRACE(std::string(connector.scheme) + " " + std::string(option.name));
      const std::string uri =
          connector.is_source ? std::string(connector.scheme) + "://u:p@localhost/shop?"
                              : std::string(connector.scheme) + "://bucket?";
      const std::string text = uri + std::string(option.name) + "=1";
      const Status status = connector.is_source ? ResolveSource(text).status()
                                                : ResolveDestination(text).status();
      EXPECT_NE(IdOf(status), "uri.unknown-option") << status;
      ++known;
    }
  }
  EXPECT_EQ(known, 4 + 4 + 11);
}

TEST_F(ConnectorsTest, HostsOptionsAndMissingPathsAreRefused) {
  EXPECT_EQ(Told(ResolveSource("sqlite://shop.db").status()),
            "sqlite://shop.db has two slashes, so shop.db is read as a host | an "
            "absolute path has three "
            "slashes, sqlite:///shop.db; a relative one none, sqlite:shop.db");
  EXPECT_EQ(Told(ResolveSource("sqlite:shop.db?mode=ro").status()),
            "sqlite: has no options in this version, found mode | a ? that belongs to "
            "the name is written as "
            "%3F, or give the path without a scheme");
  EXPECT_EQ(Told(ResolveSource("sqlite:").status()), "expected a path after sqlite: | ");
  EXPECT_EQ(Told(ResolveSource(":memory:").status()),
            "a database in memory has nothing to copy | ");
  EXPECT_EQ(Told(ResolveSource("").status()),
            "expected a URI or a path, found nothing | ");
}

TEST_F(ConnectorsTest, ADestinationThatIsTheDatabaseIsRefused) {
  const Endpoint source = *ResolveSource("shop.db");
  const std::string state = (root_ / "state.db").string();
  EXPECT_TRUE(CheckApart(source, *ResolveDestination("lake"), state).ok());
  EXPECT_TRUE(CheckApart(source, *ResolveDestination("."), state).ok());
  for (const char* folder : {"shop.db", "shop.db/lake", "shop.db-wal"}) {
    const Status status = CheckApart(source, *ResolveDestination(folder), state);
    EXPECT_EQ(IdOf(status), "job.destination-is-source") << folder;
    EXPECT_EQ(KindOf(status), ErrorKind::kUsage);
  }
  EXPECT_EQ(IdOf(CheckApart(source, *ResolveDestination("lake"), "shop.db")),
            "job.state-is-source");
  EXPECT_EQ(IdOf(CheckApart(source, *ResolveDestination("state.db"), state)),
            "job.destination-is-state");
}

TEST_F(ConnectorsTest, AStateInAServerIsOpenedWithItsSecretAndShownWithout) {
  ASSERT_EQ(setenv("STATE_PASSWORD_OF_A_TEST", "p@ss/word", 1), 0);
  const std::string state = *StatePath(
      "mysql://u:${env:STATE_PASSWORD_OF_A_TEST}@127.0.0.1:3307/jobs?tls=disabled");
  EXPECT_EQ(state, "mysql://u:p%40ss%2Fword@127.0.0.1:3307/jobs?tls=disabled");
  EXPECT_FALSE(IsStateFile(state));
  EXPECT_EQ(ShownState(state), "mysql://127.0.0.1:3307/jobs");
  EXPECT_EQ(IdOf(StatePath("mysql://u:${env:NO_SUCH_VARIABLE}@h/d").status()),
            "secret.variable");
  EXPECT_EQ(IdOf(StatePath("mysq://u:hush@h/d").status()), "uri.unknown-scheme");
  EXPECT_EQ(IdOf(StatePath("sqlite:///a.db").status()), "uri.wrong-role");
  EXPECT_EQ(IdOf(StatePath("mysql://u:a/b@h/d").status()), "uri.malformed");
  for (const std::string path : {"a.db", "/a/b.db", "a:b", "./x://y"}) {
    EXPECT_TRUE(IsStateFile(path)) << path;
    EXPECT_EQ(ShownState(path), path);
  }
}

TEST_F(ConnectorsTest, TheStateIsWhereTheFlagOrTheHomeSays) {
  const auto set = [](const char* name, const char* value) {
    return value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  };
  const char* home = getenv("HOME");
  const std::string saved = home == nullptr ? "" : home;
  ASSERT_EQ(set("XDG_STATE_HOME", "/x"), 0);
  ASSERT_EQ(set("HOME", "/h"), 0);
  EXPECT_EQ(*StatePath("mine.db"), "mine.db");
  EXPECT_EQ(*StatePath(""), "/x/sluice/state.db");
  ASSERT_EQ(set("XDG_STATE_HOME", "relative"), 0);
  EXPECT_EQ(*StatePath(""), "/h/.local/state/sluice/state.db");
  ASSERT_EQ(set("XDG_STATE_HOME", nullptr), 0);
  EXPECT_EQ(*StatePath(""), "/h/.local/state/sluice/state.db");
  ASSERT_EQ(set("HOME", nullptr), 0);
  EXPECT_EQ(Told(StatePath("").status()),
            "no place for the state: neither XDG_STATE_HOME nor HOME is an absolute path "
            "| say where with "
            "--state PATH");
  ASSERT_EQ(set("HOME", saved.c_str()), 0);
}

}  // namespace
}  // namespace sluice
