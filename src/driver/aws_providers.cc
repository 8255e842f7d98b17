#include "driver/aws_providers.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "base/sha256.h"
#include "driver/aws_process.h"

namespace sluice::aws {
namespace {

using nlohmann::json;

std::string ValueOf(const Section& section, const char* name) {
  const auto found = section.find(name);
  return found == section.end() ? "" : found->second;
}

std::string VariableOf(const Desk& desk, const char* name) {
  return desk.surroundings.variable(name).value_or("");
}

std::string TextOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string OneLine(std::string_view text) {
  constexpr size_t kShownMax = 200;
  std::string line(text.substr(0, kShownMax));
  for (char& c : line) c = static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  return line;
}

std::string Sha1Hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string FormOf(const Query& fields) {
  std::string form;
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    form += fmt::format("{}{}={}", form.empty() ? "" : "&", name,
                        UriEncode(value, Slash::kEncode));
  }
  return form;
}

/// "https://sts.eu-west-1.amazonaws.com", or what the environment names instead.
std::string EndpointOf(const Desk& desk, const char* variable, const std::string& service,
                       const std::string& region) {
  for (const char* name : {variable, "AWS_ENDPOINT_URL"}) {
    const std::string named = VariableOf(desk, name);
    if (!named.empty()) return named.substr(0, named.find_last_not_of('/') + 1);
  }
  return fmt::format("https://{}.{}.amazonaws.com{}", service, region,
                     region.starts_with("cn-") ? ".cn" : "");
}

http::Request Quick(std::string url) {
  http::Request request;
  request.url = std::move(url);
  request.connect_max = std::chrono::seconds(5);
  request.time_max = std::chrono::seconds(30);
  return request;
}

Result<Credentials> CallSts(const Desk& desk, const RoleRequest& role,
                            const Query& fields, const Credentials& own) {
  const std::string region = role.region.empty() ? "us-east-1" : role.region;
  const std::string endpoint = EndpointOf(desk, "AWS_ENDPOINT_URL_STS", "sts", region);
  const std::string form = FormOf(fields);
  Unsigned plain;
  plain.method = "POST";
  plain.scheme = endpoint.substr(0, endpoint.find("://"));
  plain.host = endpoint.substr(endpoint.find("://") + 3);
  plain.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  plain.payload_hash = Sha256Hex(form);
  const Signed ready = Sign(plain, own, {region, "sts", desk.clock.NowMicros()});
  http::Request request = Quick(ready.url);
  request.method = "POST";
  request.headers = ready.headers;
  request.body = form;
  ARROW_ASSIGN_OR_RAISE(const http::Response response, desk.client.Send(request));
  if (response.status != 200) return RefusedBy("STS for role " + role.role_arn, response);
  pugi::xml_document document;
  document.load_buffer(response.body.data(), response.body.size());
  const std::string action = fields.front().second;
  const pugi::xml_node node = document.child((action + "Response").c_str())
                                  .child((action + "Result").c_str())
                                  .child("Credentials");
  Credentials keys;
  keys.access_key = node.child_value("AccessKeyId");
  keys.secret_key = node.child_value("SecretAccessKey");
  keys.session_token = node.child_value("SessionToken");
  keys.expires_micros = MicrosOfIsoTime(node.child_value("Expiration"));
  keys.origin = "role " + role.role_arn;
  if (keys.access_key.empty() || keys.secret_key.empty())
    return RefusedBy("STS for role " + role.role_arn, response);
  return keys;
}

Query RoleFields(const Desk& desk, const RoleRequest& role, const char* action) {
  const std::string session =
      role.session_name.empty()
          ? fmt::format("sluice-{}", desk.clock.NowMicros() / 1'000'000)
          : role.session_name;
  return {{"Action", action},
          {"Version", "2011-06-15"},
          {"RoleArn", role.role_arn},
          {"RoleSessionName", session},
          {"ExternalId", role.external_id},
          {"DurationSeconds", role.duration_seconds}};
}

Status SsoExpired(const std::string& profile) {
  return Error(ErrorKind::kUsage, "credentials.sso",
               fmt::format("AWS profile {} has no valid SSO session", profile),
               fmt::format("aws sso login --profile {}", profile));
}

}  // namespace

Status BadProfile(const std::string& profile, const std::string& what) {
  return Error(ErrorKind::kUsage, "credentials.profile",
               fmt::format("AWS profile {} cannot be used: {}", profile, what));
}

Status RefusedBy(const std::string& service, const http::Response& response) {
  const bool passes = response.status >= 500 || response.status == 429;
  std::string said;
  pugi::xml_document document;
  document.load_buffer(response.body.data(), response.body.size());
  const pugi::xml_node error = document.child("ErrorResponse").child("Error");
  // Never the body itself: of a success it holds the keys.
  if (error)
    said = OneLine(
        fmt::format(": {}: {}", error.child_value("Code"), error.child_value("Message")));
  return Error(
      passes ? ErrorKind::kTransient : ErrorKind::kDestination, "credentials.refused",
      fmt::format("no credentials from {} (HTTP {}){}", service, response.status, said));
}

Result<Credentials> ParseCredentials(const std::string& text, const std::string& origin) {
  const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  Credentials keys;
  keys.origin = origin;
  if (parsed.is_object()) {
    keys.access_key = TextOf(parsed, "AccessKeyId");
    keys.secret_key = TextOf(parsed, "SecretAccessKey");
    keys.session_token = TextOf(parsed, "Token");
    if (keys.session_token.empty()) keys.session_token = TextOf(parsed, "SessionToken");
    keys.expires_micros = MicrosOfIsoTime(TextOf(parsed, "Expiration"));
  }
  if (!keys.access_key.empty() && !keys.secret_key.empty()) return keys;
  return Error(
      ErrorKind::kDestination, "credentials.refused",
      fmt::format("wanted AccessKeyId and SecretAccessKey from {}, found another answer",
                  origin));
}

Result<Credentials> AssumeRole(const Desk& desk, const RoleRequest& role,
                               const Credentials& own) {
  return CallSts(desk, role, RoleFields(desk, role, "AssumeRole"), own);
}

Result<Credentials> AssumeRoleWithWebIdentity(const Desk& desk, const RoleRequest& role,
                                              const std::string& token_file) {
  auto token = ReadSmallFile(token_file);
  if (!token) {
    return Error(ErrorKind::kUsage, "credentials.unreadable",
                 "cannot read the web identity token of " + token_file,
                 "look at the file's permissions, and at AWS_WEB_IDENTITY_TOKEN_FILE");
  }
  while (!token->empty() && static_cast<unsigned char>(token->back()) <= ' ')
    token->pop_back();
  Query fields = RoleFields(desk, role, "AssumeRoleWithWebIdentity");
  fields.emplace_back("WebIdentityToken", *token);
  return CallSts(desk, role, fields, Credentials());
}

Result<Credentials> FromSso(const Desk& desk, const std::string& profile_name,
                            const Section& profile, const Profiles& profiles) {
  const std::string session = ValueOf(profile, "sso_session");
  Section where = profile;
  if (!session.empty()) {
    const auto found = profiles.sso_sessions.find(session);
    if (found == profiles.sso_sessions.end())
      return BadProfile(profile_name, "there is no sso-session " + session);
    where = found->second;
  }
  const std::string region = ValueOf(where, "sso_region");
  const std::string name = session.empty() ? ValueOf(where, "sso_start_url") : session;
  if (region.empty() || name.empty())
    return BadProfile(profile_name, "sso_start_url or sso_region is missing");
  const std::string path =
      ExpandHome(desk.surroundings, "~/.aws/sso/cache/" + Sha1Hex(name) + ".json");
  const json cached =
      json::parse(ReadSmallFile(path).value_or(""), nullptr, /*allow_exceptions=*/false);
  if (!cached.is_object()) return SsoExpired(profile_name);
  const int64_t expires = MicrosOfIsoTime(TextOf(cached, "expiresAt"));
  if (expires <= desk.clock.NowMicros()) return SsoExpired(profile_name);
  const std::string endpoint =
      EndpointOf(desk, "AWS_ENDPOINT_URL_SSO", "portal.sso", region);
  http::Request request =
      Quick(fmt::format("{}/federation/credentials?role_name={}&account_id={}", endpoint,
                        UriEncode(ValueOf(profile, "sso_role_name"), Slash::kEncode),
                        UriEncode(ValueOf(profile, "sso_account_id"), Slash::kEncode)));
  request.headers = {{"x-amz-sso_bearer_token", TextOf(cached, "accessToken")}};
  ARROW_ASSIGN_OR_RAISE(const http::Response response, desk.client.Send(request));
  if (response.status == 401) return SsoExpired(profile_name);
  const std::string origin = "AWS profile " + profile_name + " (SSO)";
  if (response.status != 200) return RefusedBy(origin, response);
  const json answer = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  const json& role = answer.is_object() && answer.contains("roleCredentials")
                         ? answer["roleCredentials"]
                         : answer;
  Credentials keys;
  keys.origin = origin;
  if (role.is_object()) {
    keys.access_key = TextOf(role, "accessKeyId");
    keys.secret_key = TextOf(role, "secretAccessKey");
    keys.session_token = TextOf(role, "sessionToken");
    const auto until = role.find("expiration");
    if (until != role.end() && until->is_number_integer())
      keys.expires_micros = until->get<int64_t>() * 1000;
  }
  if (keys.access_key.empty()) return RefusedBy(origin, response);
  return keys;
}

Result<Credentials> FromProcess(const Desk& desk, const std::string& command) {
  ARROW_ASSIGN_OR_RAISE(const std::string printed, OutputOfCommand(command, desk.clock));
  const json parsed = json::parse(printed, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_object() && parsed.value("Version", json()) == 1)
    return ParseCredentials(printed, "credential_process");
  return Error(ErrorKind::kUsage, "credentials.process",
               "wanted JSON of Version 1 from credential_process, found something else");
}

bool HasContainer(const Surroundings& surroundings) {
  return surroundings.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").has_value() ||
         surroundings.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").has_value();
}

Result<Credentials> FromContainer(const Desk& desk) {
  const std::string relative = VariableOf(desk, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  std::string url = VariableOf(desk, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!relative.empty()) url = "http://169.254.170.2" + relative;
  constexpr std::array<std::string_view, 6> kPlain = {
      "http://127.",           "http://localhost",       "http://[::1]",
      "http://169.254.170.2/", "http://169.254.170.23/", "http://[fd00:ec2::23]"};
  bool trusted = url.starts_with("https://");
  for (const std::string_view start : kPlain) trusted = trusted || url.starts_with(start);
  if (!trusted) {
    return Error(ErrorKind::kUsage, "credentials.container",
                 "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or a loopback or "
                 "container address");
  }
  http::Request request = Quick(url);
  request.proxy = false;
  request.connect_max = std::chrono::seconds(2);
  std::string token = VariableOf(desk, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  const std::string token_file =
      VariableOf(desk, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (!token_file.empty()) token = ReadSmallFile(token_file).value_or("");
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ')
    token.pop_back();
  if (!token.empty()) request.headers = {{"authorization", token}};
  ARROW_ASSIGN_OR_RAISE(const http::Response response, desk.client.Send(request));
  if (response.status != 200) return RefusedBy("the container's service", response);
  return ParseCredentials(response.body, "the container's role");
}

Result<Credentials> FromInstance(const Desk& desk) {
  const Status none = Error(
      ErrorKind::kUsage, "credentials.none",
      "no AWS credentials: none in the environment, no profile that has some, no "
      "container's and no instance's role",
      "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; docs/s3.md has "
      "the order");
  std::string off = VariableOf(desk, "AWS_EC2_METADATA_DISABLED");
  for (char& c : off) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (off == "true") return none;
  std::string base = VariableOf(desk, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (base.empty()) base = "http://169.254.169.254";
  while (base.ends_with('/')) base.pop_back();
  http::Request request = Quick(base + "/latest/api/token");
  request.method = "PUT";
  request.proxy = false;
  request.connect_max = std::chrono::seconds(1);
  request.time_max = std::chrono::seconds(2);
  request.headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}};
  const auto token = desk.client.Send(request);
  if (!token.ok() || token->status != 200) return none;
  request.method = "GET";
  request.headers = {{"x-aws-ec2-metadata-token", token->body}};
  const std::string roles = base + "/latest/meta-data/iam/security-credentials/";
  request.url = roles;
  ARROW_ASSIGN_OR_RAISE(const http::Response named, desk.client.Send(request));
  if (named.status == 404 || named.body.empty()) return none;
  const std::string role = named.body.substr(0, named.body.find_first_of("\r\n"));
  request.url = roles + UriEncode(role, Slash::kEncode);
  ARROW_ASSIGN_OR_RAISE(const http::Response answer, desk.client.Send(request));
  if (answer.status != 200) return RefusedBy("the instance's metadata", answer);
  return ParseCredentials(answer.body, "the instance's role " + role);
}

}  // namespace sluice::aws
