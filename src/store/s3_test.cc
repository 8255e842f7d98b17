#include "store/s3.h"

#include <gtest/gtest.h>

#include <atomic>

#include "arrow/buffer.h"
#include "arrow/io/interfaces.h"
#include "store/s3_double_test.h"
#include "testing/fake_clock.h"
#include "testing/store_conformance.h"

namespace sluice {
namespace {

const char kPart[] = "main/orders/L1/part-000001-000.parquet";
const char kKey[] = "lake/main/orders/L1/part-000001-000.parquet";

/// Keys for the time of a test.
class Keys {
 public:
  Keys() {
    setenv("AWS_ACCESS_KEY_ID", "test", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
  }
};

class OnDouble final : public StoreFixture {
 public:
  explicit OnDouble(bool tells_checksums) { double_.TellChecksums(tells_checksums); }
  std::unique_ptr<Store> Open() override {
    return OpenS3Store(double_.Options(), clock_).ValueOrDie();
  }
  StorePromises promises() const override { return {.names_attempts = false}; }

 private:
  const Keys keys_;
  FakeClock clock_;
  S3Double double_;
};

INSTANTIATE_TEST_SUITE_P(S3Double, StoreConformance, ::testing::Values(StoreMaker([] {
                           return std::make_unique<OnDouble>(true);
                         })));
INSTANTIATE_TEST_SUITE_P(S3DoubleWithoutChecksums, StoreConformance,
                         ::testing::Values(StoreMaker([] {
                           return std::make_unique<OnDouble>(false);
                         })));

class S3Test : public ::testing::Test {
 protected:
  S3Test() { Reopen(); }
  void Reopen() { store_ = OpenS3Store(options(), clock_).ValueOrDie(); }
  virtual S3Options options() const { return double_.Options(); }

  Result<StagedObject> TryStaging(const std::string& bytes = "rows",
                                  const std::string& attempt = "a1") {
    ARROW_ASSIGN_OR_RAISE(
        auto pending,
        store_->Begin({kPart, "main/orders/_sluice/staging/L1/x.tmp", attempt}));
    ARROW_RETURN_NOT_OK(pending->Write(bytes));
    return pending->Stage();
  }
  StagedObject Staged(const std::string& bytes = "rows",
                      const std::string& attempt = "a1") {
    auto staged = TryStaging(bytes, attempt);
    EXPECT_TRUE(staged.ok()) << staged.status().ToString();
    return staged.ok() ? *staged : StagedObject();
  }
  void Always(const std::string& operation, DoubleReply reply,
              S3Mishap::When when = S3Mishap::When::kBefore) {
    double_.Add({operation, 1, 1000, when, std::move(reply)});
  }
  void Once(const std::string& operation, DoubleReply reply,
            S3Mishap::When when = S3Mishap::When::kBefore) {
    double_.Add({operation, double_.calls(operation) + 1, 1, when, std::move(reply)});
  }
  static void ExpectError(const Status& status, ErrorKind kind, std::string_view id) {
    EXPECT_EQ(KindOf(status), kind) << status.ToString();
    EXPECT_EQ(IdOf(status), id) << status.ToString();
    EXPECT_EQ(status.ToString().find("hush"), std::string::npos);
  }

  const Keys keys_;
  FakeClock clock_;
  S3Double double_;
  std::unique_ptr<Store> store_;
};

TEST_F(S3Test, AChecksumOfTheStoreCountsOnceTheProbeSawItRefuseAWrongOne) {
  const StagedObject staged = Staged();
  ASSERT_TRUE(store_->Publish(staged).ok());
  EXPECT_FALSE((*store_->Head(kPart))->crc32c) << "said, not seen";
  ASSERT_TRUE(store_->Probe().ok());
  EXPECT_EQ((*store_->Head(kPart))->crc32c, staged.crc32c);

  // One that takes whatever comes, and says back what it was told.
  Reopen();
  double_.TakeWrongChecksums();
  ASSERT_TRUE(store_->Probe().ok());
  EXPECT_FALSE((*store_->Head(kPart))->crc32c);
}

TEST_F(S3Test, EveryRequestThatCarriesBytesCarriesTheirChecksum) {
  ASSERT_TRUE(store_->Publish(Staged()).ok());
  ASSERT_TRUE(store_->Put("x", "y", PutMode::kCreateOnly).ok());
  for (const char* operation : {"UploadPart", "PutObject", "CompleteMultipartUpload"}) {
    const auto requests = double_.requests(operation);
    ASSERT_EQ(requests.size(), 1u) << operation;
    EXPECT_NE(requests[0].Header("x-amz-checksum-crc32c"), "") << operation;
  }
  const auto complete = double_.requests("CompleteMultipartUpload")[0];
  EXPECT_EQ(complete.Header("if-none-match"), "*");
  EXPECT_EQ(complete.Header("x-amz-checksum-type"), "FULL_OBJECT");
}

TEST_F(S3Test, WhatANewObjectIsGivenIsAskedForAtItsCreation) {
  S3Options options = double_.Options();
  options.sse = "aws:kms";
  options.kms_key = "arn:key";
  options.storage_class = "STANDARD_IA";
  options.tags = {{"team", "a&b"}, {"x", "y"}};
  store_ = OpenS3Store(options, clock_).ValueOrDie();
  ASSERT_TRUE(store_->Publish(Staged()).ok());
  ASSERT_TRUE(store_->Put("x", "y", PutMode::kCreateOnly).ok());
  for (const char* operation : {"CreateMultipartUpload", "PutObject"}) {
    const auto request = double_.requests(operation).at(0);
    EXPECT_EQ(request.Header("x-amz-server-side-encryption"), "aws:kms");
    EXPECT_EQ(request.Header("x-amz-server-side-encryption-aws-kms-key-id"), "arn:key");
    EXPECT_EQ(request.Header("x-amz-storage-class"), "STANDARD_IA");
    EXPECT_EQ(request.Header("x-amz-tagging"), "team=a%26b&x=y");
  }
}

TEST_F(S3Test, LargeObjectsGoInPartsFromABoundedPool) {
  const std::string bytes(23 << 20, 'x');
  const auto ref = store_->Publish(Staged(bytes));
  ASSERT_TRUE(ref.ok()) << ref.status().ToString();
  EXPECT_EQ(double_.calls("UploadPart"), 5);
  EXPECT_TRUE(double_.Objects().at(kKey) == bytes);
}

TEST_F(S3Test, AnObjectOfMorePartsThanS3TakesIsRefusedBeforeOneTooManyIsSent) {
  S3Options tiny = options();
  tiny.part_size = 1;  // S3's own bound is 5 MiB, of which 10,000 are 50 GB.
  const auto store = OpenS3Store(tiny, clock_).ValueOrDie();
  const auto pending =
      store->Begin({kPart, "main/orders/_sluice/staging/L1/x.tmp", "a1"}).ValueOrDie();
  const Status written = pending->Write(std::string(10'001, 'x'));
  ExpectError(written, ErrorKind::kDestination, "s3.too-many-parts");
  EXPECT_NE(HintOf(written).find("part_size="), std::string::npos);
  EXPECT_LE(double_.calls("UploadPart"), 10'000);
}

// --- each operation, each passing fault: tried again, and done once ---

struct Passing {
  const char* name;
  DoubleReply reply;
  S3Mishap::When when;
};

std::vector<Passing> PassingFaults() {
  using When = S3Mishap::When;
  return {{"500 before", S3Error(500, "InternalError"), When::kBefore},
          {"500 after", S3Error(500, "InternalError"), When::kAfter},
          {"503", S3Error(503, "SlowDown"), When::kBefore},
          {"503 page", {503, {}, "<html>busy</html>", Wire::kWhole}, When::kBefore},
          {"429", S3Error(429, "TooManyRequests"), When::kBefore},
          {"timeout after", {200, {}, "", Wire::kHang}, When::kAfter},
          {"cut before", {200, {}, "", Wire::kCutHead}, When::kBefore},
          {"cut after", {200, {}, "", Wire::kCutHead}, When::kAfter},
          {"cut body", {200, {}, "", Wire::kCutBody}, When::kAfter},
          {"expired", S3Error(400, "ExpiredToken"), When::kBefore},
          {"request timeout", S3Error(400, "RequestTimeout"), When::kBefore}};
}

TEST_F(S3Test, WhatPassesIsTriedAgainAtEveryOperationAndLeavesOneObject) {
  for (const Passing& fault : PassingFaults()) {
    for (const std::string& operation : kS3Operations) {
      // A second each: where the outcome hangs on it.
      const bool decides =
          operation == "PutObject" || operation == "CompleteMultipartUpload";
      if (fault.reply.wire == Wire::kHang && !decides) continue;
      SCOPED_TRACE(operation + ", " + fault.name);
      Once(operation, fault.reply, fault.when);
      const auto ref = store_->Publish(Staged());
      ASSERT_TRUE(ref.ok()) << ref.status().ToString();
      const auto put = store_->Put("main/x", "bytes", PutMode::kCreateOnly);
      ASSERT_TRUE(put.ok()) << put.status().ToString();
      EXPECT_EQ(*put, PutOutcome::kCreated);
      ASSERT_EQ(*store_->Get("main/x", 100), "bytes");
      ASSERT_EQ((*store_->Head("main/x"))->size, 5);
      const auto file = store_->Read(*ref);
      ASSERT_TRUE(file.ok()) << file.status().ToString();
      ASSERT_EQ((*(*file)->Read(100))->ToString(), "rows");
      EXPECT_EQ(store_->List("")->size(), 2u);
      const StagedObject left = Staged("left", "a2");
      // A Create whose answer was lost leaves an upload nobody knows: it is listed too.
      auto uploads = *store_->ListStaged("main/orders");
      EXPECT_GE(uploads.size(), 1u);
      ASSERT_TRUE(store_->Abort(left).ok());
      for (const StagedObject& upload : uploads) ASSERT_TRUE(store_->Abort(upload).ok());
      EXPECT_EQ(double_.uploads(), 0);
      EXPECT_EQ(double_.Objects().at(kKey), "rows");
      ASSERT_TRUE(store_->Delete(kPart).ok());
      ASSERT_TRUE(store_->Delete("main/x").ok());
      EXPECT_TRUE(double_.Objects().empty());
    }
  }
}

// --- what does not pass ---

struct Deed {
  const char* name;
  const char* operation;
  std::function<Status(Store&, const StagedObject&)> act;
};

std::vector<Deed> Deeds() {
  return {
      {"begin", "CreateMultipartUpload",
       [](Store& store, const StagedObject&) {
         return store.Begin({kPart, "_sluice/staging/x.tmp", "a"}).status();
       }},
      {"stage", "UploadPart",
       [](Store& store, const StagedObject&) -> Status {
         ARROW_ASSIGN_OR_RAISE(auto pending,
                               store.Begin({kPart, "_sluice/staging/x.tmp", "a"}));
         ARROW_RETURN_NOT_OK(pending->Write("x"));
         return pending->Stage().status();
       }},
      {"publish", "CompleteMultipartUpload",
       [](Store& store, const StagedObject& staged) {
         return store.Publish(staged).status();
       }},
      {"abort", "AbortMultipartUpload",
       [](Store& store, const StagedObject& staged) { return store.Abort(staged); }},
      {"put", "PutObject",
       [](Store& store, const StagedObject&) {
         return store.Put("x", "y", PutMode::kCreateOnly).status();
       }},
      {"get", "GetObject",
       [](Store& store, const StagedObject&) { return store.Get("x", 9).status(); }},
      {"head", "HeadObject",
       [](Store& store, const StagedObject&) { return store.Head("x").status(); }},
      {"list", "ListObjectsV2",
       [](Store& store, const StagedObject&) { return store.List("").status(); }},
      {"list staged", "ListMultipartUploads",
       [](Store& store, const StagedObject&) { return store.ListStaged("").status(); }},
      {"delete", "DeleteObject",
       [](Store& store, const StagedObject&) { return store.Delete("x"); }}};
}

TEST_F(S3Test, ForbiddenSaysThePermissionAndIsNotTriedAgain) {
  const std::map<std::string, std::string> permissions = {
      {"abort", "s3:AbortMultipartUpload"},
      {"get", "s3:GetObject"},
      {"head", "s3:GetObject"},
      {"list", "s3:ListBucket"},
      {"delete", "s3:DeleteObject"},
      {"list staged", "s3:ListBucketMultipartUploads"}};
  const StagedObject staged = Staged();
  for (const Deed& deed : Deeds()) {
    SCOPED_TRACE(deed.name);
    const int64_t before = double_.calls(deed.operation);
    Once(deed.operation, S3Error(403, "AccessDenied"));
    const Status status = deed.act(*store_, staged);
    ExpectError(status, ErrorKind::kDestination, "s3.forbidden");
    const auto named = permissions.find(deed.name);
    const std::string permission =
        named == permissions.end() ? "s3:PutObject" : named->second;
    EXPECT_NE(HintOf(status).find(permission), std::string::npos) << HintOf(status);
    EXPECT_EQ(double_.calls(deed.operation), before + 1);
  }
}

TEST_F(S3Test, WhatNeverPassesEndsAfterABoundedNumberOfTriesWithGrowingWaits) {
  const StagedObject staged = Staged();
  for (const Deed& deed : Deeds()) {
    SCOPED_TRACE(deed.name);
    const int64_t before = double_.calls(deed.operation);
    const int64_t sleeps = clock_.sleeps();
    double_.Add({deed.operation, before + 1, 4, S3Mishap::When::kBefore,
                 S3Error(503, "SlowDown")});
    const Status status = deed.act(*store_, staged);
    EXPECT_FALSE(status.ok());
    EXPECT_TRUE(KindOf(status) == ErrorKind::kTransient ||
                KindOf(status) == ErrorKind::kCommitUnknown)
        << status.ToString();
    EXPECT_EQ(double_.calls(deed.operation), before + 4);
    EXPECT_GE(clock_.sleeps(), sleeps + 3);
  }
}

TEST_F(S3Test, AServerThatIsGoneIsTransientAndNothingWasSent) {
  S3Options options = double_.Options();
  options.endpoint = "http://127.0.0.1:1";
  store_ = OpenS3Store(options, clock_).ValueOrDie();
  ExpectError(store_->Put("x", "y", PutMode::kCreateOnly).status(), ErrorKind::kTransient,
              "http.unreachable");
}

// --- the decisions: Complete and create-only Put ---

TEST_F(S3Test, ALostReplyOfCompleteIsResolvedByLooking) {
  const StagedObject staged = Staged();
  Always("CompleteMultipartUpload", {200, {}, "", Wire::kCutHead},
         S3Mishap::When::kAfter);
  const auto ref = store_->Publish(staged);
  ASSERT_TRUE(ref.ok()) << ref.status().ToString();
  EXPECT_EQ(double_.Objects().at(kKey), "rows");
}

TEST_F(S3Test, AnErrorInTheBodyOf200IsNoSuccess) {
  const StagedObject staged = Staged();
  DoubleReply failed = S3Error(200, "InternalError");
  Once("CompleteMultipartUpload", failed);
  ASSERT_TRUE(store_->Publish(staged).ok());
  EXPECT_EQ(double_.calls("CompleteMultipartUpload"), 2);

  const StagedObject other = Staged("other");
  ASSERT_TRUE(store_->Delete(kPart).ok());
  Always("CompleteMultipartUpload", failed);
  ExpectError(store_->Publish(other).status(), ErrorKind::kCommitUnknown,
              "s3.reply-lost");
  EXPECT_TRUE(double_.Objects().empty());
}

TEST_F(S3Test, WhereNobodyAnswersTheOutcomeIsUnknownAndSaidToBe) {
  const StagedObject staged = Staged();
  for (const auto& operation : kS3Operations)
    Always(operation, {200, {}, "", Wire::kCutHead}, S3Mishap::When::kAfter);
  ExpectError(store_->Publish(staged).status(), ErrorKind::kCommitUnknown,
              "s3.reply-lost");
  ExpectError(store_->Put("x", "y", PutMode::kCreateOnly).status(),
              ErrorKind::kCommitUnknown, "s3.reply-lost");
}

TEST_F(S3Test, ALostReplyOfPutIsResolvedByItsNonce) {
  Once("PutObject", {200, {}, "", Wire::kCutHead}, S3Mishap::When::kAfter);
  EXPECT_EQ(*store_->Put("x", "mine", PutMode::kCreateOnly), PutOutcome::kCreated);
  Once("PutObject", {200, {}, "", Wire::kCutHead}, S3Mishap::When::kBefore);
  EXPECT_EQ(*store_->Put("x", "mine", PutMode::kCreateOnly), PutOutcome::kExists);
}

TEST_F(S3Test, AConflictIsTriedAgain) {
  Once("PutObject", S3Error(409, "ConditionalRequestConflict"));
  EXPECT_EQ(*store_->Put("x", "y", PutMode::kCreateOnly), PutOutcome::kCreated);
  const StagedObject staged = Staged();
  Once("CompleteMultipartUpload", S3Error(409, "ConditionalRequestConflict"));
  EXPECT_TRUE(store_->Publish(staged).ok());
}

TEST_F(S3Test, AnUploadThatALifecycleRuleAbortedIsGoneWithAHint) {
  const StagedObject staged = Staged();
  double_.DropUploads();
  const Status status = store_->Publish(staged).status();
  ExpectError(status, ErrorKind::kDestination, "store.staged-gone");
  EXPECT_NE(HintOf(status).find("lifecycle"), std::string::npos);
}

TEST_F(S3Test, AnUploadThatIsAbortedMeanwhileFailsItsWriter) {
  auto pending = *store_->Begin({kPart, "_sluice/staging/x.tmp", "a"});
  double_.DropUploads();
  ASSERT_TRUE(pending->Write("x").ok());
  ExpectError(pending->Stage().status(), ErrorKind::kTransient, "store.upload-gone");
}

// --- reading ---

TEST_F(S3Test, AnObjectReplacedWhileItIsReadIsNoticed) {
  const auto ref = store_->Publish(Staged("12345"));
  const auto file = *store_->Read(*ref);
  double_.Replace(kKey, "54321");
  ExpectError(file->ReadAt(0, 5).status(), ErrorKind::kDestination,
              "store.object-changed");
}

TEST_F(S3Test, ManySmallReadsAreFewRequests) {
  const std::string bytes(1 << 20, 'x');
  const auto ref = store_->Publish(Staged(bytes));
  const auto file = *store_->Read(*ref);
  for (int64_t at = 0; at < 1 << 20; at += 4096)
    ASSERT_EQ((*file->ReadAt(at, 4096))->size(), 4096);
  EXPECT_EQ(double_.calls("GetObject"), 4);
}

// --- what is no S3, no bucket, no region, no time ---

TEST_F(S3Test, AMissingBucketIsSaid) {
  S3Options options = double_.Options();
  options.bucket = "nowhere";
  store_ = OpenS3Store(options, clock_).ValueOrDie();
  ExpectError(store_->Probe().status(), ErrorKind::kDestination, "s3.no-bucket");
  ExpectError(store_->List("").status(), ErrorKind::kDestination, "s3.no-bucket");
  ExpectError(store_->Get("x", 9).status(), ErrorKind::kDestination, "s3.no-bucket");
}

TEST_F(S3Test, APageOfHtmlIsNoS3) {
  for (const int status : {200, 403, 404, 501}) {
    double_.AnswerAll([status](const DoubleRequest&) {
      return DoubleReply{
          status, {}, "<!DOCTYPE html><html><body>Welcome</body></html>", Wire::kWhole};
    });
    ExpectError(store_->List("").status(), ErrorKind::kDestination, "s3.not-s3");
    ExpectError(store_->Begin({kPart, "_sluice/staging/x.tmp", "a"}).status(),
                ErrorKind::kDestination, "s3.not-s3");
  }
}

DoubleReply Elsewhere(const std::string& region) {
  DoubleReply reply = S3Error(301, "PermanentRedirect");
  reply.headers["x-amz-bucket-region"] = region;
  return reply;
}

TEST_F(S3Test, ABucketElsewhereIsFoundUnlessARegionWasGiven) {
  Once("PutObject", Elsewhere("eu-west-1"));
  const Status status = store_->Put("x", "y", PutMode::kCreateOnly).status();
  ExpectError(status, ErrorKind::kDestination, "s3.wrong-region");
  EXPECT_EQ(HintOf(status), "give region=eu-west-1");

  S3Options options = double_.Options();
  options.region = "";
  store_ = OpenS3Store(options, clock_).ValueOrDie();
  Once("PutObject", Elsewhere("eu-west-1"));
  ASSERT_TRUE(store_->Put("x", "y", PutMode::kCreateOnly).ok());
  const auto requests = double_.requests("PutObject");
  EXPECT_NE(requests.back().Header("authorization").find("/eu-west-1/s3/"),
            std::string::npos);
}

TEST_F(S3Test, AWrongClockIsSaidWithBothTimes) {
  Always("PutObject", S3Error(403, "RequestTimeTooSkewed",
                              "<ServerTime>2026-01-01T01:00:00Z</ServerTime>"));
  const Status status = store_->Put("x", "y", PutMode::kCreateOnly).status();
  ExpectError(status, ErrorKind::kDestination, "s3.clock");
  EXPECT_NE(status.message().find("2026-01-01T01:00:00Z"), std::string::npos);
  EXPECT_NE(status.message().find("20260101T000000Z"), std::string::npos)
      << status.message();
}

TEST_F(S3Test, KeysTheStoreDoesNotKnowAreNotAPermission) {
  Always("PutObject", S3Error(403, "SignatureDoesNotMatch"));
  ExpectError(store_->Put("x", "y", PutMode::kCreateOnly).status(),
              ErrorKind::kDestination, "s3.credentials-refused");
}

TEST_F(S3Test, CredentialsThatHaveExpiredForGoodAreSaid) {
  Always("PutObject", S3Error(400, "ExpiredToken"));
  ExpectError(store_->Put("x", "y", PutMode::kCreateOnly).status(),
              ErrorKind::kDestination, "s3.credentials-expired");
  EXPECT_EQ(double_.calls("PutObject"), 2);
}

// --- the probe ---

TEST_F(S3Test, AProbeUsesEveryPermissionOnceAndLeavesNothing) {
  const auto verdict = store_->Probe();
  ASSERT_TRUE(verdict.ok()) << verdict.status().ToString();
  EXPECT_TRUE(verdict->Enforced());
  for (const char* operation :
       {"PutObject", "DeleteObject", "ListObjectsV2", "CreateMultipartUpload",
        "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload",
        "ListMultipartUploads", "HeadObject"}) {
    EXPECT_GT(double_.calls(operation), 0) << operation;
  }
  EXPECT_TRUE(double_.Objects().empty());
  EXPECT_EQ(double_.uploads(), 0);
}

TEST_F(S3Test, AProbeFindsOutAStoreThatIgnoresTheCondition) {
  Always("PutObject", {200, {{"ETag", "\"x\""}}, "", Wire::kWhole});
  const auto verdict = store_->Probe();
  ASSERT_TRUE(verdict.ok()) << verdict.status().ToString();
  EXPECT_FALSE(verdict->create_only);
  EXPECT_FALSE(verdict->Enforced());
}

}  // namespace
}  // namespace sluice
