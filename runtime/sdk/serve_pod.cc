#include "runtime/sdk/serve_pod.h"

#include <sys/random.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <thread>

#include "runtime/sdk/crash.h"
#include "runtime/sdk/invocation.h"
#include "runtime/sdk/template_image.h"

namespace subito::sdk {
namespace {

void run_one(Pod& pod, std::unique_ptr<Incoming> incoming) {
  crash_invocation = incoming->inbox.stream;
  Invocation(pod, std::move(incoming)).run();
  crash_invocation = 0;
}

// Handler threads, each made when all others are busy. The node keeps to CONFIG's concurrency, and
// the channel holds it to that: there are never more.
class Workers {
 public:
  explicit Workers(Pod& pod) : pod_(pod) {}

  void give(std::unique_ptr<Incoming> incoming) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(incoming));
      if (idle_ >= waiting_.size()) {
        wake_.notify_one();
        return;
      }
    }
    std::thread([this] { work(); }).detach();  // until the process ends by _exit
  }

 private:
  [[noreturn]] void work() {
    const auto stack = std::make_unique_for_overwrite<char[]>(kCrashStackBytes);
    use_crash_stack(stack.get());
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      wake_.wait(lock, [this] { return !waiting_.empty(); });
      --idle_;
      auto incoming = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      run_one(pod_, std::move(incoming));
      lock.lock();
    }
  }

  Pod& pod_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Incoming>> waiting_;
  std::size_t idle_ = 0;
};

// The value that the stack protector compares, which all pods of a template have in common. Only
// where no function that began before ever returns.
__attribute__((always_inline)) inline void renew_stack_guard() {
#ifdef __x86_64__
  std::uint64_t guard = 0;
  if (::getrandom(&guard, sizeof guard, 0) != sizeof guard) return;
  guard &= ~std::uint64_t{0xff};  // so that no string reads over it
  __asm__ volatile("mov %0, %%fs:0x28" : : "r"(guard));
#endif
}

}  // namespace

void serve_pod(const Handler& handler) {
  std::signal(SIGPIPE, SIG_IGN);
  std::optional<Channel> channel(protocol::kChannelFd);
  channel->greet();
  if (channel->config().leave_image()) {
    UniqueFd image = channel->take_descriptor();
    channel.reset();
    leave_image(image.release(), protocol::kChannelFd);
    // A pod that begins as the image: with a channel of its own.
    renew_stack_guard();
    channel.emplace(protocol::kChannelFd);
    channel->greet();
  }
  report_crashes(protocol::kChannelFd);
  Pod pod{*channel, handler, {}};
  if (channel->config().concurrency() > 1) {
    // Never destroyed: its threads run until _exit.
    auto& workers = *new Workers(pod);
    while (auto incoming = channel->next_invocation()) workers.give(std::move(incoming));
  } else {
    while (auto incoming = channel->next_invocation()) run_one(pod, std::move(incoming));
  }
  ::_exit(0);
}

}  // namespace subito::sdk
