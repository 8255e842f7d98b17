#include "driver/aws_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "arrow/util/cancel.h"

extern char** environ;

namespace sluice::aws {
namespace {

constexpr size_t kOutputMax = 1 << 20;
constexpr std::chrono::seconds kPatience{60};

Status Failed(const std::string& what) {
  return Error(ErrorKind::kUsage, "credentials.process", "credential_process " + what,
               "run the command by hand: it must print JSON and exit with 0");
}

class Pipe {
 public:
  Pipe() { good_ = pipe2(ends_.data(), O_CLOEXEC) == 0; }
  ~Pipe() {
    CloseWriter();
    if (good_) close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool good() const { return good_; }
  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  void CloseWriter() {
    if (good_ && ends_[1] >= 0) close(std::exchange(ends_[1], -1));
  }

 private:
  std::array<int, 2> ends_{-1, -1};
  bool good_ = false;
};

/// Reads to the end, or to the end of patience or of the bound.
Status ReadAll(int fd, Clock& clock, std::chrono::nanoseconds deadline,
               std::string* output) {
  std::array<char, 4096> piece{};
  for (;;) {
    const auto left = deadline - clock.Elapsed();
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(left);
    if (millis.count() <= 0) return Failed("does not end");
    pollfd waited{fd, POLLIN, 0};
    const int ready = poll(&waited, 1, static_cast<int>(millis.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Failed("does not end");
    const ssize_t got = read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed(std::string("cannot be read: ") + strerror(errno));
    if (got == 0) return Status::OK();
    output->append(piece.data(), static_cast<size_t>(got));
    if (output->size() > kOutputMax) return Failed("prints too much");
  }
}

/// A process of its own group, which is ended with all it started.
class Child {
 public:
  explicit Child(pid_t id) : id_(id) {}
  ~Child() {
    if (ended_) return;
    kill(-id_, SIGKILL);
    Reap(0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// What waitpid says, within patience: who closed its output need not end.
  Result<int> Wait(Clock& clock, std::chrono::nanoseconds deadline) {
    while (!Reap(WNOHANG)) {
      if (clock.Elapsed() >= deadline) return Failed("does not end");
      ARROW_RETURN_NOT_OK(
          clock.Sleep(std::chrono::milliseconds(5), arrow::StopToken::Unstoppable()));
    }
    return outcome_;
  }

 private:
  bool Reap(int flags) {
    pid_t got = 0;
    do {
      got = waitpid(id_, &outcome_, flags);
    } while (got < 0 && errno == EINTR);
    ended_ = got != 0;
    return ended_;
  }

  pid_t id_;
  int outcome_ = 0;
  bool ended_ = false;
};

/// Starts `words` with its output in `pipe`.
Result<pid_t> Start(std::vector<std::string> words, const Pipe& pipe) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe.writer(), STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  pid_t child = 0;
  const int error = posix_spawnp(&child, arguments[0], &actions, &attributes,
                                 arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return child;
  return Failed(fmt::format("cannot be run: {}: {}", words[0], strerror(error)));
}

}  // namespace

Result<std::vector<std::string>> SplitCommand(const std::string& command) {
  std::vector<std::string> words;
  std::string word;
  bool within = false;
  char quote = 0;
  for (size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    const bool escapes = c == '\\' && quote != '\'' && i + 1 < command.size();
    if (escapes) {
      word.push_back(command[++i]);
      within = true;
    } else if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word.push_back(c);
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      within = true;
    } else if (c == ' ' || c == '\t') {
      if (within) words.push_back(std::exchange(word, ""));
      within = false;
    } else {
      word.push_back(c);
      within = true;
    }
  }
  if (quote != 0) return Failed("has a quote that is not closed");
  if (within) words.push_back(word);
  if (words.empty()) return Failed("is empty");
  return words;
}

Result<std::string> OutputOfCommand(const std::string& command, Clock& clock) {
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> words, SplitCommand(command));
  Pipe pipe;
  if (!pipe.good()) return Failed(std::string("cannot be run: ") + strerror(errno));
  const auto deadline = clock.Elapsed() + kPatience;
  ARROW_ASSIGN_OR_RAISE(const pid_t started, Start(std::move(words), pipe));
  Child child(started);
  pipe.CloseWriter();
  std::string output;
  ARROW_RETURN_NOT_OK(ReadAll(pipe.reader(), clock, deadline, &output));
  ARROW_ASSIGN_OR_RAISE(const int outcome, child.Wait(clock, deadline));
  if (WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0) return output;
  return Failed(WIFEXITED(outcome)
                    ? fmt::format("ended with {}", WEXITSTATUS(outcome))
                    : fmt::format("was ended by signal {}", WTERMSIG(outcome)));
}

}  // namespace sluice::aws
