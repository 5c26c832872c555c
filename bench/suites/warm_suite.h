// What the warm suites do alike: scenarios one after the other, each in paired slices, told on a
// progress line with the time left. One thread.
#pragma once

#include <string>
#include <vector>

#include "bench/suites/suite_options.h"
#include "bench/suites/warm_peers.h"
#include "bench/suites/warm_report.h"

namespace subito::bench {

// All but the runs.
void describe_suite(const std::string& suite, const SuiteOptions& options,
                    const std::vector<WarmPeer>& peers, WarmResult& result);

// What is missing of them, and nginx's version.
void tell_peers(const WarmPeers& peers, WarmResult& result);

// `peers`: the reference first. Adds a run for each; none behind the first with errors, nor after
// an interrupt.
Status run_scenarios(const std::vector<WarmPeer>& peers, const std::vector<Scenario>& scenarios,
                     WarmResult& result);

// "throughput, json, 16 connections: nginx; 42 s left"
std::string progress_words(const std::string& suite, const Scenario& scenario,
                           const std::string& peer, std::chrono::nanoseconds left);

}  // namespace subito::bench
