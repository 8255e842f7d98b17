#include "cli/request.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "app/secrets.h"
#include "base/log.h"

namespace sluice::cli {
namespace {

Status CheckOnly(const Arguments& arguments, const char* flag, std::string_view only) {
  if (!arguments.Has(flag) || arguments.Value(flag) == only) return Status::OK();
  return Error(ErrorKind::kUsage, "cli.not-in-this-version",
               fmt::format("{} {} is not in this version, only {}", flag,
                           arguments.Value(flag), only));
}

/// "a,b" in parts; an empty part is an error.
Result<std::vector<std::string>> SplitColumns(const std::string& text) {
  std::vector<std::string> columns;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    columns.push_back(text.substr(begin, comma - begin));
    if (columns.back().empty()) {
      return Error(ErrorKind::kUsage, "cli.columns",
                   "--columns expects names with commas between, found " + text);
    }
    begin = comma + 1;
  }
  return columns;
}

Result<ResumeMode> ResumeModeFrom(const Arguments& arguments) {
  if (arguments.Has("--resume") && arguments.Has("--restart")) {
    return Error(ErrorKind::kUsage, "cli.resume-or-restart",
                 "--resume and --restart exclude each other");
  }
  if (arguments.Has("--resume")) return ResumeMode::kInsist;
  return arguments.Has("--restart") ? ResumeMode::kRestart : ResumeMode::kAuto;
}

/// --sql and --as. A query needs a name that stays: its load is found again by it.
Result<std::vector<StreamEntry>> QueryFrom(const Arguments& arguments) {
  for (const char* flag : {"--table", "--columns", "--where"}) {
    if (!arguments.Has(flag)) continue;
    return Error(
        ErrorKind::kUsage, "cli.sql", fmt::format("{} does not go with --sql", flag),
        "the query itself picks columns and rows; several streams are a job file");
  }
  StreamEntry entry;
  entry.sql = arguments.Value("--sql");
  if (entry.sql.find_first_not_of(" \t\n") == std::string::npos) {
    return Error(
        ErrorKind::kUsage, "cli.sql", "--sql expects a query, found nothing",
        "--sql \"select id, total from orders where total > 100\" --as big_orders");
  }
  if (!arguments.Has("--as")) {
    return Error(
        ErrorKind::kUsage, "cli.sql", "--sql needs a name for its rows",
        "add --as NAME: their folder is called so, and an unfinished load is found "
        "again by it");
  }
  entry.pattern = arguments.Value("--as");
  ARROW_RETURN_NOT_OK(InContext(CheckStreamName(entry.pattern), "--as"));
  return std::vector<StreamEntry>{std::move(entry)};
}

Result<std::vector<StreamEntry>> TablesFrom(const Arguments& arguments) {
  std::vector<StreamEntry> streams;
  if (arguments.Has("--sql")) return QueryFrom(arguments);
  if (arguments.Has("--as")) {
    return Error(ErrorKind::kUsage, "cli.sql", "--as names the rows of --sql",
                 "a table keeps its name");
  }
  for (const std::string& table : arguments.Values("--table")) {
    if (table.empty())
      return Error(ErrorKind::kUsage, "cli.table",
                   "--table expects a name, found nothing");
    StreamEntry entry;
    entry.pattern = table;
    streams.push_back(std::move(entry));
  }
  for (const char* flag : {"--columns", "--where"}) {
    if (arguments.Has(flag) && streams.size() != 1) {
      return Error(
          ErrorKind::kUsage, "cli.needs-one-table",
          fmt::format("{} needs exactly one --table, found {}", flag, streams.size()));
    }
  }
  if (arguments.Has("--columns")) {
    ARROW_ASSIGN_OR_RAISE(streams[0].columns, SplitColumns(arguments.Value("--columns")));
  }
  if (arguments.Has("--where")) {
    streams[0].where = arguments.Value("--where");
    if (streams[0].where.find_first_not_of(" \t\n") == std::string::npos) {
      return Error(ErrorKind::kUsage, "cli.where",
                   "--where expects an expression, found nothing");
    }
  }
  return streams;
}

std::string HeadOf(const std::string& path) {
  std::string head(128, '\0');
  std::ifstream stream(path, std::ios::binary);
  stream.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(stream.gcount()));
  return head;
}

/// A database is no text.
bool LooksBinary(const std::string& path) {
  return HeadOf(path).find('\0') != std::string::npos;
}

void WarnOfVariables() {
  for (const std::string& sentence : UnknownVariables())
    Log(LogLevel::kWarning, sentence);
}

/// A database where a job file belongs.
Status CheckIsNoDatabase(const Arguments& arguments) {
  const std::string& path = arguments.positionals[0];
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(path, error);
  if (!is_file || !HeadOf(path).starts_with("SQLite format 3")) return Status::OK();
  const std::string verb =
      arguments.verb->bit == kRun ? "copy" : std::string(arguments.verb->name);
  return Error(ErrorKind::kUsage, "cli.database",
               fmt::format("expected a job file, found a database: {}", path),
               fmt::format("name a destination too: sluice {} {} FOLDER; or write a job "
                           "file: sluice job init {}",
                           verb, path, path));
}

}  // namespace

Result<Settings> SettingsFrom(const Arguments& arguments) {
  Settings settings;
  for (const std::string& name : SettingNames()) {
    const std::string flag = FlagOf(name);
    if (!arguments.Has(flag)) continue;
    ARROW_RETURN_NOT_OK(
        InContext(SetSetting(name, arguments.Value(flag), &settings), flag));
  }
  ARROW_RETURN_NOT_OK(CheckOnly(arguments, "--mode", "full"));
  ARROW_RETURN_NOT_OK(CheckOnly(arguments, "--format", "parquet"));
  return settings;
}

JobRules RulesFrom(const Arguments& arguments) {
  return {.allow_commands = arguments.Has("--allow-commands")};
}

Result<std::string> ArgumentOf(const Arguments& arguments) {
  return ReplaceInUri(arguments.positionals[0], RulesFrom(arguments));
}

Result<JobRequest> CopyRequest(const Arguments& arguments) {
  JobRequest request;
  WarnOfVariables();
  ARROW_ASSIGN_OR_RAISE(request.flags, SettingsFrom(arguments));
  ARROW_ASSIGN_OR_RAISE(request.environment, SettingsFromEnvironment());
  ARROW_ASSIGN_OR_RAISE(request.resume, ResumeModeFrom(arguments));
  ARROW_ASSIGN_OR_RAISE(std::vector<StreamEntry> streams, TablesFrom(arguments));
  ARROW_ASSIGN_OR_RAISE(
      request.job,
      CopyJob(arguments.positionals[0], arguments.positionals[1], std::move(streams)));
  if (arguments.Has("--stream")) {
    return Error(ErrorKind::kUsage, "cli.stream", "--stream picks streams of a job file",
                 "use --table");
  }
  request.state = arguments.Value("--state");
  return request;
}

Result<JobRequest> FileRequest(const Arguments& arguments) {
  JobRequest request;
  WarnOfVariables();
  ARROW_RETURN_NOT_OK(CheckIsNoDatabase(arguments));
  for (const char* flag : {"--table", "--columns", "--where", "--sql", "--as"}) {
    if (!arguments.Has(flag)) continue;
    return Error(ErrorKind::kUsage, "cli.table",
                 fmt::format("{} goes with a source and a destination", flag),
                 "a job file names its own streams; --stream picks some");
  }
  ARROW_ASSIGN_OR_RAISE(request.flags, SettingsFrom(arguments));
  ARROW_ASSIGN_OR_RAISE(request.environment, SettingsFromEnvironment());
  ARROW_ASSIGN_OR_RAISE(request.resume, ResumeModeFrom(arguments));
  ARROW_ASSIGN_OR_RAISE(request.job,
                        ReadJobFile(arguments.positionals[0], RulesFrom(arguments)));
  request.only = arguments.Values("--stream");
  request.state = arguments.Value("--state");
  return request;
}

Subject SubjectOf(const std::string& argument) {
  namespace fs = std::filesystem;
  const std::string ending = fs::path(argument).extension().string();
  const bool named_as_job = ending == ".yaml" || ending == ".yml" || ending == ".json";
  std::error_code error;
  if (fs::is_directory(argument, error)) return Subject::kDestination;
  if (fs::exists(argument, error)) {
    // What is neither file nor folder is refused by whoever opens it, and not waited for here.
    if (named_as_job || !fs::is_regular_file(argument, error)) return Subject::kJobFile;
    return LooksBinary(argument) || fs::file_size(argument, error) == 0
               ? Subject::kSource
               : Subject::kJobFile;
  }
  if (named_as_job) return Subject::kJobFile;
  if (ResolveSource(argument).ok()) return Subject::kSource;
  return ResolveDestination(argument).ok() ? Subject::kDestination : Subject::kSource;
}

}  // namespace sluice::cli
