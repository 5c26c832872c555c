// ListenTriggers: wakes functions that serve without a node by what is in Redis, as a node would:
// one thread a trigger, which reads, delivers to the handler and acknowledges. At least once, and
// what fails is tried again each second without end: there are no dead letters here. Owned by
// the server; start(), stop() and the destructor belong to its thread.
//
// Several processes may have the same trigger. They share a stream by its group; what one that died
// left is taken over after the timeout and 30 s. Work that is due may be delivered by each of them.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <thread>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/sdk/listen_delivery.h"
#include "runtime/sdk/listen_service.h"

namespace subito::sdk {

class ListenTriggers {
 public:
  ListenTriggers(ListenService& service, std::chrono::seconds timeout);
  ~ListenTriggers();  // waits for the delivery that is under way
  ListenTriggers(const ListenTriggers&) = delete;
  ListenTriggers& operator=(const ListenTriggers&) = delete;

  // kInvalidArgument: a path that belongs to no function of this process, or there is no Redis.
  Status start(const std::vector<ListenTrigger>& triggers);
  void stop();         // nothing new begins
  bool ended() const;  // nothing is under way any more

 private:
  class Reader;

  ListenService& service_;
  const std::chrono::seconds timeout_;
  UniqueFd stop_;  // an eventfd, readable once it is over
  RedisPool pool_;
  std::atomic<std::size_t> running_ = 0;
  std::list<std::thread> threads_;
};

}  // namespace subito::sdk
