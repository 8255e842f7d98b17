/// \file
/// Single places credentials come from: each asks once and keeps nothing.
#pragma once

#include <string>

#include "driver/aws_credentials.h"
#include "driver/aws_profile.h"

namespace sluice::aws {

/// What a provider works with.
struct Desk {
  const Surroundings& surroundings;
  http::Client& client;
  Clock& clock;
};

struct RoleRequest {
  std::string role_arn, session_name, external_id, duration_seconds;
  std::string region;
};

/// STS AssumeRole, signed with `own`.
Result<Credentials> AssumeRole(const Desk& desk, const RoleRequest& role,
                               const Credentials& own);
/// STS AssumeRoleWithWebIdentity; the token is read from its file each time.
Result<Credentials> AssumeRoleWithWebIdentity(const Desk& desk, const RoleRequest& role,
                                              const std::string& token_file);
/// The cached token of `aws sso login`, exchanged for a role's keys.
Result<Credentials> FromSso(const Desk& desk, const std::string& profile_name,
                            const Section& profile, const Profiles& profiles);
/// What a command of the user's prints (Version 1); run without a shell.
Result<Credentials> FromProcess(const Desk& desk, const std::string& command);
/// AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI.
Result<Credentials> FromContainer(const Desk& desk);
bool HasContainer(const Surroundings& surroundings);
/// IMDSv2. kUsage "credentials.none" where no such service answers.
Result<Credentials> FromInstance(const Desk& desk);

/// {"AccessKeyId": …, "SecretAccessKey": …, "Token" or "SessionToken": …, "Expiration": …}.
Result<Credentials> ParseCredentials(const std::string& json, const std::string& origin);

/// kUsage "credentials.profile".
Status BadProfile(const std::string& profile, const std::string& what);
/// What a credentials service said instead: kDestination "credentials.refused", kTransient for 5xx.
Status RefusedBy(const std::string& service, const http::Response& response);

}  // namespace sluice::aws
