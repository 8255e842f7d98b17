#include "driver/aws_credentials.h"

#include <fmt/format.h>

#include <cstdlib>
#include <set>

#include "driver/aws_profile.h"
#include "driver/aws_providers.h"

namespace sluice::aws {
namespace {

constexpr int64_t kMinuteMicros = 60'000'000;
/// New ones are asked for so long before the old ones expire.
constexpr int64_t kRenewBeforeMicros = 10 * kMinuteMicros;

std::string ValueOf(const Section& section, const char* name) {
  const auto found = section.find(name);
  return found == section.end() ? "" : found->second;
}

class Chain final : public CredentialSource {
 public:
  Chain(Surroundings surroundings, http::Client& client, Clock& clock)
      : surroundings_(std::move(surroundings)), client_(client), clock_(clock) {}

  Result<Credentials> Get() override {
    const std::lock_guard lock(mutex_);
    const int64_t now = clock_.NowMicros();
    if (Lasts(now, kRenewBeforeMicros)) return *kept_;
    auto found = Find();
    if (!found.ok()) {
      // The old ones are good as long as they last; the next call asks again.
      if (Lasts(now, kMinuteMicros)) return *kept_;
      return found.status();
    }
    kept_ = *found;
    return found;
  }

  void Refuse(const Credentials& used) override {
    const std::lock_guard lock(mutex_);
    const bool same = kept_ && kept_->access_key == used.access_key &&
                      kept_->session_token == used.session_token;
    if (same) kept_.reset();
  }

 private:
  bool Lasts(int64_t now, int64_t margin_micros) const {
    return kept_ &&
           (kept_->expires_micros == 0 || kept_->expires_micros - now > margin_micros);
  }

  std::string Variable(const char* name) const {
    return surroundings_.variable(name).value_or("");
  }
  Desk desk() const { return {surroundings_, client_, clock_}; }

  /// In the order of botocore's create_credential_resolver.
  Result<Credentials> Find() const {
    const bool has_keys = !Variable("AWS_ACCESS_KEY_ID").empty();
    if (has_keys && surroundings_.profile.empty()) return FromEnvironmentKeys();
    ARROW_ASSIGN_OR_RAISE(const Profiles profiles, LoadProfiles(surroundings_));
    const std::string name = ProfileName(surroundings_);
    if (profiles.profiles.contains(name)) {
      std::set<std::string> seen;
      ARROW_ASSIGN_OR_RAISE(auto found, OfProfile(profiles, name, &seen));
      if (found) return *found;
    } else if (ProfileIsNamed(surroundings_)) {
      return Error(ErrorKind::kUsage, "credentials.profile",
                   fmt::format("no AWS profile {} in {} or {}", name,
                               profiles.config_path, profiles.credentials_path),
                   "aws configure list-profiles shows those there are");
    }
    if (!Variable("AWS_WEB_IDENTITY_TOKEN_FILE").empty()) return FromEnvironmentRole();
    if (HasContainer(surroundings_)) return FromContainer(desk());
    return FromInstance(desk());
  }

  Result<Credentials> FromEnvironmentKeys() const {
    Credentials keys;
    keys.access_key = Variable("AWS_ACCESS_KEY_ID");
    keys.secret_key = Variable("AWS_SECRET_ACCESS_KEY");
    keys.session_token = Variable("AWS_SESSION_TOKEN");
    if (keys.session_token.empty()) keys.session_token = Variable("AWS_SECURITY_TOKEN");
    keys.origin = "the environment";
    if (!keys.secret_key.empty()) return keys;
    return Error(ErrorKind::kUsage, "credentials.partial",
                 "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not",
                 "set both, or neither");
  }

  Result<Credentials> FromEnvironmentRole() const {
    RoleRequest role;
    role.role_arn = Variable("AWS_ROLE_ARN");
    role.session_name = Variable("AWS_ROLE_SESSION_NAME");
    role.region = surroundings_.region;
    if (!role.role_arn.empty()) {
      return AssumeRoleWithWebIdentity(desk(), role,
                                       Variable("AWS_WEB_IDENTITY_TOKEN_FILE"));
    }
    return Error(ErrorKind::kUsage, "credentials.partial",
                 "AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not",
                 "set both, or neither");
  }

  /// Nothing where the profile says nothing of credentials.
  Result<std::optional<Credentials>> OfProfile(const Profiles& profiles,
                                               const std::string& name,
                                               std::set<std::string>* seen) const {
    const auto found = profiles.profiles.find(name);
    if (found == profiles.profiles.end())
      return BadProfile(name, "it does not exist, and another names it as its source");
    const Section& profile = found->second;
    const bool again = !seen->insert(name).second;
    const std::string role_arn = ValueOf(profile, "role_arn");
    const std::string token_file = ValueOf(profile, "web_identity_token_file");
    if (again && ValueOf(profile, "aws_access_key_id").empty())
      return BadProfile(name, "its chain of source_profile comes back to itself");
    if (!role_arn.empty() && !again) {
      RoleRequest role = RoleOf(profile);
      if (!token_file.empty()) {
        return AssumeRoleWithWebIdentity(desk(), role,
                                         ExpandHome(surroundings_, token_file));
      }
      ARROW_ASSIGN_OR_RAISE(const Credentials own,
                            SourceOf(profiles, name, profile, seen));
      return AssumeRole(desk(), role, own);
    }
    if (!ValueOf(profile, "sso_account_id").empty())
      return FromSso(desk(), name, profile, profiles);
    if (!ValueOf(profile, "aws_access_key_id").empty()) return KeysOf(name, profile);
    const std::string command = ValueOf(profile, "credential_process");
    if (!command.empty()) return FromProcess(desk(), command);
    return std::nullopt;
  }

  RoleRequest RoleOf(const Section& profile) const {
    RoleRequest role;
    role.role_arn = ValueOf(profile, "role_arn");
    role.session_name = ValueOf(profile, "role_session_name");
    role.external_id = ValueOf(profile, "external_id");
    role.duration_seconds = ValueOf(profile, "duration_seconds");
    role.region =
        surroundings_.region.empty() ? ValueOf(profile, "region") : surroundings_.region;
    return role;
  }

  /// Who asks for the role.
  Result<Credentials> SourceOf(const Profiles& profiles, const std::string& name,
                               const Section& profile,
                               std::set<std::string>* seen) const {
    if (!ValueOf(profile, "mfa_serial").empty()) {
      return Error(
          ErrorKind::kUsage, "credentials.mfa",
          fmt::format("the role of AWS profile {} wants a code of a device (MFA), "
                      "which nobody can type into a run",
                      name),
          "get a session by hand and pass its keys in the environment, or use a "
          "role without mfa_serial");
    }
    const std::string source = ValueOf(profile, "source_profile");
    const std::string kind = ValueOf(profile, "credential_source");
    if (source.empty() == kind.empty()) {
      return BadProfile(
          name, "a role needs one of source_profile and credential_source, not both");
    }
    if (kind == "Environment") return FromEnvironmentKeys();
    if (kind == "EcsContainer") return FromContainer(desk());
    if (kind == "Ec2InstanceMetadata") return FromInstance(desk());
    if (!kind.empty()) return BadProfile(name, "no such credential_source: " + kind);
    ARROW_ASSIGN_OR_RAISE(const auto found, OfProfile(profiles, source, seen));
    if (found) return *found;
    return BadProfile(source, "it holds no credentials, and another names it as source");
  }

  static Result<std::optional<Credentials>> KeysOf(const std::string& name,
                                                   const Section& profile) {
    Credentials keys;
    keys.access_key = ValueOf(profile, "aws_access_key_id");
    keys.secret_key = ValueOf(profile, "aws_secret_access_key");
    keys.session_token = ValueOf(profile, "aws_session_token");
    keys.origin = "AWS profile " + name;
    if (keys.secret_key.empty())
      return BadProfile(name, "it has an access key and no secret");
    return keys;
  }

  const Surroundings surroundings_;
  http::Client& client_;
  Clock& clock_;
  std::mutex mutex_;
  std::optional<Credentials> kept_;
};

class Fixed final : public CredentialSource {
 public:
  explicit Fixed(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<Credentials> Get() override { return credentials_; }
  void Refuse(const Credentials&) override {}

 private:
  const Credentials credentials_;
};

}  // namespace

Surroundings Surroundings::FromEnvironment() {
  Surroundings surroundings;
  surroundings.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  return surroundings;
}

std::unique_ptr<CredentialSource> NewCredentialChain(Surroundings surroundings,
                                                     http::Client& client, Clock& clock) {
  return std::make_unique<Chain>(std::move(surroundings), client, clock);
}

std::unique_ptr<CredentialSource> FixedCredentials(Credentials credentials) {
  return std::make_unique<Fixed>(std::move(credentials));
}

}  // namespace sluice::aws
