#include "store/s3_inspect.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "base/uuid.h"
#include "driver/aws_signature.h"
#include "store/s3_token.h"

namespace sluice {
namespace {

constexpr std::string_view kFolder = "_sluice/probe";
constexpr double kClockSecondsMax = 5;
constexpr int kAbortDaysMin = 7;
constexpr int64_t kSmallMax = 1024;

/// Permissions, each by the request a run makes.
class Permissions {
 public:
  Permissions(S3World& world, Store& store)
      : world_(world),
        store_(store),
        folder_(
            fmt::format("{}/{}", kFolder, NewUuidV7(world.client.clock().NowMicros()))) {}

  std::vector<Finding> Try() {
    const std::string put = folder_ + "/put", published = folder_ + "/published";
    Add("s3:ListBucket", "objects were listed", store_.List(folder_).status());
    Add("s3:ListBucketMultipartUploads", "uploads were listed",
        store_.ListStaged(folder_).status());
    Add("s3:PutObject", "an object was created, only if it is absent",
        store_.Put(put, "x", PutMode::kCreateOnly).status());
    Add("s3:PutObject (multipart)", "an upload was begun, filled and completed",
        Publish(published));
    TryGet(put);
    TryAbort(folder_ + "/aborted");
    Status removed = store_.Delete(put);
    if (removed.ok()) removed = store_.Delete(published);
    Add("s3:DeleteObject", "both objects were removed", removed);
    return std::move(seen_);
  }

 private:
  void Add(std::string name, std::string what, const Status& status) {
    if (!status.ok()) return seen_.push_back(FailedFinding(std::move(name), status));
    seen_.push_back(
        {.name = std::move(name), .level = Level::kOk, .detail = std::move(what)});
  }

  Result<StagedObject> Stage(const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(
        const auto pending,
        store_.Begin({path, folder_ + "/_sluice/staging/probe.tmp", ""}));
    ARROW_RETURN_NOT_OK(pending->Write("x"));
    return pending->Stage();
  }

  Status Publish(const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(const StagedObject staged, Stage(path));
    const Status published = store_.Publish(staged).status();
    if (!published.ok()) ARROW_RETURN_NOT_OK(store_.Abort(staged));
    return published;
  }

  void TryGet(const std::string& path) {
    Status status = store_.Head(path).status();
    if (status.ok()) status = store_.Get(path, kSmallMax).status();
    Add("s3:GetObject", "an object was looked at and read", status);
  }

  void TryAbort(const std::string& path) {
    const auto staged = Stage(path);
    if (!staged.ok()) {
      const std::string why = "no upload could be begun to abort";
      seen_.push_back(
          {.name = "s3:AbortMultipartUpload", .level = Level::kUnknown, .detail = why});
      return;
    }
    AddParts(*staged);
    Add("s3:AbortMultipartUpload", "an upload was aborted", store_.Abort(*staged));
  }

  /// Asked only to settle an answer that was lost: a run goes without it, less surely.
  void AddParts(const StagedObject& staged) {
    S3Request request;
    request.action = "s3:ListMultipartUploadParts";
    request.key = world_.Key(staged.path);
    const auto token = ParseS3Token(staged.token);
    if (token.ok()) request.query = {{"max-parts", "1"}, {"uploadId", token->upload}};
    const auto answer = world_.client.Send(request);
    const bool works = answer.ok() && answer->ok();
    const Status refused = !answer.ok() ? answer.status()
                           : works      ? Status::OK()
                                        : world_.client.Refusal(request, *answer);
    seen_.push_back({.name = std::string(request.action),
                     .level = works ? Level::kOk : Level::kWarning,
                     .detail = works ? "an upload's parts were listed"
                                     : refused.message() +
                                           "; where the answer to a publish is lost, it "
                                           "may not be found out whether to try again",
                     .hint = std::string(HintOf(refused))});
  }

  S3World& world_;
  Store& store_;
  const std::string folder_;
  std::vector<Finding> seen_;
};

/// What the bucket is set to.
class Settings {
 public:
  explicit Settings(S3World& world) : client_(world.client), prefix_(world.Key("")) {}

  std::vector<Finding> Look() {
    AddTransport();
    AddClock();
    Setting(
        "lifecycle", "s3:GetLifecycleConfiguration", "NoSuchLifecycleConfiguration",
        "no rules; uploads of runs that never come back stay until gc, and are billed",
        [this](const pugi::xml_node& root) { JudgeLifecycle(root); });
    Setting("versioning", "s3:GetBucketVersioning", "", "never switched on",
            [this](const pugi::xml_node& root) { JudgeVersioning(root); });
    Setting("object-lock", "s3:GetBucketObjectLockConfiguration",
            "ObjectLockConfigurationNotFoundError", "none",
            [this](const pugi::xml_node& root) { JudgeLock(root); });
    Setting("encryption", "s3:GetEncryptionConfiguration",
            "ServerSideEncryptionConfigurationNotFoundError", "no default",
            [this](const pugi::xml_node& root) { JudgeEncryption(root); });
    return std::move(seen_);
  }

 private:
  void Add(std::string name, Level level, std::string detail, std::string hint = {}) {
    seen_.push_back({.name = std::move(name),
                     .level = level,
                     .detail = std::move(detail),
                     .hint = std::move(hint)});
  }

  void AddTransport() {
    const std::string& endpoint = client_.options().endpoint;
    if (!endpoint.starts_with("http://"))
      return Add("TLS", Level::kOk, "https; the server's certificate is verified");
    const bool is_near = endpoint.starts_with("http://127.") ||
                         endpoint.starts_with("http://localhost") ||
                         endpoint.starts_with("http://[::1]");
    Add("TLS", is_near ? Level::kOk : Level::kWarning,
        is_near ? "none; the endpoint is on loopback"
                : "none: rows cross the network readable",
        is_near ? "" : "use an https endpoint");
  }

  void AddClock() {
    S3Request request;
    request.action = "s3:ListBucket";
    request.query = {{"list-type", "2"}, {"max-keys", "1"}};
    const int64_t before = client_.clock().NowMicros();
    const auto answer = client_.Send(request);
    const int64_t after = client_.clock().NowMicros();
    const std::string date(answer.ok() ? answer->response.Find("date") : "");
    if (date.empty())
      return Add("clock", Level::kUnknown, "the server does not say what time it is");
    const int64_t middle = before + (after - before) / 2;
    const auto here = static_cast<double>(middle);
    // The header has whole seconds: on average it is half of one old.
    const double ahead =
        (static_cast<double>(aws::MicrosOfHttpDate(date)) + 500'000 - here) / 1e6;
    const bool is_off = std::fabs(ahead) > kClockSecondsMax;
    Add("clock", is_off ? Level::kWarning : Level::kOk,
        fmt::format("the server's is {:.0f} s {} of ours", std::fabs(ahead),
                    ahead < 0 ? "behind" : "ahead"),
        is_off ? "set this machine's clock; S3 refuses a difference of 15 minutes" : "");
  }

  /// `absent`: the code of an answer that says there is no such setting.
  void Setting(const std::string& name, std::string_view action, std::string_view absent,
               std::string_view without,
               const std::function<void(const pugi::xml_node&)>& judge) {
    S3Request request;
    request.action = action;
    request.query = {{name, ""}};
    const auto answer = client_.Send(request);
    if (!answer.ok()) return Add(name, Level::kUnknown, answer.status().message());
    if (!absent.empty() && answer->fault.code == absent)
      return Add(name, Level::kOk, std::string(without));
    if (!answer->ok()) {
      const Status refused = client_.Refusal(request, *answer);
      return Add(name, Level::kUnknown, refused.message(), std::string(HintOf(refused)));
    }
    pugi::xml_document document;
    const std::string& body = answer->response.body;
    if (!document.load_buffer(body.data(), body.size()))
      return Add(name, Level::kUnknown, "the answer is no document");
    judge(document.document_element());
  }

  /// Whether a rule is in force somewhere below our prefix.
  bool Concerns(const pugi::xml_node& rule) const {
    if (std::string_view(rule.child_value("Status")) != "Enabled") return false;
    const pugi::xml_node filter = rule.child("Filter");
    std::string_view of_rule = rule.child_value("Prefix");
    if (of_rule.empty()) of_rule = filter.child_value("Prefix");
    if (of_rule.empty()) of_rule = filter.child("And").child_value("Prefix");
    return prefix_.starts_with(of_rule) || of_rule.starts_with(prefix_);
  }

  void JudgeLifecycle(const pugi::xml_node& root) {
    int abort_days = 0, num_rules = 0;
    std::string expires;
    for (const pugi::xml_node& rule : root.children("Rule")) {
      if (!Concerns(rule)) continue;
      ++num_rules;
      const pugi::xml_node abort = rule.child("AbortIncompleteMultipartUpload");
      const int days = std::atoi(abort.child_value("DaysAfterInitiation"));
      if (abort && (abort_days == 0 || days < abort_days)) abort_days = days;
      const pugi::xml_node expiration = rule.child("Expiration");
      if (expiration.child("Days") || expiration.child("Date"))
        expires = rule.child_value("ID");
      expires_versions_ =
          expires_versions_ || !rule.child("NoncurrentVersionExpiration").empty();
    }
    if (abort_days > 0 && abort_days < kAbortDaysMin) {
      Add("lifecycle", Level::kWarning,
          fmt::format(
              "incomplete uploads are aborted after {} day{}: what a paused run has "
              "staged would be gone",
              abort_days, abort_days == 1 ? "" : "s"),
          fmt::format("give the rule at least {} days (docs/s3.md has one)",
                      kAbortDaysMin));
    } else {
      Add("lifecycle", Level::kOk,
          num_rules == 0 ? "no rule concerns this prefix"
          : abort_days == 0
              ? "no rule aborts incomplete uploads"
              : fmt::format("incomplete uploads are aborted after {} days", abort_days));
    }
    if (!expires.empty())
      Add("lifecycle", Level::kWarning,
          fmt::format("rule {} removes objects: manifests would name files that are gone",
                      expires),
          "take this prefix out of the rule");
  }

  void JudgeVersioning(const pugi::xml_node& root) {
    const std::string status = root.child_value("Status");
    if (status != "Enabled")
      return Add("versioning", Level::kOk, status.empty() ? "never switched on" : status);
    Add("versioning", expires_versions_ ? Level::kOk : Level::kWarning,
        expires_versions_
            ? "Enabled; a rule expires old versions"
            : "Enabled, and no rule seen that expires old versions: files that "
              "are replaced stay, and are billed",
        expires_versions_ ? "" : "add a lifecycle rule with NoncurrentVersionExpiration");
  }

  void JudgeLock(const pugi::xml_node& root) {
    const pugi::xml_node retention = root.child("Rule").child("DefaultRetention");
    if (!retention) return Add("object-lock", Level::kOk, "no default retention");
    const std::string days = retention.child_value("Days");
    Add("object-lock", Level::kWarning,
        fmt::format(
            "default retention {} of {} {}: replaced files and leftovers cannot be "
            "removed before",
            retention.child_value("Mode"),
            days.empty() ? retention.child_value("Years") : days.c_str(),
            days.empty() ? "years" : "days"),
        "write to a bucket without a default retention");
  }

  void JudgeEncryption(const pugi::xml_node& root) {
    const pugi::xml_node by_default =
        root.child("Rule").child("ApplyServerSideEncryptionByDefault");
    const std::string algorithm = by_default.child_value("SSEAlgorithm");
    const std::string key = by_default.child_value("KMSMasterKeyID");
    const bool is_kms = algorithm.starts_with("aws:kms");
    Add("encryption", Level::kOk,
        fmt::format(
            "{}{}{}", algorithm.empty() ? "no default" : algorithm,
            key.empty() ? "" : " with " + key,
            is_kms ? ": needs kms:GenerateDataKey and kms:Decrypt on the key" : ""));
  }

  S3Client& client_;
  const std::string prefix_;
  bool expires_versions_ = false;
  std::vector<Finding> seen_;
};

}  // namespace

std::vector<Finding> InspectS3(S3World& world, Store& store) {
  std::vector<Finding> seen = Permissions(world, store).Try();
  for (Finding& finding : Settings(world).Look()) seen.push_back(std::move(finding));
  return seen;
}

}  // namespace sluice
