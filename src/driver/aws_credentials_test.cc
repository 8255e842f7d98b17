#include "driver/aws_credentials.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "driver/aws_process.h"
#include "driver/aws_profile.h"
#include "testing/fake_clock.h"
#include "testing/http_double.h"
#include "testing/scratch_folder.h"

namespace sluice::aws {
namespace {

using Variables = std::map<std::string, std::string>;

constexpr char kRoleAnswer[] =
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE</AccessKeyId>"
    "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
    "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>"
    "</AssumeRoleResponse>";

class AwsCredentialsTest : public ::testing::Test {
 protected:
  AwsCredentialsTest()
      : service_([this](const DoubleRequest& request) {
          requests_.push_back(request);
          return answer_ ? answer_(request) : DoubleReply{404, {}, "", Wire::kWhole};
        }) {
    variables_ = {{"HOME", folder_.path()},
                  {"AWS_EC2_METADATA_DISABLED", "true"},
                  {"AWS_ENDPOINT_URL_STS", service_.url()},
                  {"AWS_ENDPOINT_URL_SSO", service_.url()}};
  }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = folder_.path() + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::unique_ptr<CredentialSource> Chain(const std::string& profile = "") {
    Surroundings surroundings;
    surroundings.variable =
        [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      if (found == variables_.end()) return std::nullopt;
      return found->second;
    };
    surroundings.profile = profile;
    surroundings.region = "eu-west-1";
    return NewCredentialChain(surroundings, client_, clock_);
  }
  std::string KeyOf(const std::string& profile = "") {
    const auto found = Chain(profile)->Get();
    EXPECT_TRUE(found.ok()) << found.status().ToString();
    return found.ok() ? found->access_key : "<none>";
  }
  void ExpectRefused(std::string_view id, const std::string& profile = "") {
    const Status status = Chain(profile)->Get().status();
    EXPECT_EQ(IdOf(status), id) << status.ToString();
    EXPECT_EQ(status.message().find("hush"), std::string::npos) << status.ToString();
  }

  ScratchFolder folder_;
  FakeClock clock_;
  http::Client client_;
  Variables variables_;
  std::function<DoubleReply(const DoubleRequest&)> answer_;
  std::vector<DoubleRequest> requests_;
  HttpDouble service_;
};

TEST_F(AwsCredentialsTest, TheEnvironmentComesFirst) {
  Write(".aws/credentials",
        "[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n");
  EXPECT_EQ(KeyOf(), "FILE");
  variables_["AWS_ACCESS_KEY_ID"] = "ENV";
  variables_["AWS_SECRET_ACCESS_KEY"] = "hush";
  variables_["AWS_SESSION_TOKEN"] = "token";
  EXPECT_EQ(KeyOf(), "ENV");
  EXPECT_EQ(Chain()->Get()->session_token, "token");
}

TEST_F(AwsCredentialsTest, AProfileAskedForByNamePassesTheEnvironmentsKeysOver) {
  Write(".aws/config",
        "[profile other]\naws_access_key_id=OTHER\naws_secret_access_key=s\n");
  variables_["AWS_ACCESS_KEY_ID"] = "ENV";
  variables_["AWS_SECRET_ACCESS_KEY"] = "s";
  EXPECT_EQ(KeyOf("other"), "OTHER");
  variables_["AWS_PROFILE"] = "other";
  EXPECT_EQ(KeyOf(), "ENV");
  variables_.erase("AWS_ACCESS_KEY_ID");
  EXPECT_EQ(KeyOf(), "OTHER");
}

TEST_F(AwsCredentialsTest, CredentialsFileWinsOverConfigAndBothMayLieElsewhere) {
  Write("c",
        "# a comment\n[default]\nregion = eu-north-1\naws_access_key_id = CONFIG\n"
        "aws_secret_access_key = s\ns3 =\n  addressing_style = path\n");
  variables_["AWS_CONFIG_FILE"] = folder_.path() + "/c";
  EXPECT_EQ(KeyOf(), "CONFIG");
  Write("k", "[default]\naws_access_key_id=KEYS\naws_secret_access_key=s\n");
  variables_["AWS_SHARED_CREDENTIALS_FILE"] = "~/k";
  EXPECT_EQ(KeyOf(), "KEYS");
}

TEST_F(AwsCredentialsTest, WhatIsHalfOrAbsentIsSaidByNameNeverByValue) {
  ExpectRefused("credentials.none");
  ExpectRefused("credentials.profile", "nobody");
  variables_["AWS_ACCESS_KEY_ID"] = "hush";
  ExpectRefused("credentials.partial");
  Write(".aws/credentials", "[half]\naws_access_key_id = hush\n");
  ExpectRefused("credentials.profile", "half");
}

TEST_F(AwsCredentialsTest, ARoleIsAssumedWithTheKeysOfItsSource) {
  Write(".aws/config",
        "[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"
        "external_id = e&x\n[profile base]\naws_access_key_id=BASE\n"
        "aws_secret_access_key=s\n");
  answer_ = [](const DoubleRequest&) {
    return DoubleReply{200, {}, kRoleAnswer, Wire::kWhole};
  };
  const auto found = Chain("role")->Get();
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_EQ(found->access_key, "ROLE");
  EXPECT_EQ(found->session_token, "t");
  ASSERT_EQ(requests_.size(), 1u);
  EXPECT_NE(requests_[0].Header("authorization").find("Credential=BASE/"),
            std::string::npos);
  EXPECT_NE(requests_[0].Header("authorization").find("/eu-west-1/sts/"),
            std::string::npos);
  EXPECT_NE(requests_[0].body.find("Action=AssumeRole&"), std::string::npos);
  EXPECT_NE(requests_[0].body.find("ExternalId=e%26x"), std::string::npos);
}

TEST_F(AwsCredentialsTest, ARoleThatWantsACodeOfADeviceIsRefusedClearly) {
  Write(".aws/config",
        "[profile role]\nrole_arn = a\nsource_profile = base\nmfa_serial = m\n"
        "[profile base]\naws_access_key_id=BASE\naws_secret_access_key=hush\n");
  ExpectRefused("credentials.mfa", "role");
  EXPECT_TRUE(requests_.empty());
}

TEST_F(AwsCredentialsTest, AChainOfRolesThatComesBackIsRefused) {
  Write(
      ".aws/config",
      "[profile a]\nrole_arn = a\nsource_profile = b\n"
      "[profile b]\nrole_arn = b\nsource_profile = a\n"
      "[profile both]\nrole_arn = a\nsource_profile = b\ncredential_source = Environment\n");
  ExpectRefused("credentials.profile", "a");
  ExpectRefused("credentials.profile", "both");
}

TEST_F(AwsCredentialsTest, ARefusalOfStsIsShownWithoutWhatWasSent) {
  Write(".aws/config", "[profile role]\nrole_arn = a\ncredential_source = Environment\n");
  variables_["AWS_ACCESS_KEY_ID"] = "ENV";
  variables_["AWS_SECRET_ACCESS_KEY"] = "hush";
  answer_ = [](const DoubleRequest&) {
    return DoubleReply{
        403,
        {},
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message>"
        "</Error></ErrorResponse>",
        Wire::kWhole};
  };
  const Status status = Chain("role")->Get().status();
  EXPECT_EQ(KindOf(status), ErrorKind::kDestination);
  EXPECT_NE(status.message().find("AccessDenied: no"), std::string::npos);
  ExpectRefused("credentials.refused", "role");
}

TEST_F(AwsCredentialsTest, AWebIdentityIsReadFromItsFileAndSentUnsigned) {
  Write("token", "jwt\n");
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = folder_.path() + "/token";
  ExpectRefused("credentials.partial");
  variables_["AWS_ROLE_ARN"] = "arn";
  answer_ = [](const DoubleRequest&) {
    std::string body = kRoleAnswer;
    for (size_t at = 0; (at = body.find("AssumeRole", at)) != std::string::npos; at += 25)
      body.replace(at, 10, "AssumeRoleWithWebIdentity");
    return DoubleReply{200, {}, body, Wire::kWhole};
  };
  EXPECT_EQ(KeyOf(), "ROLE");
  EXPECT_EQ(requests_[0].Header("authorization"), "");
  EXPECT_NE(requests_[0].body.find("WebIdentityToken=jwt"), std::string::npos);
}

TEST_F(AwsCredentialsTest, ASessionOfSsoIsTakenFromItsCacheUntilItEnds) {
  Write(".aws/config",
        "[profile s]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r/1\n"
        "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://x\n");
  ExpectRefused("credentials.sso", "s");
  // SHA-1 of "corp".
  const std::string cache =
      ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
  Write(cache, "{\"accessToken\":\"hush\",\"expiresAt\":\"2020-01-01T00:00:00Z\"}");
  ExpectRefused("credentials.sso", "s");
  Write(cache, "{\"accessToken\":\"hush\",\"expiresAt\":\"2099-01-01T00:00:00Z\"}");
  answer_ = [](const DoubleRequest&) {
    return DoubleReply{
        200,
        {},
        "{\"roleCredentials\":{\"accessKeyId\":\"SSO\",\"secretAccessKey\":"
        "\"s\",\"sessionToken\":\"t\",\"expiration\":4070908800000}}",
        Wire::kWhole};
  };
  EXPECT_EQ(KeyOf("s"), "SSO");
  EXPECT_EQ(requests_[0].target, "/federation/credentials?role_name=r%2F1&account_id=1");
  EXPECT_EQ(requests_[0].Header("x-amz-sso_bearer_token"), "hush");
  answer_ = [](const DoubleRequest&) { return DoubleReply{401, {}, "", Wire::kWhole}; };
  ExpectRefused("credentials.sso", "s");
}

TEST_F(AwsCredentialsTest, AProcessIsRunWithoutAShell) {
  Write("p.sh",
        "#!/bin/sh\nprintf '{\"Version\":1,\"AccessKeyId\":\"%s\","
        "\"SecretAccessKey\":\"s\"}' \"$1\"\n");
  std::filesystem::permissions(folder_.path() + "/p.sh",
                               std::filesystem::perms::owner_all);
  Write(".aws/config", "[profile p]\ncredential_process = \"" + folder_.path() +
                           "/p.sh\" '$HOME; x'\n[profile bad]\n"
                           "credential_process = false\n[profile none]\n"
                           "credential_process = /nowhere/at/all\n");
  EXPECT_EQ(KeyOf("p"), "$HOME; x");
  ExpectRefused("credentials.process", "bad");
  ExpectRefused("credentials.process", "none");
}

TEST_F(AwsCredentialsTest, AContainersRoleIsAskedForWithItsToken) {
  variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = service_.url() + "/role?x=1";
  variables_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "bearer";
  answer_ = [](const DoubleRequest&) {
    return DoubleReply{
        200,
        {},
        "{\"AccessKeyId\":\"BOX\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
        "\"Expiration\":\"2099-01-01T00:00:00Z\"}",
        Wire::kWhole};
  };
  EXPECT_EQ(KeyOf(), "BOX");
  EXPECT_EQ(requests_[0].target, "/role?x=1");
  EXPECT_EQ(requests_[0].Header("authorization"), "bearer");
  variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://example.com/role";
  ExpectRefused("credentials.container");
}

TEST_F(AwsCredentialsTest, AnInstancesRoleIsAskedForWithAToken) {
  variables_.erase("AWS_EC2_METADATA_DISABLED");
  variables_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = service_.url();
  answer_ = [](const DoubleRequest& request) {
    if (request.method == "PUT") return DoubleReply{200, {}, "imds", Wire::kWhole};
    if (request.Header("x-aws-ec2-metadata-token") != "imds")
      return DoubleReply{401, {}, "", Wire::kWhole};
    if (request.path.ends_with("/")) return DoubleReply{200, {}, "web", Wire::kWhole};
    return DoubleReply{
        200,
        {},
        "{\"Code\":\"Success\",\"AccessKeyId\":\"EC2\",\"SecretAccessKey\":"
        "\"s\",\"Token\":\"t\",\"Expiration\":\"2099-01-01T00:00:00Z\"}",
        Wire::kWhole};
  };
  EXPECT_EQ(KeyOf(), "EC2");
  EXPECT_EQ(requests_.back().path, "/latest/meta-data/iam/security-credentials/web");
}

/// A container's service that gives keys of an hour, numbered.
class ExpiringTest : public AwsCredentialsTest {
 protected:
  ExpiringTest() {
    variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = service_.url() + "/role";
    answer_ = [this](const DoubleRequest&) {
      if (broken_) return DoubleReply{500, {}, "", Wire::kWhole};
      const std::string until = AmzDate(clock_.NowMicros() + 3'600'000'000);
      const std::string iso = until.substr(0, 4) + "-" + until.substr(4, 2) + "-" +
                              until.substr(6, 5) + ":" + until.substr(11, 2) + ":" +
                              until.substr(13);
      return DoubleReply{
          200,
          {},
          "{\"AccessKeyId\":\"K" + std::to_string(++given_) +
              "\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"" + iso +
              "\"}",
          Wire::kWhole};
    };
  }
  int given_ = 0;
  bool broken_ = false;
};

TEST_F(ExpiringTest, KeysAreKeptAndRenewedBeforeTheyExpire) {
  const auto chain = Chain();
  EXPECT_EQ(chain->Get()->access_key, "K1");
  clock_.Advance(std::chrono::minutes(49));
  EXPECT_EQ(chain->Get()->access_key, "K1");
  clock_.Advance(std::chrono::minutes(2));
  EXPECT_EQ(chain->Get()->access_key, "K2");
}

TEST_F(ExpiringTest, WhileTheServiceIsAwayTheOldKeysAreGoodAsLongAsTheyLast) {
  const auto chain = Chain();
  EXPECT_EQ(chain->Get()->access_key, "K1");
  broken_ = true;
  clock_.Advance(std::chrono::minutes(55));
  EXPECT_EQ(chain->Get()->access_key, "K1");
  clock_.Advance(std::chrono::minutes(5));
  EXPECT_EQ(KindOf(chain->Get().status()), ErrorKind::kTransient);
}

TEST_F(ExpiringTest, WhatTheStoreCallsExpiredIsNotGivenAgain) {
  const auto chain = Chain();
  const auto first = *chain->Get();
  chain->Refuse(first);
  EXPECT_EQ(chain->Get()->access_key, "K2");
  chain->Refuse(first);  // By another thread, late.
  EXPECT_EQ(chain->Get()->access_key, "K2");
}

TEST(AwsProcess, WordsAreSplitAsAShellWould) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(*SplitCommand("a 'b c' \"d 'e'\" f\\ g ''"),
            (Words{"a", "b c", "d 'e'", "f g", ""}));
  EXPECT_FALSE(SplitCommand("a 'b").ok());
  EXPECT_FALSE(SplitCommand("  ").ok());
}

}  // namespace
}  // namespace sluice::aws
