#include "sql/mysql_text.h"

#include <gtest/gtest.h>

#include <limits>

#include "arrow/scalar.h"

namespace sluice::mysql {
namespace {

Key Integers(std::initializer_list<int64_t> values) {
  Key key;
  for (const int64_t value : values)
    key.push_back(std::make_shared<arrow::Int64Scalar>(value));
  return key;
}
Key Text(const std::string& value) {
  return {std::make_shared<arrow::StringScalar>(value)};
}

KeyColumn Column(const std::string& name, KeyForm form = KeyForm::kInteger,
                 const std::string& charset = "", const std::string& collation = "") {
  return {name, form, charset, collation};
}

TEST(MysqlText, NamesAndTextsCannotLeaveTheirQuotes) {
  EXPECT_EQ(QuoteName("a`b"), "`a``b`");
  EXPECT_EQ(QuoteName(TableName{"s.x", "t"}), "`s.x`.`t`");
  EXPECT_EQ(TextLiteral("'\\"), "_utf8mb4 x'275C'");
}

TEST(MysqlText, ARangeOfOneColumnIsOpenBelowAndClosedAbove) {
  const std::vector<KeyColumn> key = {Column("id")};
  EXPECT_EQ(*RangeCondition(key, {}), "");
  EXPECT_EQ(*RangeCondition(key, {Integers({-1}), Integers({7})}),
            "(`id` BETWEEN 0 AND 7)");
  EXPECT_EQ(*RangeCondition(key, {Integers({-1}), std::nullopt}), "((`id` > -1))");
  EXPECT_EQ(*RangeCondition(key, {std::nullopt, Integers({7})}), "((`id` <= 7))");
  // Nothing lies above the greatest, and nothing may be added to it.
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(*RangeCondition(key, {Integers({kMax}), Integers({kMax})}),
            "((`id` > 9223372036854775807)) AND ((`id` <= 9223372036854775807))");
}

TEST(MysqlText, ABoundAtTheEndOfAFirstValueComparesTheFirstColumnAlone) {
  KeyColumn wide = Column("w");
  wide.is_wide = true;
  const std::vector<KeyColumn> key = {Column("a"), Column("b"), wide};
  const auto low = EndOf(key, 3), high = EndOf(key, 9);
  EXPECT_EQ(*RangeCondition(key, {low, high}), "(`a` BETWEEN 4 AND 9)");
  EXPECT_EQ(*RangeCondition(key, {low, std::nullopt}), "((`a` > 3))");
  EXPECT_EQ(*RangeCondition(key, {std::nullopt, high}), "((`a` <= 9))");
  // The greatest of a signed column is not that of an unsigned one: then the column decides.
  Key not_the_end = *high;
  not_the_end[2] = Integers({std::numeric_limits<int64_t>::max()})[0];
  EXPECT_EQ(*RangeCondition(key, {low, not_the_end}),
            "((`a` > 3)) AND ((`a` < 9) OR (`a` = 9 AND `b` < 9223372036854775807) OR "
            "(`a` = 9 AND `b` = 9223372036854775807 AND `w` <= 9223372036854775807))");
  EXPECT_FALSE(EndOf({Column("a"), Column("s", KeyForm::kText)}, 3));
}

TEST(MysqlText, AYearIsComparedWithYearsThatAreThereOnly) {
  // BETWEEN 1 AND 1950 is BETWEEN 2001 AND 1950 to the server.
  const std::vector<KeyColumn> key = {Column("y", KeyForm::kYear)};
  EXPECT_EQ(*RangeCondition(key, {Integers({0}), Integers({1950})}),
            "((`y` > 0)) AND ((`y` <= 1950))");
  EXPECT_FALSE(EndOf({Column("a"), Column("y", KeyForm::kYear)}, 3));
}

TEST(MysqlText, ARangeOfSeveralColumnsIsExpandedToOr) {
  const std::vector<KeyColumn> key = {Column("a"), Column("b")};
  EXPECT_EQ(*RangeCondition(key, {Integers({1, 2}), std::nullopt}),
            "((`a` > 1) OR (`a` = 1 AND `b` > 2))");
  EXPECT_EQ(*RangeCondition(key, {std::nullopt, Integers({3, 4})}),
            "((`a` < 3) OR (`a` = 3 AND `b` <= 4))");
}

TEST(MysqlText, AValueIsWrittenInTheFormOfItsColumn) {
  const auto above = [](KeyColumn column, const Key& key) {
    return RangeCondition({std::move(column)}, {key, std::nullopt});
  };
  EXPECT_EQ(
      *above(Column("s", KeyForm::kText, "latin1", "latin1_swedish_ci"), Text("a'")),
      "((`s` > _latin1 x'6127' COLLATE latin1_swedish_ci))");
  EXPECT_EQ(*above(Column("e", KeyForm::kOrdinal), Integers({2})), "((`e`+0 > 2))");
  EXPECT_EQ(*above(Column("u"), Text("18446744073709551615")),
            "((`u` > 18446744073709551615))");
  EXPECT_EQ(*above(Column("d", KeyForm::kDecimal), Text("-1.50")), "((`d` > -1.50))");
  EXPECT_EQ(*above(Column("t", KeyForm::kTemporal), Text("2024-01-01 00:00:00")),
            "((`t` > '2024-01-01 00:00:00'))");
}

TEST(MysqlText, AKeyThatIsNotOfTheColumnIsRefused) {
  const auto refused = [](KeyForm form, const std::string& text) {
    const auto made = RangeCondition({Column("c", form)}, {Text(text), std::nullopt});
    return std::string(IdOf(made.status()));
  };
  EXPECT_EQ(refused(KeyForm::kInteger, "1 OR 1=1"), "source.key");
  EXPECT_EQ(refused(KeyForm::kInteger, "-"), "source.key");
  EXPECT_EQ(refused(KeyForm::kDecimal, "1.2.3"), "source.key");
  EXPECT_EQ(refused(KeyForm::kTemporal, "2024' OR '1"), "source.key");
  EXPECT_EQ(refused(KeyForm::kTemporal, ""), "source.key");
  const auto shorter =
      RangeCondition({Column("a"), Column("b")}, {Integers({1}), std::nullopt});
  EXPECT_EQ(IdOf(shorter.status()), "source.key");
}

TEST(MysqlText, ARowOfAKeyBecomesTheKey) {
  const std::vector<KeyColumn> columns = {Column("i"), Column("u"),
                                          Column("s", KeyForm::kText, "utf8mb4"),
                                          Column("l", KeyForm::kText, "latin1")};
  const Key key = *KeyFrom(columns, {"-5", "18446744073709551615", "ü", "\xFC"});
  EXPECT_EQ(key[0]->type->ToString(), "int64");
  EXPECT_EQ(key[1]->type->ToString(), "string");
  EXPECT_EQ(key[2]->type->ToString(), "string");
  EXPECT_EQ(key[3]->type->ToString(), "binary");
  EXPECT_EQ(IdOf(KeyFrom({Column("i")}, {std::nullopt}).status()), "source.null-in-key");
}

}  // namespace
}  // namespace sluice::mysql
