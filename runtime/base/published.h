// Published: a value that one thread replaces as a whole and others read. A reader holds what it
// saw until there is a newer one: to look costs one load, and a lock is taken once for each change.
// Whoever is told after publish() has returned sees the new value.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace subito {

template <typename T>
class Published {
 public:
  void publish(std::shared_ptr<T> value) {
    const std::lock_guard lock(mutex_);
    value_.swap(value);
    version_.fetch_add(1, std::memory_order_release);
  }

  // One thread's. What is published outlives it.
  class Reader {
   public:
    explicit Reader(Published& of) : of_(of) {}
    // Whether value() is another than at the last call.
    bool look() {
      if (of_.version_.load(std::memory_order_acquire) == seen_) return false;
      const std::lock_guard lock(of_.mutex_);
      seen_ = of_.version_.load(std::memory_order_relaxed);
      value_ = of_.value_;
      return true;
    }
    const std::shared_ptr<T>& value() const { return value_; }  // null: nothing was published

   private:
    Published& of_;
    std::uint64_t seen_ = 0;
    std::shared_ptr<T> value_;
  };

 private:
  std::mutex mutex_;  // of value_
  std::shared_ptr<T> value_;
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace subito
