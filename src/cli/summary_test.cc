#include "cli/summary.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::cli {
namespace {

StreamReport Stream(const std::string& name, int64_t rows) {
  StreamReport stream;
  stream.stream = name;
  stream.load = "0198-load";
  stream.rows = stream.rows_read = rows;
  stream.bytes = 2048;
  stream.files = 1;
  stream.location = "main/" + name + "/0198-load";
  stream.timings = {{"copy", 1.5}, {"publish", 0.5}};
  return stream;
}

SummaryFacts Facts(int exit_code) {
  return {.job = "shop",
          .source = "mysql://db:3306/shop",
          .destination = "file:///lake",
          .state = "/state.db",
          .command = "sluice run shop.yaml",
          .exit_code = exit_code,
          .seconds = 2.5};
}

TEST(Summary, SaysAllThatATicketNeeds) {
  TransferReport report;
  report.run = "0198-run";
  report.streams = {Stream("orders", 1000)};
  report.streams[0].coerced = {{"total", 3}};
  report.consistency = Consistency::kSnapshot;
  report.position = "gtid 1-2-3";
  report.warnings = {"stream orders: something"};
  EXPECT_EQ(SummaryOf(report, Facts(0)),
            "orders  1,000 rows  1 file  2.0 KiB  2.0 s  500 rows/s  "
            "main/orders/0198-load\n"
            "orders.total: 3 values did not fit and went by the policy\n"
            "1 stream: 1,000 rows, 1 file, 2.0 KiB in 2.5 s\n"
            "run          0198-run\n"
            "job          shop\n"
            "source       mysql://db:3306/shop\n"
            "destination  file:///lake\n"
            "state        /state.db\n"
            "consistency  snapshot at gtid 1-2-3\n"
            "warnings     stream orders: something\n");
}

TEST(Summary, OfAFailureSaysWhatItsCodeMeansAndHowToGoOn) {
  TransferReport report;
  report.run = "0198-run";
  report.streams = {Stream("orders", 10), Stream("lines", 400)};
  report.streams[0].resumed = true;
  report.streams[1].status = Error(ErrorKind::kTransient, "source.lost", "gone");
  const std::string text = SummaryOf(report, Facts(5));
  EXPECT_NE(text.find("resumed: 10 rows read"), std::string::npos) << text;
  EXPECT_NE(text.find("FAILED: source.lost"), std::string::npos) << text;
  EXPECT_NE(text.find("1 of 2 streams: 10 rows"), std::string::npos) << text;
  EXPECT_NE(text.find("exit         5, may go away by itself\n"
                      "resume with  sluice run shop.yaml\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("consistency"), std::string::npos) << "the source was never opened";
}

TEST(Summary, OfManyStreamsOnlyTheFailedAreListed) {
  TransferReport report;
  for (int i = 0; i < 500; ++i)
    report.streams.push_back(Stream("t" + std::to_string(i), 1));
  report.streams[77].status = Error(ErrorKind::kFailed, "x.y", "no");
  const std::string text = SummaryOf(report, Facts(1));
  EXPECT_NE(text.find("t77"), std::string::npos);
  EXPECT_EQ(text.find("t78"), std::string::npos);
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 12);
}

TEST(Summary, OnlyWhatTheSameCommandMayMendIsResumed) {
  for (const int code : {4, 5, 7, 8, 130, 143})
    EXPECT_NE(SummaryOf({}, Facts(code)).find("resume with"), std::string::npos) << code;
  for (const int code : {0, 1, 2, 3, 6})
    EXPECT_EQ(SummaryOf({}, Facts(code)).find("resume with"), std::string::npos) << code;
}

TEST(Summary, AHiddenPasswordInTheCommandIsExplained) {
  SummaryFacts facts = Facts(5);
  facts.command = "sluice copy mysql://u:***@h/d lake";
  EXPECT_NE(SummaryOf({}, facts).find("*** stands for the password"), std::string::npos);
  EXPECT_EQ(SummaryOf({}, Facts(5)).find("***"), std::string::npos);
}

TEST(Summary, AValueThatDoesNotFitIsNotResumed) {
  TransferReport report;
  report.streams = {Stream("orders", 10)};
  report.streams[0].status = Error(ErrorKind::kFailed, "source.type-mismatch", "no date");
  const std::string text = SummaryOf(report, Facts(1));
  EXPECT_EQ(text.find("resume with"), std::string::npos) << text;
  EXPECT_NE(
      text.find("the same run fails again until the value or the policy is changed"),
      std::string::npos)
      << text;
}

TEST(Summary, AWrongRequestIsNotResumed) {
  EXPECT_EQ(SummaryOf({}, Facts(2)).find("resume with"), std::string::npos);
  EXPECT_EQ(SummaryOf({}, Facts(3)).find("resume with"), std::string::npos);
}

}  // namespace
}  // namespace sluice::cli
