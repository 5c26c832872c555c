#include "bench/suites/chain.h"

#include <algorithm>

#include "bench/bed.h"
#include "bench/figures.h"
#include "bench/peers/listening_handler.h"
#include "bench/suites/warm_suite.h"

namespace subito::bench {

namespace {

constexpr NamedAnswer kCallsAnswer = {"50 calls", "/calls?n=50", kProductJson};
static_assert(kChainCalls == 50);

constexpr const char* kCalled = "measured";
constexpr const char* kCaller = "calling";  // the same binary by another name: none may call itself
constexpr const char* kPodsIdle = "60m";
constexpr const char* kLocal = "127.0.0.1:0";

std::string called_at(const std::string& url) {
  return "CALL_MEASURED_URL=" + url;
}

// The peers, the reference first, and who owns them. When it goes, all of them are gone.
struct ChainBed {
  Bed bed;
  ListeningHandler called;
  ListeningHandler calls_process;
  ListeningHandler calls_gateway;
  std::vector<WarmPeer> peers;

  // `chains`: most at once.
  static Result<ChainBed> make(std::uint32_t pool_size, std::uint32_t chains);
};

Result<ChainBed> ChainBed::make(std::uint32_t pool_size, std::uint32_t chains) {
  ASSIGN_OR_RETURN(const std::string binary, find_function(kCalled));
  ASSIGN_OR_RETURN(Bed bed, Bed::make(binary, pool_size));
  RETURN_IF_ERROR(bed.api.deploy({kCalled, binary, "pooled", kPodsIdle}));
  RETURN_IF_ERROR(bed.api.deploy({kCaller, binary, "pooled", kPodsIdle, {"--call", kCalled}}));
  ASSIGN_OR_RETURN(ListeningHandler called,
                   ListeningHandler::start(binary, kLocal, {}, {}, chains));
  ASSIGN_OR_RETURN(
      ListeningHandler calls_process,
      ListeningHandler::start(binary, kLocal, {called_at(called.url())}, kCaller, chains));
  const std::string gateway = bed.api.facts().gateway_url + "/function/" + kCalled;
  ASSIGN_OR_RETURN(ListeningHandler calls_gateway,
                   ListeningHandler::start(binary, kLocal, {called_at(gateway)}, kCaller, chains));
  const WarmPeer by_gateway = {"gateway",
                               "a process calls the function over HTTP through the gateway",
                               calls_gateway.address(),
                               "",
                               {calls_gateway.pid(), bed.node.pid()}};
  WarmPeer again = by_gateway;
  again.name = "gateway-again";
  again.what = "the same one: what it differs by is noise";
  const WarmPeer subito = {"subito",
                           "a function calls the function by way of the node",
                           bed.gateway,
                           std::string("/function/") + kCaller,
                           {bed.node.pid()}};
  const WarmPeer direct = {"direct",
                           "a process calls a process over kept-alive HTTP",
                           calls_process.address(),
                           "",
                           {calls_process.pid(), called.pid()}};
  return ChainBed{std::move(bed),
                  std::move(called),
                  std::move(calls_process),
                  std::move(calls_gateway),
                  {by_gateway, again, subito, direct}};
}

// The mean: in a closed loop each connection has one chain under way, all the time.
SliceFigure call_us(std::uint32_t connections) {
  return [connections](const Slice& slice) {
    const double per_second = answers_per_second(slice);
    return per_second <= 0 ? 0 : 1e6 * connections / per_second / kChainCalls;
  };
}

double call_cpu_us(const Slice& slice) {
  return cpu_us(slice) / kChainCalls;
}

std::string chain_row(const WarmRun& run, const std::string& name, const Series* series) {
  const auto cells = [&](const SliceFigure& of) {
    const bool reference = series == nullptr;
    return median_text("%.1f", reference ? reference_spread(run.pairs.series, of)
                                         : figure_spread(*series, of)) +
           " | " + (reference ? "1" : spread_text(ratio_spread(*series, of))) + " | ";
  };
  const TrafficResult traffic = series == nullptr ? run.pairs.reference : series->traffic();
  return format("| %u | %s | ", run.scenario.connections, name.c_str()) +
         cells(call_us(run.scenario.connections)) + cells(call_cpu_us) +
         format("%llu | %llu |\n", static_cast<unsigned long long>(traffic.answers * kChainCalls),
                static_cast<unsigned long long>(traffic.errors));
}

std::vector<WarmTarget> chain_targets(const ChainResult& result) {
  std::vector<WarmTarget> targets;
  for (const WarmRun& run : result.runs) {
    for (const Series& series : run.pairs.series) {
      if (series.name != "subito") continue;
      targets.push_back(
          {format("a call over one through the gateway, %u connections", run.scenario.connections),
           kChainRatioMax, false, ratio_spread(series, call_us(run.scenario.connections)).median});
    }
  }
  return targets;
}

}  // namespace

Result<ChainResult> measure_chain(const ChainOptions& options) {
  const std::uint32_t chains =
      *std::max_element(options.connections.begin(), options.connections.end());
  ASSIGN_OR_RETURN(const ChainBed bed, ChainBed::make(options.pool_size, chains));
  ChainResult result;
  describe_suite("chain", options, bed.peers, result);
  std::vector<Scenario> scenarios;
  for (const std::uint32_t connections : options.connections) {
    scenarios.push_back({kCallsAnswer, connections, 0});
  }
  RETURN_IF_ERROR(run_scenarios(bed.peers, scenarios, result));
  return result;
}

bool promises_kept(const ChainResult& result) {
  const std::vector<WarmTarget> targets = chain_targets(result);
  return std::all_of(targets.begin(), targets.end(),
                     [](const WarmTarget& target) { return target.met(); });
}

nlohmann::ordered_json to_json(const ChainResult& result, const Machine& machine,
                               const std::string& command) {
  nlohmann::ordered_json json = head_json(result, machine, command);
  json["callsPerRequest"] = kChainCalls;
  json["targets"] = targets_json(chain_targets(result));
  json["runs"] = nlohmann::ordered_json::array();
  for (const WarmRun& run : result.runs) {
    json["runs"].push_back({{"connections", run.scenario.connections},
                            {"rounds", run.pairs.rounds},
                            {"peers", peers_json(run, result.reference)}});
  }
  json["measures"] = measures_json(closed_loop_measures(result));
  return json;
}

std::string to_text(const ChainResult& result, const Machine& machine, const std::string& command) {
  std::string text =
      head_text(result, machine, command) +
      "\n| connections | peer | µs a call, mean | over the reference | CPU µs a call "
      "| over | calls | errors |\n|--:|---|--:|--:|--:|--:|--:|--:|\n";
  for (const WarmRun& run : result.runs) {
    text += chain_row(run, result.reference, nullptr);
    for (const Series& series : run.pairs.series) text += chain_row(run, series.name, &series);
  }
  return text +
         format(
             "\nA request makes %d calls, one behind the other; 1/%d of the request itself is in "
             "each figure.\n",
             kChainCalls, kChainCalls) +
         targets_text(chain_targets(result)) + tail_text(result);
}

}  // namespace subito::bench
