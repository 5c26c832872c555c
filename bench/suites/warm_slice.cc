#include "bench/suites/warm_slice.h"

#include "bench/kit/process_tree.h"

namespace subito::bench {

Traffic traffic_of(const WarmPeer& peer, const Scenario& scenario) {
  Traffic traffic;
  traffic.server = peer.server;
  traffic.request.path = peer.base + scenario.answer.path;
  traffic.expected.body = scenario.answer.body;
  traffic.connections = scenario.connections;
  traffic.per_second = scenario.per_second;
  return traffic;
}

Result<Slice> measure_slice(const WarmPeer& peer, const Scenario& scenario,
                            std::chrono::nanoseconds time) {
  auto opened = Generator::open(traffic_of(peer, scenario));
  if (!opened) return std::move(opened).error().annotate("measure " + peer.name);
  Generator generator = *std::move(opened);
  const CpuMeter meter(peer.processes);
  Slice slice;
  slice.traffic = generator.run(time);
  const CpuUse use = meter.used();
  slice.cpu = use.time;
  slice.ended = use.ended;
  return slice;
}

Result<PairRun> run_scenario(const std::vector<WarmPeer>& peers, const Scenario& scenario,
                             const PairPlan& plan, const PairProgress& progress) {
  const auto subject_of = [&scenario](const WarmPeer& peer) {
    return Subject{peer.name, [&scenario, peer](std::chrono::nanoseconds time) {
                     return measure_slice(peer, scenario, time);
                   }};
  };
  std::vector<Subject> subjects;
  for (std::size_t i = 1; i < peers.size(); ++i) subjects.push_back(subject_of(peers[i]));
  return run_pairs(subject_of(peers.front()), subjects, plan, progress);
}

}  // namespace subito::bench
