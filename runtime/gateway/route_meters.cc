#include "runtime/gateway/route_meters.h"

#include <unordered_map>

namespace subito::gateway {

RouteMeters::RouteMeters() {
  meters_.resize(2);
  meters_[kNone].name = "none";
  meters_[kOther].name = "_other";
}

void RouteMeters::set_routes(const std::vector<std::string>& names) {
  std::unordered_map<std::string, std::uint32_t> known;
  for (std::uint32_t i = kOther + 1; i < meters_.size(); ++i) {
    meters_[i].gone = true;
    known.emplace(meters_[i].name, i);
  }
  of_route_.assign(names.size(), kOther);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto at = known.find(names[i]);
    if (at == known.end()) continue;
    of_route_[i] = at->second;
    meters_[at->second].gone = false;
  }
  overflowed_ = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (of_route_[i] == kOther) of_route_[i] = place_for(names[i]);
  }
}

// Of a route that had none. An exchange that still runs on a route that gave its place up is
// counted in the new one: it is one request.
std::uint32_t RouteMeters::place_for(const std::string& name) {
  if (meters_.size() < kRoutesMax + 2) {
    meters_.push_back({name, false, {}, {}});
    return static_cast<std::uint32_t>(meters_.size() - 1);
  }
  for (std::uint32_t i = kOther + 1; i < meters_.size(); ++i) {
    if (!meters_[i].gone) continue;
    meters_[i] = {name, false, {}, {}};
    return i;
  }
  ++overflowed_;
  return kOther;
}

}  // namespace subito::gateway
