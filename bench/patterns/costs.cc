#include "bench/patterns/costs.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "bench/figures.h"
#include "bench/patterns/kinds.h"

namespace subito::bench {

namespace {

constexpr double kBytesPerGib = 1024.0 * 1024 * 1024;
constexpr double kHoursOfDay = 24;
constexpr double kSecondsOfDay = 86'400;

// Reads numbers above zero; keeps the first fault.
class PriceReader {
 public:
  explicit PriceReader(const YAML::Node& root) : root_(root) {}

  double number(const YAML::Node& node, const std::string& path, const std::string& key) {
    double value = 0;
    const YAML::Node found = node.IsMap() ? node[key] : YAML::Node();
    const bool good = found.IsDefined() && found.IsScalar() &&
                      YAML::convert<double>::decode(found, value) && std::isfinite(value) &&
                      value > 0;
    if (!good && fault_.empty()) fault_ = path + key;
    return value;
  }
  double in(const std::string& group, const std::string& key) {
    const YAML::Node node = root_.IsMap() ? root_[group] : YAML::Node();
    return number(node.IsDefined() ? node : YAML::Node(), group + ".", key);
  }
  const std::string& fault() const { return fault_; }

 private:
  const YAML::Node& root_;
  std::string fault_;
};

Result<Prices> read(const YAML::Node& root) {
  PriceReader reader(root);
  Prices prices;
  prices.machine = {reader.in("machine", "hour"), reader.in("machine", "vcpus"),
                    reader.in("machine", "memoryGiB")};
  prices.container = {reader.in("container", "vcpuHour"), reader.in("container", "memoryGiBHour"),
                      reader.in("container", "vcpus"), reader.in("container", "memoryGiB")};
  prices.function = {reader.in("function", "vcpuSecond"), reader.in("function", "memoryGiBSecond"),
                     reader.in("function", "millionRequests")};
  if (!reader.fault().empty()) {
    return fail(ErrorCode::kInvalidArgument,
                "read prices: " + reader.fault() + " is not a number above zero");
  }
  prices.currency = root["currency"].IsDefined() ? root["currency"].as<std::string>() : "";
  for (const YAML::Node& node : root["days"]) {
    const std::string name = node.IsMap() && node["name"] ? node["name"].as<std::string>() : "";
    const std::string path = "days." + name + ".";
    prices.days.push_back({name, reader.number(node, path, "bursts"),
                           reader.number(node, path, "seconds"),
                           reader.number(node, path, "perSecond")});
    const Prices::Day& day = prices.days.back();
    if (!reader.fault().empty()) {
      return fail(ErrorCode::kInvalidArgument,
                  "read prices: " + reader.fault() + " is not a number above zero");
    }
    if (day.bursts * day.seconds > kSecondsOfDay) {
      return fail(ErrorCode::kInvalidArgument,
                  "read prices: the bursts of days." + name + " are longer than a day");
    }
  }
  if (!prices.days.empty()) return prices;
  return fail(ErrorCode::kInvalidArgument, "read prices: there are no days");
}

double cores_of(const Prices::Day& day, const Usage& usage) {
  return day.per_second * usage.cpu_us / 1e6;
}

DayCost machines_cost(const Prices& prices, const Prices::Day& day, const Usage& usage) {
  const double cores = cores_of(day, usage) / prices.machine.vcpus;
  const double memory = usage.load_bytes / kBytesPerGib / prices.machine.memory_gib;
  const double machines = std::max(usage.parts, std::ceil(std::max(cores, memory)));
  return {"", day.name, machines * kHoursOfDay * prices.machine.hour,
          format(machines > 1 ? "%.0f machines all day" : "%.0f machine all day", machines)};
}

DayCost containers_cost(const Prices& prices, const Prices::Day& day, const Usage& usage) {
  const double vcpus = std::max(usage.parts * prices.container.vcpus, cores_of(day, usage));
  const double gib =
      std::max(usage.parts * prices.container.memory_gib, usage.load_bytes / kBytesPerGib);
  const double hour = vcpus * prices.container.vcpu_hour + gib * prices.container.memory_gib_hour;
  return {"", day.name, kHoursOfDay * hour,
          format("%.2f vCPU and %.2f GiB given all day", vcpus, gib)};
}

DayCost functions_cost(const Prices& prices, const Prices::Day& day, const Usage& usage) {
  const double requests = day.requests();
  const double starts = day.bursts * usage.starts_per_burst;
  const double cpu = requests * usage.cpu_us / 1e6 + starts * usage.start_ms / 1e3;
  const double there = std::min(day.bursts * (day.seconds + usage.keep_seconds), kSecondsOfDay);
  const double pods = std::max(usage.load_bytes - usage.idle_bytes, 0.0) / kBytesPerGib;
  const double cost = requests / 1e6 * prices.function.million_requests +
                      cpu * prices.function.vcpu_second +
                      pods * there * prices.function.memory_gib_second;
  return {"", day.name, cost,
          format("%.2f million requests, %.0f s of CPU, %.0f starts, %.0f GiB s", requests / 1e6,
                 cpu, starts, pods * there)};
}

std::optional<Usage> usage_of(const Book& book, const PatternKind& kind) {
  const auto idle = book.median(kind.name, metric::kIdleMemory);
  const auto load = book.median(kind.name, metric::kLoadMemory);
  const auto cpu = book.median(kind.name, metric::kCpu);
  if (!idle || !load || !cpu || !kind.tariff) return std::nullopt;
  Usage usage{*kind.tariff, kind.parts, *idle * 1e6, *load * 1e6, *cpu};
  if (usage.tariff == Tariff::kFunctions) {
    const auto start = book.median(kind.name, metric::kStart, kStartModes.front());
    if (!start) return std::nullopt;
    usage.start_ms = *start;
    usage.starts_per_burst = kServices;
    usage.keep_seconds = kShopIdleSeconds;
  }
  return usage;
}

}  // namespace

Result<Prices> parse_prices(const std::string& yaml) {
  try {
    return read(YAML::Load(yaml));
  } catch (const YAML::Exception& fault) {
    return fail(ErrorCode::kInvalidArgument, std::string("read prices: ") + fault.what());
  }
}

Result<Prices> read_prices(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) {
    return fail(ErrorCode::kNotFound,
                "read prices: there is no " + file + "; name one with --prices FILE");
  }
  std::stringstream text;
  text << stream.rdbuf();
  auto prices = parse_prices(text.str());
  if (!prices) return std::move(prices).error().annotate(file);
  return prices;
}

DayCost cost_of_day(const Prices& prices, const Prices::Day& day, const Usage& usage) {
  switch (usage.tariff) {
    case Tariff::kMachines:
      return machines_cost(prices, day, usage);
    case Tariff::kContainers:
      return containers_cost(prices, day, usage);
    case Tariff::kFunctions:
      break;
  }
  return functions_cost(prices, day, usage);
}

std::vector<DayCost> costs_of(const Prices& prices, const Book& book) {
  std::vector<DayCost> costs;
  for (const Prices::Day& day : prices.days) {
    for (const PatternKind& kind : kPatternKinds) {
      const std::optional<Usage> usage = usage_of(book, kind);
      if (!usage) continue;
      costs.push_back(cost_of_day(prices, day, *usage));
      costs.back().pattern = kind.name;
    }
  }
  return costs;
}

nlohmann::ordered_json to_json(const Prices& prices, const std::vector<DayCost>& costs) {
  nlohmann::ordered_json days = nlohmann::ordered_json::array();
  for (const Prices::Day& day : prices.days) {
    days.push_back({{"name", day.name},
                    {"bursts", day.bursts},
                    {"seconds", day.seconds},
                    {"perSecond", day.per_second}});
  }
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const DayCost& cost : costs) {
    rows.push_back(
        {{"pattern", cost.pattern}, {"day", cost.day}, {"cost", cost.cost}, {"how", cost.how}});
  }
  const auto& [machine, container, function] =
      std::tie(prices.machine, prices.container, prices.function);
  return {{"currency", prices.currency},
          {"machine",
           {{"hour", machine.hour}, {"vcpus", machine.vcpus}, {"memoryGiB", machine.memory_gib}}},
          {"container",
           {{"vcpuHour", container.vcpu_hour},
            {"memoryGiBHour", container.memory_gib_hour},
            {"vcpus", container.vcpus},
            {"memoryGiB", container.memory_gib}}},
          {"function",
           {{"vcpuSecond", function.vcpu_second},
            {"memoryGiBSecond", function.memory_gib_second},
            {"millionRequests", function.million_requests}}},
          {"days", days},
          {"costs", rows}};
}

}  // namespace subito::bench
