#include "app/streams.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

/// Knows names only.
class NamesOnly : public Session {
 public:
  NamesOnly(std::vector<TableName> base, std::vector<TableName> views)
      : base_(base), all_(base) {
    all_.insert(all_.end(), views.begin(), views.end());
  }
  Result<std::vector<TableName>> List(const Pattern& pattern) override {
    return pattern.views ? all_ : base_;
  }
  Result<TableInfo> Describe(const Relation&) override { return Unused(); }
  Result<std::optional<Key>> LastKey(const TableInfo&) override { return Unused(); }
  Result<std::optional<Key>> Bound(const TableInfo&, const KeyRange&, int64_t) override {
    return Unused();
  }
  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(const TableInfo&,
                                                         const KeyRange&,
                                                         const ReadContext&) override {
    return Unused();
  }
  Result<std::optional<Digest>> DigestOf(const TableInfo&, const KeyRange&) override {
    return Unused();
  }
  Status CheckUnchanged(const TableInfo&) override { return Unused(); }
  Status Cancel() override { return Unused(); }

 private:
  static Status Unused() { return Status::NotImplemented("only names"); }
  std::vector<TableName> base_, all_;
};

NamesOnly Shop() {
  return NamesOnly({{"main", "orders"},
                    {"main", "order_lines"},
                    {"main", "a.b"},
                    {"main", "tmp_1"},
                    {"main", "star*"}},
                   {{"main", "big_orders"}});
}

StreamEntry Entry(const std::string& pattern, const std::string& where = "") {
  StreamEntry entry;
  entry.pattern = pattern;
  entry.where = where;
  entry.place = {4, 3};
  return entry;
}

std::string NamesOf(const std::vector<StreamEntry>& entries) {
  NamesOnly session = Shop();
  Job job;
  job.file = {"shop.yaml", "\n\n\n  x: {}\n"};
  job.streams = entries;
  const auto streams = ChooseStreams(job, "main", session);
  if (!streams.ok())
    return "error: " + streams.status().message() + " | " +
           std::string(HintOf(streams.status()));
  std::string names;
  for (const ChosenStream& stream : *streams) {
    names += (names.empty() ? "" : " ") + stream.name;
    if (!stream.entry.where.empty()) names += "(" + stream.entry.where + ")";
  }
  return names;
}

TEST(Streams, NoEntryMeansEveryBaseTableAndNoView) {
  EXPECT_EQ(NamesOf({}), "orders order_lines a.b tmp_1 star*");
}

TEST(Streams, AnExactNameIsTriedBeforeSchemaAndBeforeGlob) {
  EXPECT_EQ(NamesOf({Entry("orders")}), "orders");
  EXPECT_EQ(NamesOf({Entry("main.orders")}), "orders");
  EXPECT_EQ(NamesOf({Entry("a.b")}), "a.b");
  EXPECT_EQ(NamesOf({Entry("\"a.b\"")}), "a.b");
  EXPECT_EQ(NamesOf({Entry("main.\"a.b\"")}), "a.b");
  EXPECT_EQ(NamesOf({Entry("star*")}), "star*");
  EXPECT_EQ(NamesOf({Entry("big_orders")}), "big_orders");
}

TEST(Streams, AGlobTakesBaseTablesInTheSourcesOrder) {
  EXPECT_EQ(NamesOf({Entry("order*")}), "orders order_lines");
  EXPECT_EQ(NamesOf({Entry("main.order*")}), "orders order_lines");
  EXPECT_EQ(NamesOf({Entry("tmp_?")}), "tmp_1");
  EXPECT_EQ(NamesOf({Entry("*orders")}), "orders");
}

TEST(Streams, AnExactNameWinsOverGlobsAndAnEarlierGlobOverALater) {
  EXPECT_EQ(
      NamesOf({Entry("order*", "first"), Entry("*", "second"), Entry("orders", "exact")}),
      "orders(exact) order_lines(first) a.b(second) tmp_1(second) star*(second)");
}

TEST(Streams, WhatIsNotThereIsToldWithTheNearest) {
  EXPECT_EQ(
      NamesOf({Entry("ordrs")}),
      "error: shop.yaml:4:3: no such table: ordrs\n  4 |   x: {}\n    |   ^ | did you mean orders?");
  EXPECT_EQ(
      NamesOf({Entry("fruit")}),
      "error: shop.yaml:4:3: no such table: fruit\n  4 |   x: {}\n    |   ^ | sluice discover lists the "
      "tables of a source");
  EXPECT_EQ(
      NamesOf({Entry("fruit*")}),
      "error: shop.yaml:4:3: no table matches fruit*\n  4 |   x: {}\n    |   ^ | sluice discover lists the "
      "tables of a source");
  EXPECT_EQ(
      NamesOf({Entry("orders"), Entry("main.orders")}),
      "error: shop.yaml:4:3: the table main.orders is named twice\n  4 |   x: {}\n    |   ^ | remove one of the two");
}

StreamEntry Excluded(const std::string& pattern) {
  StreamEntry entry = Entry(pattern);
  entry.exclude = true;
  return entry;
}

StreamEntry Query(const std::string& name) {
  StreamEntry entry = Entry(name, "query");
  entry.sql = "select 1";
  return entry;
}

TEST(Streams, WhatIsExcludedLeavesOtherGlobs) {
  EXPECT_EQ(NamesOf({Entry("*"), Excluded("tmp_*"), Excluded("main.\"a.b\"")}),
            "orders order_lines star*");
  EXPECT_EQ(NamesOf({Excluded("nothing_*"), Entry("orders")}), "orders");
  EXPECT_EQ(
      NamesOf({Entry("tmp_?"), Excluded("tmp_*")}),
      "error: shop.yaml:4:3: every table that matches is excluded: tmp_?\n  4 |   x: {}\n "
      "   |   ^ | remove the glob, or exclude less");
  EXPECT_EQ(
      NamesOf({Entry("orders"), Excluded("order*")}),
      "error: shop.yaml:4:3: the table main.orders is named, and excluded too\n  4 |   "
      "x: {}\n    |   ^ | remove one of the two");
  EXPECT_EQ(
      NamesOf({Entry("*"), Excluded("ordrs")}),
      "error: shop.yaml:4:3: no such table: ordrs\n  4 |   x: {}\n    |   ^ | did you mean "
      "orders?");
}

TEST(Streams, AQueryIsNoTableAndWinsOverGlobs) {
  EXPECT_EQ(NamesOf({Query("spenders"), Entry("orders")}), "orders spenders(query)");
  EXPECT_EQ(NamesOf({Entry("order*"), Query("orders")}), "orders(query) order_lines");
}

TEST(Streams, ASourceWithoutTablesIsAnError) {
  NamesOnly nothing({}, {}), views({}, {{"main", "v"}});
  EXPECT_EQ(ChooseStreams({}, "main", nothing).status().message(),
            "the source has no tables");
  EXPECT_EQ(HintOf(ChooseStreams({}, "main", views).status()),
            "it has views: name one with --table");
}

TEST(Streams, ATableOfTwoSchemasCarriesItsSchema) {
  NamesOnly session({{"main", "t"}, {"other", "t"}, {"other", "u"}}, {});
  const auto streams = ChooseStreams({}, "main", session);
  ASSERT_TRUE(streams.ok());
  EXPECT_EQ((*streams)[0].name, "main.t");
  EXPECT_EQ((*streams)[1].name, "other.t");
  EXPECT_EQ((*streams)[2].name, "u");
}

TEST(Streams, SomeStreamsOfAJobMayBePicked) {
  NamesOnly session = Shop();
  const auto all = ChooseStreams({}, "main", session);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(KeepStreams(*all, {"orders"})->size(), 1u);
  EXPECT_EQ(KeepStreams(*all, {})->size(), 5u);
  const Status status = KeepStreams(*all, {"oders"}).status();
  EXPECT_EQ(status.message(), "the job has no stream oders");
  EXPECT_EQ(HintOf(status), "did you mean orders?");
}

TEST(Glob, StarsAndQuestionMarks) {
  EXPECT_TRUE(MatchesGlob("*", ""));
  EXPECT_TRUE(MatchesGlob("a*c*e", "abcde"));
  EXPECT_FALSE(MatchesGlob("a*c*f", "abcde"));
  EXPECT_TRUE(MatchesGlob("caf?", "caf\xc3\xa9"));
  EXPECT_FALSE(MatchesGlob("?", ""));
  EXPECT_TRUE(MatchesGlob("[a]", "[a]"));
  EXPECT_FALSE(MatchesGlob(std::string(200, '*') + "b", std::string(10'000, 'a')));
}

}  // namespace
}  // namespace sluice
