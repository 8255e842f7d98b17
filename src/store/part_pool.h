/// \file
/// Buffers and threads of uploads: so many and no more, whoever writes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace sluice {

/// A piece of memory of the pool's size, being filled.
struct PartBuffer {
  std::unique_ptr<char[]> data;
  size_t size = 0;
};

/// Thread-safe. A writer holds one buffer while it fills it; a part on its way holds one. A writer
/// that waits for a buffer holds none, so that waiting always ends.
class PartPool {
 public:
  struct Bounds {
    size_t part_size = 0;
    int threads = 1;
    int buffers = 2;
  };
  explicit PartPool(const Bounds& bounds);
  /// All tasks are done by then: whoever submitted them waited.
  ~PartPool();
  PartPool(const PartPool&) = delete;
  PartPool& operator=(const PartPool&) = delete;

  size_t part_size() const { return bounds_.part_size; }
  /// Waits until one is free.
  PartBuffer Take();
  void GiveBack(PartBuffer buffer);
  /// Runs `task` in one of the pool's threads, in order of submission.
  void Submit(std::function<void()> task);

 private:
  void Work();
  const Bounds bounds_;
  std::mutex mutex_;
  std::condition_variable free_, wanted_;
  std::vector<PartBuffer> idle_;
  int made_ = 0;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  size_t waiting_threads_ = 0;
  bool closed_ = false;
};

}  // namespace sluice
