// Routes: which function a path belongs to. A value, rebuilt by the node when functions change;
// a look-up costs a hash for each segment of the path, as far as routes are long, however many
// functions there are.
//
//   /function/NAME[.NAMESPACE]/rest   every function; the function sees /rest
//   a prefix of a function's spec     longest prefix of whole segments wins
//
// A namespace has routes of its own. Which is meant says the Host of the request: one that was
// added for a namespace; any other means `default`, and so does a name without a namespace there.
// On a node with no other namespace Host is not looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/base/id.h"
#include "runtime/base/result.h"

namespace subito::gateway {

struct Target {
  FunctionId function;
  std::string path;         // what the function sees, beginning with "/"
  std::uint32_t route = 0;  // by its place in Routes::names()
};

class Routes {
 public:
  // `name`: "stock", or "stock.staging" of a namespace other than default; so in add_route().
  void add_function(const std::string& name, FunctionId function);
  // `prefix` begins with "/" and ends without, but for "/" itself; it is one of the function's
  // namespace. kAlreadyExists names the owner.
  Status add_route(const std::string& prefix, bool strip_prefix, const std::string& function_name,
                   FunctionId function);
  // `host` in lower case, without a port.
  void add_host(const std::string& host, const std::string& name_space);

  // kNotFound says what was looked for; kInvalidArgument for a path with dot segments, which other
  // parties could read as another path.
  Result<Target> find(std::string_view path, std::string_view host = {}) const;

  // For metrics: kByName for all that came by name, then the prefixes in the order they were added.
  static constexpr std::string_view kByName = "/function/*";
  const std::vector<std::string>& names() const { return names_; }

 private:
  struct Route {
    FunctionId function;
    std::string function_name;
    bool strip_prefix;
    std::uint32_t number;
  };
  struct Site {  // of one namespace
    std::unordered_map<std::string, Route> routes;
    std::size_t longest_route = 0;  // bytes
  };
  const std::string& namespace_of(std::string_view host) const;
  const Site& site_of(const std::string& name_space) const;
  Result<Target> find_by_name(std::string_view path, const std::string& name_space) const;

  std::unordered_map<std::string, FunctionId> functions_;
  Site default_site_;
  std::unordered_map<std::string, Site> sites_;         // of the other namespaces
  std::unordered_map<std::string, std::string> hosts_;  // to their namespaces
  std::vector<std::string> names_ = {std::string(kByName)};
};

}  // namespace subito::gateway
