#include "cli/topics.h"

#include <fmt/format.h>

#include <array>

#include "app/job_keys.h"
#include "app/settings.h"
#include "cli/console.h"
#include "cli/summary.h"

namespace sluice::cli {
namespace {

struct Advice {
  int code;
  std::string_view to_a_scheduler;
};
constexpr auto kAdvice = std::to_array<Advice>({
    {0, "goes on"},
    {1, "tells somebody: it would fail again"},
    {2, "tells somebody: it would fail again"},
    {3, "tells somebody: distrust that load"},
    {4, "does nothing: the other run goes on"},
    {5, "runs it again, in minutes: it resumes"},
    {6, "tells somebody, then runs it again"},
    {7, "tells somebody, then runs it again"},
    {8, "tells somebody, then runs it again"},
    {130, "runs it again: it resumes"},
    {143, "runs it again: it resumes"},
});

std::string ExitCodes() {
  TextTable table("rll");
  table.Add({"code", "means", "a scheduler"});
  for (const Advice& advice : kAdvice) {
    table.Add(
        {std::to_string(advice.code),
         advice.code == 0 ? "done, every load is committed" : MeaningOf(advice.code),
         std::string(advice.to_a_scheduler)});
  }
  return "Exit codes: what a run says to whoever started it.\n\n" + table.ToString("  ") +
         "\nOf several streams that fail, the first of 3 6 4 2 7 8 1 5 counts. Each error has an\n"
         "id besides, in error.id of --json; docs/errors.md has them all.\n";
}

constexpr std::string_view kExample =
    "  version: 1\n"
    "  source: mysql://reader@db.internal:3306/shop\n"
    "  destination: s3://lake/raw\n"
    "  secrets: {source.password: \"${env:SHOP_PASSWORD}\"}\n"
    "  defaults: {compression: zstd:3}\n"
    "  limits: {memory: 512MiB, connections: 4}\n"
    "  streams:\n"
    "    customers: {}\n"
    "    orders: {where: status <> 'draft', zero_date: null}\n"
    "    \"tmp_*\": {exclude: true}\n";

std::string KeysOf(JobSection section) {
  constexpr size_t kIndent = 20;
  std::string text;
  for (const JobKey& key : JobKeys()) {
    if ((key.sections & section) == 0 || key.shape == KeyShape::kLater) continue;
    text +=
        fmt::format("  {:<{}}{}\n", key.name, kIndent - 2, Wrapped(key.help, kIndent));
  }
  return text;
}

std::string JobFile() {
  return fmt::format(
      "The job file: what sluice run takes. YAML; JSON is YAML too.\n\n{}\n"
      "sluice job init SOURCE_URI writes one for a database that is there, sluice plan FILE\nsays "
      "what it would do, sluice job schema prints its JSON Schema for editors.\ndocs/job-file.md "
      "explains each key.\n\nAt the top:\n{}\nUnder limits:\n{}\nUnder a stream:\n{}\n"
      "Under defaults: those of a stream, but columns, where, sql, destination and exclude.\n",
      kExample, KeysOf(kAtTop), KeysOf(kInLimits), KeysOf(kInStream));
}

std::string Uris() {
  return "Sources and destinations: a URI or a path.\n\n"
         "Three slashes are an absolute path, sqlite:///data/shop.db; without slashes it is\n"
         "relative, sqlite:shop.db, as is a bare path. Options are query parameters:\n"
         "s3://bucket/prefix?region=eu-west-1\n\n"
         "In a user or password write @ : / ? # % as %40 %3A %2F %3F %23 %25, in a path ? # %\n"
         "and spaces. A reference needs none of that: '${env:NAME}' or '${file:/path}', in\n"
         "single quotes, stands for any part.\n\n" +
         ConnectorLines();
}

std::string VariablesOfSettings() {
  TextTable table("ll");
  for (const std::string& name : SettingNames()) {
    if (name != "path") table.Add({VariableOf(name), "as " + FlagOf(name)});
  }
  return table.ToString("  ");
}

constexpr std::pair<std::string_view, std::string_view> kVariables[] = {
    {"SLUICE_STATE", "as --state"},
    {"XDG_STATE_HOME, HOME", "where the state is, without --state and SLUICE_STATE"},
    {"TERM", "dumb, or none: plain lines of progress"},
};
constexpr std::pair<std::string_view, std::string_view> kVariablesOfAws[] = {
    {"AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", "keys"},
    {"AWS_PROFILE", "a profile of ~/.aws"},
    {"AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE", "instead of ~/.aws/…"},
    {"AWS_REGION, AWS_DEFAULT_REGION", "where the bucket is"},
    {"AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL", "another server than AWS"},
    {"AWS_CA_BUNDLE", "PEM file of the authority of its certificate"},
    {"AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN", "a role by a token"},
    {"AWS_CONTAINER_CREDENTIALS_FULL_URI, …_RELATIVE_URI", "a container's role"},
    {"AWS_EC2_METADATA_DISABLED=true", "does not ask for an instance's role"},
};

template <size_t N>
std::string LinesOf(const std::pair<std::string_view, std::string_view> (&variables)[N]) {
  TextTable table("ll");
  for (const auto& [name, meaning] : variables)
    table.Add({std::string(name), std::string(meaning)});
  return table.ToString("  ");
}

std::string Environment() {
  return fmt::format(
      "Variables of the environment. A flag beats them, they beat the job file.\n\n{}{}\n"
      "S3, as the AWS CLI has them (docs/s3.md says in which order):\n{}\n"
      "Any other by its name: ${{env:NAME}} in a job file or a URI. What cron and systemd start\n"
      "has few of the variables of a login: name a file of them there (README shows how).\n",
      LinesOf(kVariables), VariablesOfSettings(), LinesOf(kVariablesOfAws));
}

constexpr auto kTopics = std::to_array<Topic>({
    {"exit-codes", "what each means, and what a scheduler does", ExitCodes},
    {"job-file", "an example, and every key", JobFile},
    {"uris", "sources and destinations, how they are written, their options", Uris},
    {"environment", "variables: SLUICE_… and AWS_…", Environment},
});

}  // namespace

std::span<const Topic> Topics() { return kTopics; }

const Topic* FindTopic(std::string_view name) {
  for (const Topic& topic : kTopics) {
    if (topic.name == name) return &topic;
  }
  return nullptr;
}

}  // namespace sluice::cli
