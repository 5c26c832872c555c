#include "runtime/node/metrics/loop_readings.h"

#include <numeric>
#include <string>
#include <unordered_map>

namespace subito::node {

using gateway::RouteMeter;
using gateway::RouteMeters;

std::uint64_t requests_of(const LoopReading& reading) {
  std::uint64_t sum = 0;
  for (const RouteMeter& route : reading.routes)
    sum = std::accumulate(route.ended.begin(), route.ended.end(), sum);
  return sum;
}

std::vector<RouteMeter> routes_of(const std::vector<LoopReading>& readings) {
  std::vector<RouteMeter> all(RouteMeters().all());
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < all.size(); ++i) known.emplace(all[i].name, i);
  for (const LoopReading& reading : readings) {
    for (const RouteMeter& route : reading.routes) {
      const bool room = all.size() < RouteMeters::kRoutesMax + 2;
      const auto at =
          room ? known.try_emplace(route.name, all.size()).first : known.find(route.name);
      const std::size_t place = at == known.end() ? RouteMeters::kOther : at->second;
      if (place == all.size()) all.push_back({route.name, true, {}, {}});
      RouteMeter& sum = all[place];
      sum.gone = sum.gone && route.gone;
      for (std::size_t i = 0; i < sum.ended.size(); ++i) sum.ended[i] += route.ended[i];
      sum.duration.add(route.duration);
    }
  }
  return all;
}

}  // namespace subito::node
