// ListenService: the functions that one process serves, which of them a path belongs to, and what
// their runs share. Made before the first run and not changed; any thread may look.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/sdk/include/subito/monolith.h"
#include "runtime/sdk/listen_client.h"
#include "runtime/sdk/redis_client.h"

namespace subito::sdk {

struct ListenFunction {
  ListenFunction(const std::string& name_, Handler handler_)
      : name(name_), pod(name_ + "-local"), handler(std::move(handler_)) {}

  const std::string name;
  const std::string pod;
  const Handler handler;
  RedisPool redis;
};

class ListenService {
 public:
  struct Target {
    ListenFunction& function;
    std::string path;  // what the function sees
  };

  // One function, to which every path belongs.
  ListenService(const std::string& name, const Handler& handler);
  // Several, each below /function/NAME and its routes. Throws std::invalid_argument when two have
  // the same name or route.
  explicit ListenService(std::vector<Service> services);

  // What belongs to nobody goes to a function that answers 404.
  Target find(std::string_view path);
  bool knows(const Target& target) const { return &target.function != &nobody_; }
  ListenFunction* function(std::string_view name);  // null: it is not in this process

  ListenClient client;

 private:
  struct Route {
    std::string prefix;  // without a slash at its end, so "" for "/"
    ListenFunction* function;
  };

  std::deque<ListenFunction> functions_;  // a deque: they stay where they are
  std::vector<Route> routes_;             // the longest first
  ListenFunction nobody_;
  const bool whole_;
};

}  // namespace subito::sdk
