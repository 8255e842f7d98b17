#include "store/part_pool.h"

#include <utility>

namespace sluice {

PartPool::PartPool(const Bounds& bounds) : bounds_(bounds) {}

PartPool::~PartPool() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  wanted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

PartBuffer PartPool::Take() {
  std::unique_lock lock(mutex_);
  free_.wait(lock, [&] { return !idle_.empty() || made_ < bounds_.buffers; });
  if (idle_.empty()) {
    ++made_;
    lock.unlock();
    return {std::make_unique_for_overwrite<char[]>(bounds_.part_size), 0};
  }
  // The last one given back: its pages are there and warm, the others may stay untouched.
  PartBuffer buffer = std::move(idle_.back());
  idle_.pop_back();
  buffer.size = 0;
  return buffer;
}

void PartPool::GiveBack(PartBuffer buffer) {
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(buffer));
  }
  free_.notify_one();
}

void PartPool::Submit(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    const bool more = tasks_.size() > waiting_threads_ &&
                      threads_.size() < static_cast<size_t>(bounds_.threads);
    if (more) threads_.emplace_back([this] { Work(); });
  }
  wanted_.notify_one();
}

void PartPool::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++waiting_threads_;
    wanted_.wait(lock, [&] { return closed_ || !tasks_.empty(); });
    --waiting_threads_;
    if (tasks_.empty()) return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

}  // namespace sluice
