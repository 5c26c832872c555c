// Tasks: what other threads ask a loop to do, rarely: a lock for each. Owned by the loop's thread,
// and there as long as anybody may ask; what was not run by its end is forgotten. Who posts bounds
// how many: one for each thing that waits for its end.
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/loop/loop.h"

namespace subito {

class Tasks {
 public:
  explicit Tasks(Loop& loop) : wakeup_(loop, [this] { run(); }) {}

  // On any thread; in the order of the calls.
  void post(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    wakeup_.notify();
  }

 private:
  void run() {
    std::vector<std::function<void()>> tasks;
    {
      const std::lock_guard lock(mutex_);
      tasks.swap(tasks_);
    }
    for (auto& task : tasks) task();
  }

  std::mutex mutex_;  // of tasks_
  std::vector<std::function<void()>> tasks_;
  Wakeup wakeup_;
};

}  // namespace subito
