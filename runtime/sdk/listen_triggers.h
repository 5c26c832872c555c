// ListenTriggers: wakes functions that serve without a node by what is in Redis, as a node would:
// one thread a trigger, which reads, delivers to the handler and acknowledges. At least once, and
// what fails is tried again each second without end: there are no dead letters here. Owned by
// the server; start(), stop() and the destructor belong to its thread.
//
// An entry is taken when the one before it is acknowledged, so one at most is under way. A process
// that starts again on the same host and address goes on with the one that it had: a stream comes
// in its order, whatever ended it. Several processes may have the same trigger. They share a stream
// by its group; what one that died left is taken over after the timeout and 30 s, behind newer
// entries then. Work that is due may be delivered by each of them.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/sdk/handler_slots.h"
#include "runtime/sdk/listen_delivery.h"
#include "runtime/sdk/listen_service.h"

namespace subito::sdk {

class ListenTriggers {
 public:
  // A delivery takes one of `slots`.
  ListenTriggers(ListenService& service, HandlerSlots& slots, std::chrono::seconds timeout);
  ~ListenTriggers();  // waits for the delivery that is under way
  ListenTriggers(const ListenTriggers&) = delete;
  ListenTriggers& operator=(const ListenTriggers&) = delete;

  // Before start(). kInvalidArgument: a path that belongs to no function of this process, or there
  // is no Redis.
  Status set(std::vector<ListenTrigger> triggers);
  // `address` is where this process listens: nobody else's on this host at a time.
  void start(const std::string& address);
  void stop();         // nothing new begins
  bool ended() const;  // nothing is under way any more

 private:
  class Reader;

  ListenService& service_;
  HandlerSlots& slots_;
  const std::chrono::seconds timeout_;
  std::vector<ListenTrigger> triggers_;
  std::optional<Endpoint> redis_;
  std::string consumer_;
  UniqueFd stop_;  // an eventfd, readable once it is over
  RedisPool pool_;
  std::atomic<std::size_t> running_ = 0;
  std::list<std::thread> threads_;
};

}  // namespace subito::sdk
