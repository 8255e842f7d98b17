#include "cli/signals.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>

namespace sluice::cli {
namespace {

// What a signal handler may touch: lock-free atomics and sources that outlive it.
std::atomic<int> g_count{0};
std::atomic<int> g_first{0};
std::atomic<arrow::StopSource*> g_stop{nullptr};
std::atomic<arrow::StopSource*> g_stop_now{nullptr};
static_assert(std::atomic<int>::is_always_lock_free);
static_assert(std::atomic<arrow::StopSource*>::is_always_lock_free);

void Handle(int number) {
  const int count = g_count.fetch_add(1) + 1;
  if (count == 1) g_first = number;
  if (count > 2) _exit(128 + g_first.load());
  arrow::StopSource* source = count == 1 ? g_stop.load() : g_stop_now.load();
  if (source != nullptr) source->RequestStopFromSignal(number);
}

constexpr std::array<int, 2> kNumbers = {SIGINT, SIGTERM};

arrow::StopSource& Stop() {
  static arrow::StopSource source;
  return source;
}
arrow::StopSource& StopNow() {
  static arrow::StopSource source;
  return source;
}

}  // namespace

Signals::Signals() {
  g_stop = &Stop();
  g_stop_now = &StopNow();
  for (const int number : kNumbers) {
    struct sigaction before {};
    if (sigaction(number, nullptr, &before) != 0 || before.sa_handler == SIG_IGN)
      continue;
    struct sigaction action {};
    action.sa_handler = Handle;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, nullptr);
  }
}

Signals::~Signals() {
  for (const int number : kNumbers) {
    struct sigaction now {};
    if (sigaction(number, nullptr, &now) != 0 || now.sa_handler != Handle) continue;
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    sigaction(number, &action, nullptr);
  }
  g_stop = nullptr;
  g_stop_now = nullptr;
}

arrow::StopToken Signals::stop() { return Stop().token(); }
arrow::StopToken Signals::stop_now() { return StopNow().token(); }
int Signals::received() const { return g_first.load(); }
int Signals::count() const { return g_count.load(); }

}  // namespace sluice::cli
