// TestTriggers: what the node's triggers do for a function, without a node: due work and the events
// of its own stream, each delivered at least once. Test code only.
#pragma once

#include <subito/function.h>

#include <functional>
#include <string>
#include <vector>

namespace shop {

class TestTriggers {
 public:
  // A command to the Redis of the function. May throw subito::RedisError.
  using Command = std::function<subito::RedisReply(const std::vector<std::string>&)>;
  // Asks the function; the status, 0 when nobody is there.
  using Ask = std::function<int(const subito::Request&)>;

  TestTriggers(std::string function, Command command, Ask ask)
      : function_(std::move(function)), command_(std::move(command)), ask_(std::move(ask)) {}

  // Delivers what is due to POST /due, once each; how much is left in the set, due or not.
  std::size_t deliver_due();
  // All that is in the set is due now, and nobody holds it: as if time had passed. `lease` is the
  // field of the hash `<function>:order:<member>` that says until when somebody does.
  void let_time_pass();
  // Delivers the entries of "<function>:events" behind the last one that was taken to POST /events,
  // each so many times; true when all were taken.
  bool deliver_events(int times = 1);

 private:
  std::string key(const std::string& name) const { return function_ + ":" + name; }

  const std::string function_;
  const Command command_;
  const Ask ask_;
  std::string taken_ = "-";  // where the next XRANGE begins
};

}  // namespace shop
