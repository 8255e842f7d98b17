#include "cli/main.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "arrow/memory_pool.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/hidden_passwords.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

struct Entry {
  VerbBit verb;
  Outcome (*act)(const Invocation&);
};
constexpr Entry kEntries[] = {
    {kCopy, Copy},
    {kRun, Run},
    {kPlan, Plan},
    {kCheck, Check},
    {kDiscover, Discover},
    {kVerify, VerifyVerb},
    {kStatus, StatusVerb},
    {kGc, Gc},
    {kJob, JobVerb},
    {kVersion, Version},
    {kHelp, Help},
    {kLog, LogVerb},
    {kConnectors, Connectors},
    {kCompletion, Completion},
};

Status Configure(const Arguments& arguments) {
  LogOptions options;
  // Who reads the progress as JSON wants nothing else among it.
  const bool json_progress = arguments.Value("--progress") == "json";
  const std::string format = json_progress && !arguments.Has("--log-format")
                                 ? "json"
                                 : arguments.Value("--log-format");
  if (format == "json") {
    options.format = LogFormat::kJson;
  } else if (!format.empty() && format != "human") {
    return Error(ErrorKind::kUsage, "cli.log-format",
                 "--log-format must be human or json, found " + format);
  }
  const bool wants_progress =
      arguments.Has("--progress") && arguments.Value("--progress") != "none";
  const bool quiet =
      !wants_progress && (arguments.Has("--quiet") || arguments.Has("--json"));
  options.level = quiet ? LogLevel::kWarning : LogLevel::kInfo;
  if (arguments.Has("--verbose")) options.level = LogLevel::kDebug;
  ConfigureLog(options);
  return ArmCrashPointsFromEnvironment();
}

Outcome Act(const Invocation& invocation) {
  for (const Entry& entry : kEntries) {
    if (entry.verb != invocation.arguments.verb->bit) continue;
    return OutcomeOf([&] { return entry.act(invocation); });
  }
  return Failed(Error(ErrorKind::kUsage, "cli.unknown-verb", "unknown verb"));
}

/// A stream that the caller closed stays closed to us, and its number is not given to a file: what is
/// written to it fails instead of landing in a database.
void ReserveStandardStreams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (fcntl(stream, F_GETFD) == -1 && open("/dev/null", O_RDONLY) == -1) return;
  }
}

/// Arrow's default, mimalloc, keeps what one thread allocates and another frees, and so does the system's
/// malloc now and then: up to a third more memory for batches that go from reader to encoder, and no less
/// time (docs/adr/0008-jemalloc.md).
const char* MemoryPoolName() {
  const auto names = arrow::SupportedMemoryBackendNames();
  return std::find(names.begin(), names.end(), "jemalloc") != names.end() ? "jemalloc"
                                                                          : "system";
}

int Print(const Outcome& outcome, const std::string& command, bool json) {
  if (!outcome.error.ok() && !outcome.reported) ReportError(outcome.error);
  const int code = CodeOf(outcome);
  const Written written =
      WriteStdout(json ? ResultObject(command, outcome) : outcome.text);
  if (written != Written::kFailed) return code;
  ReportError(Error(ErrorKind::kFailed, "cli.stdout",
                    "the result could not be written to stdout"));
  return code == 0 ? 1 : code;
}

}  // namespace

int Main(int argc, char** argv) {
  ReserveStandardStreams();
  setenv("ARROW_DEFAULT_MEMORY_POOL", MemoryPoolName(), /*overwrite=*/0);
  std::signal(SIGPIPE, SIG_IGN);  // A reader that leaves is seen where the write fails.
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  const bool had_password = HidePasswords(argc, argv);
  const auto arguments = ParseCommandLine(words);
  if (!arguments.ok()) {
    const bool json = std::find(words.begin(), words.end(), "--json") != words.end();
    const bool named = !words.empty() && !words.front().starts_with('-');
    return Print(Failed(arguments.status()), named ? words.front() : "", json);
  }
  const Invocation invocation{*arguments, arguments->Has("--json")};
  const std::string command(arguments->verb->name);
  if (const Status status = Configure(*arguments); !status.ok())
    return Print(Failed(status), command, invocation.json);
  if (had_password) WarnOfPassword();
  return Print(Act(invocation), command, invocation.json);
}

}  // namespace sluice::cli
