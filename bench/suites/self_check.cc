#include "bench/suites/self_check.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <sstream>

#include "bench/child.h"
#include "bench/figures.h"
#include "bench/interrupt.h"
#include "bench/kit/process_tree.h"
#include "bench/peers/nginx.h"
#include "bench/progress_line.h"
#include "bench/suites/answers.h"
#include "bench/suites/warm_report.h"

namespace subito::bench {

namespace {

constexpr const char* kOurs = "subito";

// The number in front of `word`: "56789 requests in" has 56789 in front of "requests in".
double number_before(const std::string& text, const std::string& word) {
  const std::size_t at = text.find(word);
  if (at == text.npos || at == 0) return 0;
  const std::size_t end = text.find_last_not_of(' ', at - 1);
  const std::size_t space = text.find_last_of(" \n", end);
  const std::size_t begin = space == text.npos ? 0 : space + 1;
  double number = 0;
  std::istringstream(text.substr(begin, end - begin + 1)) >> number;
  return number;
}

// "1.10s" behind `word`.
Result<std::chrono::nanoseconds> time_behind(const std::string& text, const std::string& word) {
  const std::size_t at = text.find(word);
  if (at == text.npos) {
    return fail(ErrorCode::kProtocol, "read what it printed: no '" + word + "' in: " + text);
  }
  const std::size_t begin = at + word.size();
  return parse_duration(text.substr(begin, text.find_first_of(",\n", begin) - begin));
}

Result<Slice> slice_of(double answers, double errors, const std::string& fault,
                       std::chrono::nanoseconds took) {
  Slice slice;
  slice.traffic.answers = static_cast<std::uint64_t>(answers);
  slice.traffic.errors = static_cast<std::uint64_t>(errors);
  if (errors > 0) slice.traffic.first_error = fault;
  slice.traffic.took = took;
  return slice;
}

struct Tool {
  std::string name;
  std::vector<std::string> arguments;  // in front of the time
  Result<Slice> (*parse)(const std::string&);
};

// They count in whole seconds.
Result<Slice> run_tool(const Tool& tool, const Nginx& nginx, const std::string& url,
                       std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
  Command command{tool.name, tool.arguments};
  command.arguments.push_back(std::to_string(seconds));
  command.arguments.push_back(url);
  const CpuMeter meter({nginx.pid()});
  ASSIGN_OR_RETURN(const Finished finished, run(command));
  const CpuUse use = meter.used();
  if (Interrupt::happened()) {
    Slice cut;
    cut.traffic.interrupted = true;
    return cut;
  }
  if (finished.exit_code != 0) {
    return fail(ErrorCode::kFailedPrecondition, "run " + tool.name + ": exit code " +
                                                    std::to_string(finished.exit_code) + ": " +
                                                    finished.output);
  }
  ASSIGN_OR_RETURN(Slice slice, tool.parse(finished.output));
  slice.cpu = use.time;
  return slice;
}

Result<Slice> run_ours(const Traffic& traffic, const Nginx& nginx, std::chrono::nanoseconds time) {
  ASSIGN_OR_RETURN(Generator generator, Generator::open(traffic));
  const CpuMeter meter({nginx.pid()});
  Slice slice;
  slice.traffic = generator.run(std::chrono::ceil<std::chrono::seconds>(time));
  slice.cpu = meter.used().time;
  return slice;
}

bool runs(const std::string& tool) {
  const auto finished = run({tool, {tool, "--version"}});
  return finished && finished->exit_code != 127;  // 127: there is none, see child.cc
}

std::string self_check_row(const SelfCheckResult& result, const std::string& name,
                           const Series* series) {
  const Spread per_second = series == nullptr
                                ? reference_spread(result.pairs.series, answers_per_second)
                                : figure_spread(*series, answers_per_second);
  const Spread cpu = series == nullptr ? reference_spread(result.pairs.series, cpu_us)
                                       : figure_spread(*series, cpu_us);
  const std::string ratio =
      series == nullptr ? "1" : spread_text(ratio_spread(*series, answers_per_second));
  return format("| %s | %.0f | %s | %.2f |\n", name.c_str(), per_second.median, ratio.c_str(),
                cpu.median);
}

Result<SelfCheckResult> find_tools(const SelfCheckOptions& options, std::vector<Tool>& tools) {
  const std::string connections = std::to_string(options.connections);
  SelfCheckResult result;
  result.options = options;
  result.seed = options.seed ? *options.seed : std::random_device()();
  const Tool all[] = {{"wrk", {"wrk", "-t", "1", "-c", connections, "-d"}, parse_wrk},
                      {"h2load", {"h2load", "--h1", "-c", connections, "-D"}, parse_h2load}};
  for (const Tool& tool : all) {
    if (runs(tool.name)) {
      tools.push_back(tool);
    } else {
      result.missing.emplace_back(tool.name,
                                  "not installed; on Debian: apt-get install wrk "
                                  "nghttp2-client");
    }
  }
  if (tools.empty()) {
    return fail(ErrorCode::kNotFound, "find wrk or h2load: " + result.missing[0].second);
  }
  result.reference = tools.front().name;
  return result;
}

}  // namespace

Result<Slice> parse_wrk(const std::string& output) {
  ASSIGN_OR_RETURN(const auto took, time_behind(output, "requests in "));
  const bool wrong = output.find("Non-2xx or 3xx responses:") != output.npos ||
                     output.find("Socket errors:") != output.npos;
  return slice_of(number_before(output, "requests in "), wrong ? 1 : 0,
                  "wrk counts errors: " + output, took);
}

Result<Slice> parse_h2load(const std::string& output) {
  ASSIGN_OR_RETURN(const auto took, time_behind(output, "finished in "));
  const double succeeded = number_before(output, "succeeded");
  const double failed = number_before(output, "failed") + number_before(output, "errored");
  return slice_of(succeeded, failed, "h2load counts errors: " + output, took);
}

Spread SelfCheckResult::ratio(const std::string& name) const {
  for (const Series& series : pairs.series) {
    if (series.name == name) return ratio_spread(series, answers_per_second);
  }
  return {};
}

bool promises_kept(const SelfCheckResult& result) {
  return std::abs(result.ratio(kOurs).median - 1) <= kSelfCheckOffMax;
}

Result<SelfCheckResult> measure_self_check(const SelfCheckOptions& options) {
  std::vector<Tool> tools;
  ASSIGN_OR_RETURN(SelfCheckResult result, find_tools(options, tools));
  NginxSite site;
  site.answers.emplace_back(kJsonAnswer.path, kJsonAnswer.body);
  ASSIGN_OR_RETURN(const Nginx nginx, Nginx::start(site));
  Traffic traffic;
  traffic.server = nginx.address();
  traffic.request.path = kJsonAnswer.path;
  traffic.expected.body = kJsonAnswer.body;
  traffic.connections = options.connections;
  const std::string url =
      "http://127.0.0.1:" + std::to_string(nginx.address().port) + kJsonAnswer.path;
  const auto subject_of = [&](const Tool& tool, const std::string& name) {
    return Subject{name, [&nginx, &url, tool](std::chrono::nanoseconds time) {
                     return run_tool(tool, nginx, url, time);
                   }};
  };
  std::vector<Subject> subjects = {
      {kOurs, [&](std::chrono::nanoseconds time) { return run_ours(traffic, nginx, time); }}};
  subjects.push_back(subject_of(tools[0], tools[0].name + "-again"));
  if (tools.size() > 1) subjects.push_back(subject_of(tools[1], tools[1].name));
  ProgressLine line;
  const auto progress = [&](const std::string& name, std::uint32_t left) {
    line.show(format("self-check: %s; %u slices left", name.c_str(), left));
  };
  ASSIGN_OR_RETURN(result.pairs, run_pairs(subject_of(tools[0], tools[0].name), subjects,
                                           {options.rounds, options.slice, result.seed}, progress));
  result.interrupted = result.pairs.interrupted;
  return result;
}

nlohmann::ordered_json to_json(const SelfCheckResult& result, const Machine& machine,
                               const std::string& command) {
  nlohmann::ordered_json json = {
      {"benchmark", "self-check"},        {"command", command},
      {"machine", to_json(machine)},      {"connections", result.options.connections},
      {"rounds", result.pairs.rounds},    {"seed", result.seed},
      {"reference", result.reference},    {"errors", result.errors()},
      {"interrupted", result.interrupted}};
  for (const auto& [name, reason] : result.missing) json["missing"][name] = reason;
  const WarmRun run{{kJsonAnswer, result.options.connections, 0}, result.pairs};
  json["tools"] = peers_json(run, result.reference);
  std::vector<Measure> measures;
  WarmResult told;
  told.reference = result.reference;
  add_measures(run, told, format("json, %u connections", result.options.connections),
               {"requests a second", "1/s", true, answers_per_second}, measures);
  json["measures"] = measures_json(measures);
  json["targets"] = {{{"what", "requests/s over " + result.reference},
                      {"offMax", kSelfCheckOffMax},
                      {"ratio", result.ratio(kOurs).median},
                      {"met", promises_kept(result)}}};
  return json;
}

std::string to_text(const SelfCheckResult& result, const Machine& machine,
                    const std::string& command) {
  std::string text = words(machine) + "\n" + command + "\n";
  text +=
      format("%u rounds, %u connections, 200 bytes of JSON from one nginx worker, seed %llu\n\n",
             result.pairs.rounds, result.options.connections,
             static_cast<unsigned long long>(result.seed));
  text += "| generator | requests/s | over " + result.reference +
          " (least to most) | CPU µs a request, nginx |\n|---|--:|--:|--:|\n";
  text += self_check_row(result, result.reference, nullptr);
  for (const Series& series : result.pairs.series)
    text += self_check_row(result, series.name, &series);
  for (const auto& [name, reason] : result.missing) text += "\n" + name + ": " + reason + "\n";
  if (result.errors() > 0) text += "\nErrors, the first: " + result.pairs.first_error() + "\n";
  if (result.interrupted) text += "\nInterrupted: what there is up to then.\n";
  return text + format("\n- our generator within %g %% of %s: %.2f, %s\n", 100 * kSelfCheckOffMax,
                       result.reference.c_str(), result.ratio(kOurs).median,
                       promises_kept(result) ? "met" : "MISSED");
}

}  // namespace subito::bench
