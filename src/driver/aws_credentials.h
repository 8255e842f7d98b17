/// \file
/// Credentials as the AWS CLI resolves them: environment, profile (keys, assume-role, web
/// identity, SSO, process), container, instance; kept and refreshed before they expire.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "driver/aws_signature.h"
#include "driver/http.h"
#include "sluice/clock.h"

namespace sluice::aws {

/// Where credentials are looked for. Tests fill it; life takes FromEnvironment().
struct Surroundings {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::string
      profile;  ///< asked for by name: the environment's keys are then passed over
  /// For STS and SSO; "" where nothing says.
  std::string region;
  static Surroundings FromEnvironment();
};

/// Thread-safe. Messages never hold a secret.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  /// Good for at least a minute. Errors: kUsage "credentials.…" (none found, an unknown profile,
  /// a role that wants MFA), kDestination (refused), kTransient (unreachable).
  virtual Result<Credentials> Get() = 0;
  /// The store said that `used` has expired or is unknown: the next Get looks again.
  virtual void Refuse(const Credentials& used) = 0;
};

/// `client` and `clock` outlive it.
std::unique_ptr<CredentialSource> NewCredentialChain(Surroundings surroundings,
                                                     http::Client& client, Clock& clock);
std::unique_ptr<CredentialSource> FixedCredentials(Credentials credentials);

/// What the shared config file says of the profile in force: region, endpoint_url, ca_bundle; nothing
/// where it does not.
std::optional<std::string> ProfileSetting(const Surroundings& surroundings,
                                          const std::string& name);

}  // namespace sluice::aws
