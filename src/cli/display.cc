#include "cli/display.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/log.h"
#include "cli/console.h"
#include "cli/progress.h"

namespace sluice::cli {
namespace {

constexpr std::chrono::milliseconds kRedraw{125};
constexpr std::chrono::milliseconds kPlainLook{250};
constexpr std::chrono::seconds kJsonObject{1};
constexpr double kPlainLineSeconds = 10;
/// Beyond it a line at each stream's start and end would be noise.
constexpr int64_t kStreamsShownMax = 20;

ScreenSize TerminalSize() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
  return {size.ws_col, size.ws_row == 0 ? size_t{24} : size.ws_row};
}

/// A run in the background (Ctrl-Z, bg) leaves the terminal to the shell.
bool OwnsTheTerminal() {
  const pid_t foreground = tcgetpgrp(STDERR_FILENO);
  return foreground < 0 || foreground == getpgrp();
}

sigset_t OnlySigcont() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCONT);
  return set;
}

void LogEvent(const Event& event) {
  const std::string number = event.chunk == 0 ? "" : fmt::format("{}", event.chunk);
  const LogField stream{"stream", event.stream}, load{"load", event.load},
      chunk{"chunk", number, /*is_number=*/true};
  switch (event.kind) {
    case EventKind::kWarning:
      Log(LogLevel::kWarning, event.message, {stream, load});
      break;
    case EventKind::kRetry:
      Log(LogLevel::kDebug, "trying again: " + event.message, {stream, load, chunk});
      break;
    case EventKind::kWaiting:
    case EventKind::kPhase: Log(LogLevel::kDebug, event.message, {stream, load}); break;
    case EventKind::kChunkPlanned:
      Log(LogLevel::kDebug, "planned", {stream, load, chunk});
      break;
    case EventKind::kChunkStaged:
      Log(LogLevel::kDebug,
          fmt::format("staged {} rows, {} bytes", event.rows, event.encoded_bytes),
          {stream, load, chunk});
      break;
    default: break;
  }
}

class NoDisplay final : public Display {
 public:
  void On(const Event& event) override { LogEvent(event); }
  void Finish() override {}
};

/// What the displays share: the model and a thread that wakes them up.
class TickingDisplay : public Display {
 public:
  TickingDisplay(int64_t streams, Clock& clock, std::function<int()> stops,
                 std::chrono::milliseconds period)
      : clock_(clock),
        began_(clock.Elapsed()),
        period_(period),
        stops_(std::move(stops)),
        progress_(streams) {}

 protected:
  double Now() {
    return std::chrono::duration<double>(clock_.Elapsed() - began_).count();
  }
  void Start() {
    thread_ = std::thread([this] { Tick(); });
  }
  void Stop() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      done_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  virtual void Show() = 0;

  Clock& clock_;
  std::chrono::nanoseconds began_;
  std::chrono::milliseconds period_;
  std::function<int()> stops_;
  std::mutex mutex_;
  Progress progress_;                      // guarded by mutex_
  std::map<std::string, double> started_;  // of streams at work; guarded by mutex_

  /// Tells the model; returns the seconds a stream took that has finished. Holds mutex_.
  double Take(const Event& event) {
    progress_.On(event, Now());
    if (event.kind == EventKind::kStreamStarted) started_[event.stream] = Now();
    if (event.kind != EventKind::kStreamFinished) return 0;
    const auto found = started_.find(event.stream);
    if (found == started_.end()) return 0;
    const double seconds = Now() - found->second;
    started_.erase(found);
    return seconds;
  }

 private:
  void Tick() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!wake_.wait_for(lock, period_, [this] { return done_; })) {
      progress_.SetStops(stops_());
      lock.unlock();
      Show();
      lock.lock();
    }
  }

  std::condition_variable wake_;
  bool done_ = false;  // guarded by mutex_
  std::thread thread_;
};

std::string StartedLine(const Event& event) {
  return fmt::format("{}: {}", Printable(event.stream),
                     event.message.empty() ? "started" : event.message);
}

/// Lines in the log, at info.
class PlainDisplay final : public TickingDisplay {
 public:
  PlainDisplay(int64_t streams, Clock& clock, std::function<int()> stops)
      : TickingDisplay(streams, clock, std::move(stops), kPlainLook) {
    Start();
  }
  ~PlainDisplay() override { Stop(); }

  void On(const Event& event) override {
    LogEvent(event);
    double seconds = 0;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      seconds = Take(event);
      if (progress_.streams() > kStreamsShownMax) return;
    }
    if (event.kind == EventKind::kStreamStarted) Say(event, StartedLine(event));
    if (event.kind == EventKind::kStreamFinished)
      Say(event, FinishedLine(event, seconds));
  }
  void Finish() override { Stop(); }

 private:
  /// The ids are for programs; people have the stream in the line.
  static void Say(const Event& event, const std::string& line) {
    const bool json = LogIsJson();
    Log(LogLevel::kInfo, line,
        {{"stream", json ? event.stream : ""}, {"load", json ? event.load : ""}});
  }
  void Show() override {
    std::string line, stopping;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (Now() - last_line_ >= kPlainLineSeconds) {
        line = progress_.Line(Now());
        last_line_ = Now();
      }
      if (stops_() != stops_told_) stopping = progress_.StoppingLine();
      stops_told_ = stops_();
    }
    if (!stopping.empty()) Log(LogLevel::kInfo, stopping);
    if (!line.empty()) Log(LogLevel::kInfo, line);
  }

  double last_line_ = 0;  // both of the ticking thread
  int stops_told_ = 0;
};

/// For programs: an object a second and one for each event that matters.
class JsonDisplay final : public TickingDisplay {
 public:
  JsonDisplay(int64_t streams, Clock& clock, std::function<int()> stops)
      : TickingDisplay(streams, clock, std::move(stops), kJsonObject) {
    Start();
  }
  ~JsonDisplay() override { Stop(); }

  void On(const Event& event) override {
    if (event.kind != EventKind::kWarning) LogEvent(event);
    double seconds = 0;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      seconds = Take(event);
    }
    Tell(event, seconds);
  }
  void Finish() override { Stop(); }

 private:
  static void Tell(const Event& event, double seconds) {
    nlohmann::ordered_json members;
    const auto put = [&](const char* word) {
      members["event"] = word;
      if (!event.stream.empty()) members["stream"] = event.stream;
      if (!event.load.empty()) members["load"] = event.load;
    };
    LogLevel level = LogLevel::kInfo;
    std::string message = event.message;
    switch (event.kind) {
      case EventKind::kRunStarted:
        put("run-started");
        message = "started";
        break;
      case EventKind::kStreamStarted:
        put("stream-started");
        members["resumed"] = event.message == "resumed";
        members["estimated_rows"] = event.estimated_rows;
        members["rows"] = event.rows;
        members["chunks_staged"] = event.chunk;
        message = StartedLine(event);
        break;
      case EventKind::kPhase: put("phase"); break;
      case EventKind::kRetry:
        put("retry");
        members["chunk"] = event.chunk;
        break;
      case EventKind::kWaiting: put("waiting"); break;
      case EventKind::kWarning:
        put("warning");
        level = LogLevel::kWarning;
        break;
      case EventKind::kStreamFinished:
        put("stream-finished");
        members["rows"] = event.rows;
        members["bytes"] = event.encoded_bytes;
        members["seconds"] = seconds;
        members["exit_code"] = event.exit_code;
        message = FinishedLine(event, seconds);
        break;
      case EventKind::kRunFinished:
        put("run-finished");
        members["exit_code"] = event.exit_code;
        message = "finished";
        break;
      case EventKind::kChunkPlanned:
      case EventKind::kBatch:
      case EventKind::kChunkStaged: return;
    }
    LogObject(level, message, members);
  }

  void Show() override {
    nlohmann::ordered_json members = {{"event", "progress"}};
    std::string line;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      members.update(progress_.Snapshot(Now()));
      line = progress_.Line(Now());
    }
    LogObject(LogLevel::kInfo, line, members);
  }
};

/// Lines at the bottom of the terminal, redrawn in place; log lines appear above them. Between two
/// writes no mode of the terminal is changed: whatever ends the process, there is nothing to restore.
class LiveDisplay final : public TickingDisplay {
 public:
  LiveDisplay(int64_t streams, Clock& clock, std::function<int()> stops)
      : TickingDisplay(streams, clock, std::move(stops), kRedraw) {
    // Kept pending, so that whoever draws can see that the shell had the terminal meanwhile. (A
    // handler would interrupt system calls of clients that expect none.)
    const sigset_t blocked = OnlySigcont();
    pthread_sigmask(SIG_BLOCK, &blocked, &mask_before_);
    SetLogWriter([this](std::string_view line) { WriteAbove(line); });
    Start();
  }
  ~LiveDisplay() override { Finish(); }

  void On(const Event& event) override {
    LogEvent(event);
    const std::lock_guard<std::mutex> lock(mutex_);
    Take(event);
  }

  void Finish() override {
    Stop();
    SetLogWriter(nullptr);
    const std::lock_guard<std::mutex> lock(screen_mutex_);
    WriteStderr(Erase());
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }

 private:
  void Show() override {
    ScreenSize screen = TerminalSize();
    // One column stays free: a full line would wrap on some terminals.
    screen.columns = std::max<size_t>(screen.columns, 2) - 1;
    std::vector<std::string> lines;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      lines = progress_.Lines(screen, Now());
    }
    const std::lock_guard<std::mutex> lock(screen_mutex_);
    if (WasContinued() || !OwnsTheTerminal()) drawn_.clear();
    if (OwnsTheTerminal()) Draw(std::move(lines));
  }
  void WriteAbove(std::string_view line) {
    const std::lock_guard<std::mutex> lock(screen_mutex_);
    std::vector<std::string> lines = drawn_;
    WriteStderr(Erase() + std::string(line) + Unwrapped(lines));
    drawn_ = std::move(lines);
  }

  static bool WasContinued() {
    sigset_t pending;
    if (sigpending(&pending) != 0 || sigismember(&pending, SIGCONT) != 1) return false;
    const sigset_t wanted = OnlySigcont();
    const timespec at_once{};
    return sigtimedwait(&wanted, nullptr, &at_once) == SIGCONT;
  }

  /// The control sequence that takes the drawn lines away. A terminal that has become narrower
  /// has wrapped them: what counts are its rows now. Guarded by screen_mutex_.
  std::string Erase() {
    const ScreenSize screen = TerminalSize();
    size_t rows = 0;
    for (const std::string& line : drawn_) {
      const size_t width = std::max<size_t>(1, DisplayWidth(line));
      rows += (width + screen.columns - 1) / screen.columns;
    }
    drawn_.clear();
    return rows == 0 ? "" : fmt::format("\r\x1b[{}A\x1b[J", rows);
  }
  /// Some terminals (tmux) become narrower a moment before they say so. What is drawn in between must
  /// not wrap: so all that was ever drawn takes the rows that Erase counts once the width is known.
  static std::string Unwrapped(const std::vector<std::string>& lines) {
    std::string text = "\x1b[?7l";
    for (const std::string& line : lines) text += line + "\n";
    return lines.empty() ? "" : text + "\x1b[?7h";
  }
  void Draw(std::vector<std::string> lines) {
    WriteStderr(Erase() + Unwrapped(lines));
    drawn_ = std::move(lines);
  }

  sigset_t mask_before_{};
  std::mutex screen_mutex_;         // taken after mutex_ or alone, never before it
  std::vector<std::string> drawn_;  // guarded by screen_mutex_
};

}  // namespace

Result<DisplayKind> ChooseDisplay(const Arguments& arguments) {
  const std::string word = arguments.Value("--progress");
  const bool asked = arguments.Has("--progress");
  if (asked && !IsChoiceOf("--progress", word)) {
    return Error(ErrorKind::kUsage, "cli.progress",
                 fmt::format("--progress must be one of {}, found {}",
                             ChoicesOf("--progress"), word),
                 "without it a terminal is drawn on, and anything else gets plain lines");
  }
  if (arguments.Has("--no-progress") || word == "none") return DisplayKind::kNone;
  if (word == "json") return DisplayKind::kJson;
  if (!asked && (arguments.Has("--quiet") || arguments.Has("--json")))
    return DisplayKind::kNone;
  const char* terminal = std::getenv("TERM");
  const bool can_redraw = terminal != nullptr && std::string_view(terminal) != "dumb" &&
                          isatty(STDERR_FILENO) == 1 && !LogIsJson();
  return can_redraw && word != "plain" ? DisplayKind::kLive : DisplayKind::kPlain;
}

std::unique_ptr<Display> MakeDisplay(DisplayKind kind, int64_t streams, Clock& clock,
                                     std::function<int()> stops) {
  switch (kind) {
    case DisplayKind::kNone: break;
    case DisplayKind::kPlain:
      return std::make_unique<PlainDisplay>(streams, clock, std::move(stops));
    case DisplayKind::kLive:
      return std::make_unique<LiveDisplay>(streams, clock, std::move(stops));
    case DisplayKind::kJson:
      return std::make_unique<JsonDisplay>(streams, clock, std::move(stops));
  }
  return std::make_unique<NoDisplay>();
}

}  // namespace sluice::cli
