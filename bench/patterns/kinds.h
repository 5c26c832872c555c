// PatternKind: what there is to know of each way in deploy/patterns before it is measured. Plain
// values; the one place that lists patterns.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "bench/common_options.h"
#include "bench/patterns/costs.h"

namespace subito::bench {

struct PatternKind {
  const char* name;     // the folder
  const char* what;     // in words
  const char* process;  // the name of what serves the catalogue; null: none of this host
  const char* base;     // of catalogue's paths where it is asked
  const char* target;   // what to build when the catalogue changed
  const char* spread;   // what gives further instances their load
  std::optional<Tariff> tariff;
  double parts;  // machines or containers at least
};

inline const std::array<PatternKind, 6> kPatternKinds = {{
    {"0-monolith", "one process", "monolith", "/function/catalogue", "function_shop_monolith",
     "a proxy before them", Tariff::kMachines, 1},
    {"1-host", "a simulated host for each service (network namespaces)", "catalogue", "",
     "function_catalogue", "a proxy, or addresses in every caller", Tariff::kMachines, 6},
    {"2-processes", "a process for each service", "catalogue", "", "function_catalogue",
     "a proxy, or addresses in every caller", Tariff::kMachines, 1},
    {"3-vm", "a virtual machine for each service", nullptr, "", "function_catalogue",
     "a proxy, or addresses in every caller", std::nullopt, 6},
    {"4-containers", "a container for each service", "catalogue", "", "function_catalogue",
     "a proxy, or the engine's own", Tariff::kContainers, 6},
    {"5-serverless", "a function for each service", "catalogue", "/function/catalogue",
     "function_catalogue", "nothing: the node starts and feeds them", Tariff::kFunctions, 1},
}};

inline constexpr const char* kContainers = "4-containers";
inline constexpr const char* kServerless = "5-serverless";
inline constexpr const char* kVm = "3-vm";
inline constexpr const char* kHosts = "1-host";
inline constexpr const char* kReference = "2-processes";  // where it is among those measured

inline constexpr double kServices = 5;         // of the shop
inline constexpr double kShopIdleSeconds = 5;  // scaling.idle of its manifests

}  // namespace subito::bench
