// HandlerSlots: how many handlers of one process run at once, whatever began them: requests and
// triggers. Who comes first goes first. Any thread; std::lock_guard takes a slot and gives it back.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace subito::sdk {

class HandlerSlots {
 public:
  explicit HandlerSlots(unsigned count) : open_(count) {}
  HandlerSlots(const HandlerSlots&) = delete;
  HandlerSlots& operator=(const HandlerSlots&) = delete;

  void lock() {
    std::unique_lock guard(mutex_);
    const std::uint64_t ticket = tickets_++;
    given_back_.wait(guard, [&] { return ticket < open_; });
  }

  void unlock() {
    {
      const std::lock_guard guard(mutex_);
      ++open_;
    }
    given_back_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable given_back_;
  std::uint64_t tickets_ = 0;  // drawn so far
  std::uint64_t open_;         // tickets below it may go: `count`, and one more for each that ended
};

}  // namespace subito::sdk
