// at_once(): many clients at the same time. Test code only.
#pragma once

#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace shop {

constexpr int kClients = 64;

// Runs `ask(client)`, which answers a status or a name, on kClients threads, and counts its
// answers.
template <typename Ask>
auto at_once(Ask ask) {
  std::map<decltype(ask(0)), int> counts;
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (int client = 0; client < kClients; ++client) {
    threads.emplace_back([&, client] {
      const auto answer = ask(client);
      const std::lock_guard lock(mutex);
      ++counts[answer];
    });
  }
  for (std::thread& thread : threads) thread.join();
  return counts;
}

}  // namespace shop
