#include "bench/suites/warm_suite.h"

#include <random>

#include "bench/figures.h"
#include "bench/interrupt.h"
#include "bench/progress_line.h"

namespace subito::bench {

void describe_suite(const std::string& suite, const SuiteOptions& options,
                    const std::vector<WarmPeer>& peers, WarmResult& result) {
  result.suite = suite;
  result.seed = options.seed ? *options.seed : std::random_device()();
  result.plan = {options.rounds, options.slice, result.seed};
  result.pool_size = options.pool_size;
  result.reference = peers.front().name;
  for (const WarmPeer& peer : peers) {
    result.peers.emplace_back(peer.name, peer.what);
    if (peer.other_language) result.other_languages.push_back(peer.name);
  }
}

void tell_peers(const WarmPeers& peers, WarmResult& result) {
  result.missing = peers.missing();
  if (const auto version = Nginx::version()) result.nginx_version = *version;
}

std::string progress_words(const std::string& suite, const Scenario& scenario,
                           const std::string& peer, std::chrono::nanoseconds left) {
  std::string text =
      format("%s, %s, %u connections", suite.c_str(), scenario.answer.name, scenario.connections);
  if (scenario.per_second > 0) text += format(", %.0f a second", scenario.per_second);
  return text +
         format(": %s; %.0f s left", peer.c_str(), std::chrono::duration<double>(left).count());
}

Status run_scenarios(const std::vector<WarmPeer>& peers, const std::vector<Scenario>& scenarios,
                     WarmResult& result) {
  ProgressLine line;
  const std::uint32_t slices = slices_of(peers.size() - 1, result.plan.rounds);
  auto behind = static_cast<std::uint32_t>(scenarios.size());
  for (const Scenario& scenario : scenarios) {
    if (Interrupt::happened() || result.errors() > 0) break;
    --behind;
    const auto progress = [&](const std::string& peer, std::uint32_t slices_left) {
      const std::chrono::nanoseconds left = (slices_left + behind * slices) * result.plan.slice;
      line.show(progress_words(result.suite, scenario, peer, left));
    };
    auto pairs = run_scenario(peers, scenario, result.plan, progress);
    if (!pairs && Interrupt::happened()) break;
    if (!pairs) return std::move(pairs).error();
    result.interrupted = result.interrupted || pairs->interrupted;
    result.runs.push_back({scenario, *std::move(pairs)});
  }
  result.interrupted = result.interrupted || Interrupt::happened();
  return ok();
}

}  // namespace subito::bench
