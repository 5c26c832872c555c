#include "deploy/cli/refusals.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "deploy/manifest/defaults.h"
#include "deploy/manifest/suggest.h"
#include "deploy/manifest/units.h"

namespace subito::cli {

namespace {

// The shortest way that calls lead from one function to another, both included; empty: none does.
std::vector<std::string> way_between(const std::string& from, const std::string& to,
                                     const CallLists& calls) {
  std::vector<std::vector<std::string>> ways = {{from}};
  std::set<std::string> seen = {from};
  for (std::size_t at = 0; at < ways.size(); ++at) {
    const std::vector<std::string> way = ways[at];
    if (way.back() == to) return way;
    const auto next = calls.find(way.back());
    if (next == calls.end()) continue;
    for (const std::string& name : next->second) {
      if (!seen.insert(name).second) continue;
      ways.push_back(way);
      ways.back().push_back(name);
    }
  }
  return {};
}

// "shop.yaml:7: stock: spec.calls[0]: "
std::string place_and_field(const manifest::Manifest& manifest, const std::string& field) {
  return place_of(manifest, field) + manifest.function.metadata().name() + ": " + field + ": ";
}

std::string call_field(int index) {
  return "spec.calls[" + std::to_string(index) + "]";
}

// The field a message is about: "spec.routes[0].path" of "spec.routes[0].path: add route ...".
std::string_view field_of(std::string_view message) {
  for (const std::string_view begin : {"spec.", "metadata."}) {
    if (message.substr(0, begin.size()) == begin)
      return message.substr(0, std::min(message.find(": "), message.size()));
  }
  return "";
}

}  // namespace

std::string place_of(const manifest::Manifest& manifest, std::string_view field) {
  if (manifest.file.empty()) return "";
  int line = manifest.line;
  for (std::string path(field); !path.empty();) {
    if (const auto at = manifest.lines.find(path); at != manifest.lines.end()) {
      line = at->second;
      break;
    }
    const std::size_t end = path.find_last_of(".[");
    path.resize(end == path.npos ? 0 : end);
  }
  return manifest.file + ":" + std::to_string(line) + ": ";
}

std::vector<std::string> placed_refusals(const manifest::Manifest& manifest,
                                         const std::string& message) {
  const std::string doing = "deploy " + manifest.function.metadata().name() + ": ";
  std::vector<std::string> placed;
  std::istringstream lines(message);
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, doing.size(), doing) == 0) line.erase(0, doing.size());
    // What is about no field is no fault of the manifest.
    const std::string_view field = field_of(line);
    placed.push_back((field.empty() ? "" : place_of(manifest, field)) + doing + line);
  }
  return placed;
}

std::vector<std::string> unknown_calls(const manifest::Manifest& manifest,
                                       const std::vector<std::string>& known) {
  std::vector<std::string> warnings;
  for (int i = 0; i < manifest.function.spec().calls_size(); ++i) {
    const std::string& name = manifest.function.spec().calls(i);
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    warnings.push_back(place_and_field(manifest, call_field(i)) + "the node knows no function '" +
                       name + "', calls of it fail until it is deployed" +
                       manifest::did_you_mean(name, known));
  }
  return warnings;
}

std::vector<std::string> unknown_streams(const manifest::Manifest& manifest,
                                         const std::vector<std::string>& known) {
  std::vector<std::string> warnings;
  const manifest::FunctionSpec& spec = manifest.function.spec();
  for (int i = 0; i < spec.triggers_size(); ++i) {
    const std::string& name = spec.triggers(i).stream().of();
    if (name.empty() || std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string field = "spec.triggers[" + std::to_string(i) + "].stream.of";
    warnings.push_back(place_and_field(manifest, field) + "the node knows no function '" + name +
                       "', nothing comes from it until it is deployed" +
                       manifest::did_you_mean(name, known));
  }
  return warnings;
}

std::vector<std::string> calls_in_a_ring(const manifest::Manifest& manifest,
                                         const CallLists& calls) {
  std::vector<std::string> warnings;
  const std::string& caller = manifest.function.metadata().name();
  for (int i = 0; i < manifest.function.spec().calls_size(); ++i) {
    const auto way = way_between(manifest.function.spec().calls(i), caller, calls);
    if (way.empty()) continue;
    std::string ring = caller;
    for (const std::string& name : way) ring += " > " + name;
    warnings.push_back(place_and_field(manifest, call_field(i)) + ring +
                       " may go round; a call that does is refused (call-cycle)");
  }
  return warnings;
}

std::vector<std::string> beyond_quota(const manifest::Manifest& manifest,
                                      std::int64_t memory_bytes_max, std::int64_t millicores_max) {
  manifest::Function whole = manifest.function;
  manifest::apply_defaults(whole);
  const manifest::Resources& resources = whole.spec().resources();
  std::vector<std::string> warnings;
  const auto warn = [&](const char* field, const std::string& takes, const std::string& allowed) {
    warnings.push_back(place_and_field(manifest, field) + "a pod takes " + takes +
                       ", the quota of namespace " + whole.metadata().namespace_() + " is " +
                       allowed + ": none can start");
  };
  if (memory_bytes_max > 0 && resources.memory_bytes() > memory_bytes_max)
    warn("spec.resources.memory", manifest::format_size_bytes(resources.memory_bytes()),
         manifest::format_size_bytes(memory_bytes_max));
  // One without a limit counts as a core.
  constexpr std::int32_t kCore = 1000;
  const std::int32_t millicores =
      resources.cpu_millicores() == 0 ? kCore : resources.cpu_millicores();
  if (millicores_max > 0 && millicores > millicores_max)
    warn("spec.resources.cpu", manifest::format_cpu_millicores(millicores),
         manifest::format_cpu_millicores(millicores_max));
  return warnings;
}

std::vector<std::string> unused_scaling(const manifest::Manifest& manifest) {
  const manifest::Scaling& scaling = manifest.function.spec().scaling();
  const bool looks_at_idle =
      scaling.policy() == manifest::INSTANT || scaling.policy() == manifest::FIXED;
  if (looks_at_idle || !scaling.has_idle_ms()) return {};
  const std::string policy =
      scaling.policy() == manifest::CONCURRENCY ? "concurrency" : "histogram";
  return {place_and_field(manifest, "spec.scaling.idle") + "the policy " + policy +
          " does not look at it; `subito explain spec.scaling.policy` tells what each does"};
}

}  // namespace subito::cli
