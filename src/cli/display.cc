#include "cli/display.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
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
constexpr std::chrono::seconds kPlainLine{10};
/// Beyond it a line at each stream's start and end would be noise.
constexpr int64_t kStreamsShownMax = 20;

size_t TerminalColumns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

void LogEvent(const Event& event) {
  const std::string chunk = event.chunk == 0 ? "" : fmt::format("{}", event.chunk);
  const LogField stream{"stream", event.stream}, load{"load", event.load};
  switch (event.kind) {
    case EventKind::kWarning:
      Log(LogLevel::kWarning, event.message, {stream, load});
      break;
    case EventKind::kRetry:
      Log(LogLevel::kDebug, "trying again: " + event.message,
          {stream, load, {"chunk", chunk}});
      break;
    case EventKind::kWaiting:
    case EventKind::kPhase: Log(LogLevel::kDebug, event.message, {stream, load}); break;
    case EventKind::kChunkPlanned:
      Log(LogLevel::kDebug, "planned", {stream, load, {"chunk", chunk}});
      break;
    case EventKind::kChunkStaged:
      Log(LogLevel::kDebug,
          fmt::format("staged {} rows, {} bytes", event.rows, event.encoded_bytes),
          {stream, load, {"chunk", chunk}});
      break;
    default: break;
  }
}

class NoDisplay final : public Display {
 public:
  void On(const Event& event) override { LogEvent(event); }
  void Finish() override {}
};

/// What the two displays share: the model and a thread that wakes it up.
class TickingDisplay : public Display {
 public:
  TickingDisplay(int64_t streams, Clock& clock, std::chrono::milliseconds period)
      : clock_(clock), began_(clock.Elapsed()), period_(period), progress_(streams) {}

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
  std::mutex mutex_;
  Progress progress_;  // guarded by mutex_

 private:
  void Tick() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!wake_.wait_for(lock, period_, [this] { return done_; })) {
      lock.unlock();
      Show();
      lock.lock();
    }
  }

  std::condition_variable wake_;
  bool done_ = false;  // guarded by mutex_
  std::thread thread_;
};

/// Lines in the log, at info.
class PlainDisplay final : public TickingDisplay {
 public:
  PlainDisplay(int64_t streams, Clock& clock)
      : TickingDisplay(streams, clock, kPlainLine) {
    Start();
  }
  ~PlainDisplay() override { Stop(); }

  void On(const Event& event) override {
    LogEvent(event);
    double seconds = 0;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      progress_.On(event, Now());
      if (event.kind == EventKind::kStreamStarted) started_[event.stream] = Now();
      if (event.kind == EventKind::kStreamFinished) {
        seconds = started_.contains(event.stream) ? Now() - started_[event.stream] : 0;
        started_.erase(event.stream);
      }
      if (progress_.streams() > kStreamsShownMax) return;
    }
    if (event.kind == EventKind::kStreamStarted) {
      Log(LogLevel::kInfo,
          fmt::format("{}: {}", Printable(event.stream),
                      event.message.empty() ? "started" : event.message));
    }
    if (event.kind == EventKind::kStreamFinished)
      Log(LogLevel::kInfo, FinishedLine(event, seconds));
  }
  void Finish() override { Stop(); }

 private:
  void Show() override {
    std::string line;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      line = progress_.Line(Now());
    }
    Log(LogLevel::kInfo, line);
  }
  std::map<std::string, double> started_;  // guarded by mutex_
};

/// Lines at the bottom of the terminal, redrawn in place; log lines appear above them.
class LiveDisplay final : public TickingDisplay {
 public:
  LiveDisplay(int64_t streams, Clock& clock) : TickingDisplay(streams, clock, kRedraw) {
    SetLogWriter([this](std::string_view line) { WriteAbove(line); });
    Start();
  }
  ~LiveDisplay() override { Finish(); }

  void On(const Event& event) override {
    LogEvent(event);
    const std::lock_guard<std::mutex> lock(mutex_);
    progress_.On(event, Now());
  }

  void Finish() override {
    Stop();
    SetLogWriter(nullptr);
    const std::lock_guard<std::mutex> lock(screen_mutex_);
    WriteStderr(Erase());
  }

 private:
  void Show() override {
    std::vector<std::string> lines;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      // One column stays free: a full line would wrap on some terminals.
      lines = progress_.Lines(TerminalColumns() - 1, Now());
    }
    const std::lock_guard<std::mutex> lock(screen_mutex_);
    Draw(std::move(lines));
  }
  void WriteAbove(std::string_view line) {
    const std::lock_guard<std::mutex> lock(screen_mutex_);
    const std::vector<std::string> lines = drawn_;
    WriteStderr(Erase() + std::string(line));
    Draw(lines);
  }
  /// The control sequence that takes the drawn lines away. Guarded by screen_mutex_.
  std::string Erase() {
    std::string sequence;
    for (size_t i = 0; i < drawn_.size(); ++i) sequence += "\x1b[1A\x1b[2K";
    drawn_.clear();
    return sequence.empty() ? sequence : sequence + "\r";
  }
  void Draw(std::vector<std::string> lines) {
    std::string text = Erase();
    for (const std::string& line : lines) text += line + "\n";
    WriteStderr(text);
    drawn_ = std::move(lines);
  }

  std::mutex screen_mutex_;         // taken after mutex_ or alone, never before it
  std::vector<std::string> drawn_;  // guarded by screen_mutex_
};

}  // namespace

DisplayKind ChooseDisplay(const DisplayWish& wish) {
  if (wish.unwanted || (wish.quiet && !wish.wanted) || (wish.json && !wish.wanted))
    return DisplayKind::kNone;
  const char* terminal = std::getenv("TERM");
  const bool can_redraw = terminal != nullptr && std::string_view(terminal) != "dumb";
  if (isatty(STDERR_FILENO) == 1 && can_redraw && !LogIsJson()) return DisplayKind::kLive;
  return DisplayKind::kPlain;
}

std::unique_ptr<Display> MakeDisplay(DisplayKind kind, int64_t streams, Clock& clock) {
  switch (kind) {
    case DisplayKind::kNone: return std::make_unique<NoDisplay>();
    case DisplayKind::kPlain: return std::make_unique<PlainDisplay>(streams, clock);
    case DisplayKind::kLive: return std::make_unique<LiveDisplay>(streams, clock);
  }
  return std::make_unique<NoDisplay>();
}

}  // namespace sluice::cli
