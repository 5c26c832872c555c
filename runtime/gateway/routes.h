// Routes: which function a path belongs to. A value, rebuilt by the node when functions change;
// a look-up costs a hash for each segment of the path, as far as routes are long, however many
// functions there are.
//
//   /function/NAME[.NAMESPACE]/rest   every function; the function sees /rest
//   a prefix of a function's spec     longest prefix of whole segments wins
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
  void add_function(const std::string& name, FunctionId function);
  // `prefix` begins with "/" and ends without, but for "/" itself. kAlreadyExists names the owner.
  Status add_route(const std::string& prefix, bool strip_prefix, const std::string& function_name,
                   FunctionId function);

  // kNotFound says what was looked for; kInvalidArgument for a path with dot segments, which other
  // parties could read as another path.
  Result<Target> find(std::string_view path) const;

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
  Result<Target> find_by_name(std::string_view path) const;

  std::unordered_map<std::string, FunctionId> functions_;
  std::unordered_map<std::string, Route> routes_;
  std::vector<std::string> names_ = {std::string(kByName)};
  std::size_t longest_route_ = 0;  // bytes
};

}  // namespace subito::gateway
