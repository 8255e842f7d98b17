#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "base/redact.h"
#include "sluice/clock.h"

namespace sluice {
namespace {

/// Lines arrive complete and redacted; here they are written.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void SetWriter(std::function<void(std::string_view)> writer) {
    const std::lock_guard<std::mutex> lock(mutex_);
    writer_ = std::move(writer);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string line(message.payload.data(), message.payload.size());
    line.push_back('\n');
    if (writer_) {
      writer_(line);
      return;
    }
    for (size_t done = 0; done < line.size();) {
      const ssize_t n = ::write(STDERR_FILENO, line.data() + done, line.size() - done);
      if (n <= 0) return;  // Nobody is left to tell.
      done += static_cast<size_t>(n);
    }
  }
  void flush_() override {}

 private:
  std::function<void(std::string_view)> writer_;
};

struct State {
  LogOptions options;
  std::mutex mutex;
  std::string run;
  std::shared_ptr<LineSink> sink = std::make_shared<LineSink>();
  spdlog::logger logger{"sluice", sink};
};

State& TheLog() {
  static State state;
  return state;
}

std::string RunOf(State& log) {
  const std::lock_guard<std::mutex> lock(log.mutex);
  return log.run;
}

const char* Word(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "error";
}

/// UTC with milliseconds, RFC 3339.
std::string Now() {
  const int64_t now = SystemClock().NowMicros();
  const time_t seconds = now / 1'000'000;
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  const size_t size = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  return std::string(text, size) + fmt::format(".{:03}Z", now / 1000 % 1000);
}

/// What the catalogue calls things is no secret, whatever it looks like.
bool IsName(std::string_view field) {
  constexpr std::array<std::string_view, 6> kNames = {"stream", "table",  "tables",
                                                      "schema", "column", "columns"};
  return std::ranges::find(kNames, field) != kNames.end();
}

std::string RedactField(std::string_view name, std::string_view value) {
  return IsName(name) ? std::string(value) : Redact(value);
}

/// Texts, one by one: a whole line redacted could be JSON no more.
void RedactMembers(std::string_view name, nlohmann::ordered_json* value) {
  if (value->is_string()) {
    const auto& text = value->get_ref<const std::string&>();
    const bool is_secret = Redact(fmt::format("{}=x", name)).ends_with("***");
    *value = is_secret ? "***" : RedactField(name, text);
  } else if (value->is_object()) {
    for (auto& [key, member] : value->items()) RedactMembers(key, &member);
  } else if (value->is_array()) {
    for (auto& item : *value) RedactMembers(name, &item);
  }
}

nlohmann::ordered_json JsonHead(LogLevel level, std::string_view message,
                                const std::string& run) {
  nlohmann::ordered_json line;
  line["time"] = Now();
  line["level"] = Word(level);
  if (!run.empty()) line["run"] = run;
  line["message"] = Redact(message);
  return line;
}

std::string Dump(const nlohmann::ordered_json& line) {
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string JsonLine(LogLevel level, std::string_view message,
                     std::initializer_list<LogField> fields, const std::string& run) {
  nlohmann::ordered_json line = JsonHead(level, message, run);
  for (const LogField& field : fields) {
    if (field.value.empty()) continue;
    nlohmann::ordered_json value = RedactField(field.name, field.value);
    int64_t number = 0;
    const char* end = field.value.data() + field.value.size();
    if (field.is_number && std::from_chars(field.value.data(), end, number).ptr == end)
      value = number;
    line[std::string(field.name)] = std::move(value);
  }
  return Dump(line);
}

std::string HumanLine(LogLevel level, std::string_view message,
                      std::initializer_list<LogField> fields, bool with_time) {
  std::string line = with_time ? Now() + " " : std::string();
  if (level != LogLevel::kInfo) line += std::string(Word(level)) + ": ";
  const std::string redacted = Redact(message);
  message = redacted;
  // A name or a value of a database must not move the cursor. The lines are our own.
  for (size_t end = message.find('\n'); end != std::string_view::npos;
       end = message.find('\n')) {
    line += Printable(message.substr(0, end)) + "\n";
    message.remove_prefix(end + 1);
  }
  line += Printable(message);
  std::string tail;
  for (const LogField& field : fields) {
    if (field.value.empty()) continue;
    tail += fmt::format("{}{} {}", tail.empty() ? "" : ", ", field.name,
                        Printable(RedactField(field.name, field.value)));
  }
  if (!tail.empty()) line += " (" + tail + ")";
  return line;
}

}  // namespace

void ConfigureLog(const LogOptions& options) { TheLog().options = options; }

void SetLogRun(std::string_view run) {
  State& log = TheLog();
  const std::lock_guard<std::mutex> lock(log.mutex);
  log.run = std::string(run);
}

void SetLogWriter(std::function<void(std::string_view line)> writer) {
  TheLog().sink->SetWriter(std::move(writer));
}

bool LogIsJson() { return TheLog().options.format == LogFormat::kJson; }

bool LogWanted(LogLevel level) { return level >= TheLog().options.level; }

void Log(LogLevel level, std::string_view message,
         std::initializer_list<LogField> fields) {
  if (!LogWanted(level)) return;
  State& log = TheLog();
  const bool json = log.options.format == LogFormat::kJson;
  const std::string line =
      json ? JsonLine(level, message, fields, RunOf(log))
           : HumanLine(level, message, fields, log.options.level == LogLevel::kDebug);
  log.logger.log(spdlog::level::critical, line);
}

void LogObject(LogLevel level, std::string_view message,
               const nlohmann::ordered_json& members) {
  State& log = TheLog();
  nlohmann::ordered_json line = JsonHead(level, message, RunOf(log));
  for (const auto& [name, value] : members.items())
    RedactMembers(name, &(line[name] = value));
  log.logger.log(spdlog::level::critical, Dump(line));
}

}  // namespace sluice
