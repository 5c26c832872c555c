// Costs: what a day of a pattern costs by a file of prices, computed from measured memory, CPU time
// a request and starts. Pure, but for read_prices.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/patterns/book.h"
#include "runtime/base/result.h"

namespace subito::bench {

// As prices.yaml explains them.
struct Prices {
  struct Machine {
    double hour = 0, vcpus = 0, memory_gib = 0;
  };
  struct Container {
    double vcpu_hour = 0, memory_gib_hour = 0, vcpus = 0, memory_gib = 0;
  };
  struct Function {
    double vcpu_second = 0, memory_gib_second = 0, million_requests = 0;
  };
  struct Day {
    std::string name;
    double bursts = 0, seconds = 0, per_second = 0;
    double requests() const { return bursts * seconds * per_second; }
  };
  std::string currency;
  Machine machine;
  Container container;
  Function function;
  std::vector<Day> days;
};

// kNotFound, or kInvalidArgument with the key that is missing or no number above zero.
Result<Prices> read_prices(const std::string& file);
Result<Prices> parse_prices(const std::string& yaml);

enum class Tariff { kMachines, kContainers, kFunctions };

// What a day's cost is computed from.
struct Usage {
  Tariff tariff = Tariff::kMachines;
  double parts = 1;             // machines or containers at least
  double idle_bytes = 0;        // nobody asks
  double load_bytes = 0;        // under load
  double cpu_us = 0;            // a request
  double start_ms = 0;          // functions: CPU time at most that a start takes
  double starts_per_burst = 0;  // functions
  double keep_seconds = 0;      // functions: how long they wait behind a burst
};

struct DayCost {
  std::string pattern;
  std::string day;
  double cost = 0;
  std::string how;  // in words
};

// Machines: as many as memory and CPU time of the busiest second need. Containers: what each is
// given, more where load needs more. Functions: requests, CPU time and memory while there are pods;
// what a node needs while all sleep is the provider's.
DayCost cost_of_day(const Prices& prices, const Prices::Day& day, const Usage& usage);

// Of all patterns that enough was measured of; a machine that is emulated has no cost.
std::vector<DayCost> costs_of(const Prices& prices, const Book& book);

nlohmann::ordered_json to_json(const Prices& prices, const std::vector<DayCost>& costs);

}  // namespace subito::bench
