/// \file
/// What the program says about itself while it works: lines on stderr, for people or as
/// JSON. Every message and text passes the redactor; names of streams, tables
/// and columns, and numbers, stay. No row values, ever.
#pragma once

#include <functional>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace sluice {

enum class LogFormat { kHuman, kJson };
enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct LogOptions {
  LogFormat format = LogFormat::kHuman;
  LogLevel level = LogLevel::kWarning;  ///< the least that is written
};

/// A name and a value that belong to a line: stream, load, chunk. Empty values are left
/// out.
struct LogField {
  std::string_view name;
  std::string_view value;
  bool is_number = false;  ///< written without quotes in JSON
};

/// Before the first thread starts. Without it: people, warnings and errors.
void ConfigureLog(const LogOptions& options);
/// The run every later line belongs to: a member of JSON lines.
void SetLogRun(std::string_view run);
/// Who writes a finished line, newline included, instead of stderr; null: stderr again.
/// For whoever draws on the same terminal. Called under the log's lock: it must not log.
void SetLogWriter(std::function<void(std::string_view line)> writer);

/// Any thread. For people: "warning: message (stream orders)", and a time first at level
/// debug. JSON:
/// {"time","level","run","message", fields…}.
void Log(LogLevel level, std::string_view message,
         std::initializer_list<LogField> fields = {});
/// One JSON line, whatever the format and the level: {"time","level","run","message",
/// members…}. For what somebody asked for as JSON.
void LogObject(LogLevel level, std::string_view message,
               const nlohmann::ordered_json& members);
bool LogWanted(LogLevel level);
bool LogIsJson();

}  // namespace sluice
