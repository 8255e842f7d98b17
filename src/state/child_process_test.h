/// \file
/// For tests of the state: other processes that hold it, wait and die.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <utility>

namespace sluice {

/// Lets one process wait for another.
class Gate {
 public:
  Gate() { EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0); }
  ~Gate() {
    close(ends_[0]);
    close(ends_[1]);
  }
  void Open() { EXPECT_EQ(write(ends_[1], "x", 1), 1); }
  void Wait() {
    char byte;
    EXPECT_EQ(read(ends_[0], &byte, 1), 1);
  }

 private:
  int ends_[2];
};

/// A process that runs `body` and exits with what it returns; killed if it outlives this.
class Child {
 public:
  explicit Child(const std::function<int()>& body) : pid_(fork()) {
    if (pid_ == 0) _exit(body());
  }
  ~Child() {
    if (pid_ > 0) End(SIGKILL);
  }
  void Signal(int signal) const { EXPECT_EQ(kill(pid_, signal), 0); }
  void Stop() const {
    Signal(SIGSTOP);
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, WUNTRACED), pid_);
    EXPECT_TRUE(WIFSTOPPED(status));
  }
  void End(int signal) {
    Signal(signal);
    Wait();
  }
  /// The exit code; -1 when it died of a signal.
  int Wait() {
    int status = 0;
    EXPECT_EQ(waitpid(std::exchange(pid_, 0), &status, 0) > 0, true);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int64_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace sluice
