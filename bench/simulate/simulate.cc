#include "bench/simulate/simulate.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "bench/interrupt.h"
#include "bench/machine.h"
#include "bench/private_node.h"
#include "bench/report.h"
#include "bench/simulate/azure.h"
#include "bench/simulate/options.h"
#include "bench/simulate/progress.h"
#include "bench/simulate/recorded.h"
#include "bench/simulate/replay.h"
#include "bench/simulate/report.h"
#include "bench/simulate/runs.h"
#include "bench/simulate/scenarios.h"
#include "bench/simulate/trace.h"

namespace subito::simulate {
namespace {

using bench::Interrupt;

// deploy/cli/exit_code.h tells them to people.
constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kRefused = 5;
constexpr int kInterrupted = 130;

// More than any run reaches: the node's records grow with what is there.
constexpr std::uint32_t kAlwaysEnough = 1'000'000'000;

int complain(const Error& error) {
  std::fprintf(stderr, "subito simulate: %s\n", error.message.c_str());
  if (error.code == ErrorCode::kInvalidArgument) {
    std::fprintf(stderr, "Try `subito simulate --help`\n");
    return kUsage;
  }
  return error.code == ErrorCode::kProtocol ? kRefused : kFailed;
}

Result<Plan> trace_plan(const Options& options) {
  if (options.size.functions != 0 || options.size.calls != 0) {
    return fail(ErrorCode::kInvalidArgument, "--functions, --calls: a trace has its own");
  }
  auto plan = options.trace_2021.empty() ? trace_2019_plan(options.trace_2019, options.size.seed)
                                         : trace_2021_plan(options.trace_2021);
  if (plan && options.size.duration > Duration::zero()) {
    plan->duration = std::min(plan->duration, options.size.duration);
  }
  return plan;
}

// What is simulated: a workload, and what a recording tells beside it.
struct Subject {
  Plan plan;
  std::optional<Distribution> cold_start;
  std::vector<Outcome> live;  // one, or none
};

// The whole file: a minute of a busy node is some 30 MB.
Result<std::string> read_file(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  if (!stream) return errno_error("read recording " + file);
  return bytes;
}

Result<Plan> make_plan(const Options& options) {
  if (!options.trace_2019.empty() || !options.trace_2021.empty()) return trace_plan(options);
  ASSIGN_OR_RETURN(const Spec spec, Spec::parse(options.workload));
  auto azure = azure_plan(spec, options.size);
  if (azure || azure.error().code != ErrorCode::kNotFound) return azure;
  auto shaped = shaped_plan(spec, options.size);
  if (shaped || shaped.error().code != ErrorCode::kNotFound) return shaped;
  auto scenario = scenario_plan(spec, options.size, options.cores);
  if (scenario || scenario.error().code != ErrorCode::kNotFound) return scenario;
  return fail(ErrorCode::kInvalidArgument,
              "--workload: is '" + spec.name() +
                  "', allowed is azure-2019, azure-2021, constant, poisson, step, burst, sine, "
                  "on-off, calls, flood");
}

Result<Subject> make_subject(const Options& options) {
  if (options.recorded.empty()) {
    ASSIGN_OR_RETURN(Plan plan, make_plan(options));
    return Subject{std::move(plan), std::nullopt, {}};
  }
  if (options.size.functions != 0 || options.size.calls != 0 ||
      options.size.duration != Duration::zero()) {
    return fail(ErrorCode::kInvalidArgument,
                "--functions, --calls, --duration: a recording has its own");
  }
  ASSIGN_OR_RETURN(const std::string bytes, read_file(options.recorded));
  auto recorded = read_recorded(bytes);
  if (!recorded) return std::move(recorded).error().annotate(options.recorded);
  return Subject{
      std::move(recorded->plan), std::move(recorded->cold_start), {std::move(recorded->live)}};
}

std::uint64_t mean_memory(const Plan& plan) {
  std::uint64_t sum = 0;
  for (const FunctionFacts& function : plan.functions) sum += function.memory_bytes;
  return std::max<std::uint64_t>(sum / std::max<std::size_t>(plan.functions.size(), 1), 1);
}

// As `subito up` has them, or none: a workload without a node in mind meets no limit of one.
scheduler::NodeLimits make_node(const Options& options, const Plan& plan) {
  constexpr std::uint32_t kStartsPerCore = 4;
  scheduler::NodeLimits node;
  if (!plan.as_live) {
    node.pods_max = node.starting_max = kAlwaysEnough;
    const bool single = options.cores > 0 || options.memory_bytes > 0 || options.pods > 0;
    if (!single) node.waiting_max = node.in_flight_max = kAlwaysEnough;
  }
  if (options.memory_bytes > 0) {
    node.pods_max = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(options.memory_bytes / mean_memory(plan), 1, kAlwaysEnough));
  }
  if (options.pods > 0) node.pods_max = options.pods;
  if (options.cores > 0) node.starting_max = options.cores * kStartsPerCore;
  if (options.starts > 0) node.starting_max = options.starts;
  return node;
}

// What does not depend on the policy.
Setup make_setup(const Options& options, const Plan& plan) {
  Setup setup;
  setup.node = make_node(options, plan);
  if (!plan.as_live) setup.limits.pods_max = setup.node.pods_max;
  if (options.pods_max > 0) setup.limits.pods_max = options.pods_max;
  setup.limits.concurrency = options.concurrency;
  setup.cores = options.cores;
  setup.cores_by_function = options.cores_by_function.value_or(plan.as_live);
  setup.start_cpu = options.start_cpu;
  constexpr Duration kTimeoutLive = std::chrono::seconds(30);
  setup.timeout =
      options.timeout == Duration::zero() && plan.as_live ? kTimeoutLive : options.timeout;
  setup.seed = options.size.seed;
  return setup;
}

std::string node_words(const Setup& setup) {
  const auto limit = [](std::uint32_t value) {
    return value == kAlwaysEnough ? std::string("no limit") : grouped(value);
  };
  return "cores: " + (setup.cores == 0 ? "always enough" : grouped(setup.cores)) +
         (setup.cores_by_function ? ", shared by functions" : "") +
         (setup.start_cpu > Duration::zero() ? ", " + words(setup.start_cpu) + " for a start"
                                             : "") +
         "; pods: " + limit(setup.node.pods_max) +
         "; starts at once: " + limit(setup.node.starting_max) +
         "; concurrency: " + grouped(setup.limits.concurrency) +
         "; timeout: " + (setup.timeout == Duration::zero() ? "none" : words(setup.timeout));
}

// One of the grid, or the one that was asked for.
Result<Distribution> cold_start_of(const std::string& text, const Subject& subject) {
  if (text.empty() && subject.cold_start) return *subject.cold_start;
  auto cold_start = Distribution::parse(text.empty() ? "1ms" : text);
  if (!cold_start) return std::move(cold_start).error().annotate("--cold-start");
  return cold_start;
}

Result<std::vector<Setup>> make_setups(const Options& options, const Subject& subject) {
  std::vector<Setup> setups;
  for (const std::string& start : options.grid ? kGridStarts : std::vector{options.cold_start}) {
    ASSIGN_OR_RETURN(const Distribution cold_start, cold_start_of(start, subject));
    for (const PolicyChoice& policy : options.policies) {
      Setup setup = make_setup(options, subject.plan);
      setup.policy = policy.name;
      setup.limits.policy.kind = policy.kind;
      setup.idle = policy.idle ? policy.idle : options.idle;
      setup.cold_start = cold_start;
      setups.push_back(std::move(setup));
    }
  }
  return setups;
}

Comparison compare(const std::vector<Setup>& setups, const Plan& plan, Comparison comparison,
                   std::size_t processors) {
  Progress progress(setups.size());
  const Watch watch = [&progress](std::size_t run, double share) {
    progress.show(run, share);
    return !Interrupt::happened();
  };
  std::vector<Outcome> outcomes = run_all(setups, plan, watch, processors);
  std::move(outcomes.begin(), outcomes.end(), std::back_inserter(comparison.outcomes));
  return comparison;
}

Status write_page(const std::string& file, const Comparison& comparison) {
  std::ofstream stream(file);
  stream << to_html(comparison);
  stream.flush();
  if (!stream) return errno_error("write " + file);
  return ok();
}

// The table as it is on the screen, in a Markdown file, with the machine that made it.
Status write_report(const std::string& file, const Comparison& comparison) {
  const bench::Machine machine = bench::describe_machine(bench::own_program());
  nlohmann::ordered_json json = to_json(comparison);
  json["machine"] = to_json(machine);
  return bench::write_report(
      file, "Policies, simulated",
      words(machine) + "\n" + comparison.command + "\n\n```text\n" + to_text(comparison) + "```\n",
      json);
}

int replay_file(const Options& options) {
  const auto bytes = read_file(options.replay);
  if (!bytes) return complain(bytes.error());
  auto outcome = replay(*bytes);
  if (!outcome) return complain(std::move(outcome).error().annotate(options.replay));
  if (options.json) {
    const nlohmann::ordered_json json = {{"inputs", outcome->inputs},
                                         {"effects", outcome->effects},
                                         {"digest", hex(outcome->digest)},
                                         {"identical", outcome->difference.empty()},
                                         {"difference", outcome->difference}};
    std::printf("%s\n", json.dump(2).c_str());
  } else if (outcome->difference.empty()) {
    std::printf("identical: %s inputs over %s, %s effects, digest %s\n",
                grouped(outcome->inputs).c_str(), words(outcome->span).c_str(),
                grouped(outcome->effects).c_str(), hex(outcome->digest).c_str());
  } else {
    std::printf("differs first at %s\n", outcome->difference.c_str());
  }
  return outcome->difference.empty() ? kOk : kFailed;
}

int simulate(const Options& options, const std::string& command, std::size_t processors) {
  if (!options.replay.empty()) return replay_file(options);
  const auto subject = make_subject(options);
  if (!subject) return complain(subject.error());
  const auto setups = make_setups(options, *subject);
  if (!setups) return complain(setups.error());
  const Interrupt interrupt;
  const Comparison comparison = compare(
      *setups, subject->plan,
      {command, subject->plan.words, node_words(setups->front()), options.size.seed, subject->live},
      processors);
  std::printf("%s",
              (options.json ? to_json(comparison).dump(2) + "\n" : to_text(comparison)).c_str());
  if (!options.html.empty()) {
    if (const auto written = write_page(options.html, comparison); !written) {
      return complain(written.error());
    }
  }
  if (!options.report.empty()) {
    if (const auto written = write_report(options.report, comparison); !written) {
      return complain(written.error());
    }
  }
  return comparison.interrupted() ? kInterrupted : kOk;
}

}  // namespace

int run_simulate(const std::vector<std::string>& arguments) {
  return run_simulate_on(processors_here(), arguments);
}

int run_simulate_on(std::size_t processors, const std::vector<std::string>& arguments) {
  const auto options = parse_simulate(arguments);
  if (!options && options.error().code == ErrorCode::kCancelled) {
    std::printf("%s", options.error().message.c_str());
    return kOk;
  }
  if (!options) return complain(options.error());
  std::string command = "subito simulate";
  for (const std::string& argument : arguments) command += " " + argument;
  return simulate(*options, command, processors);
}

}  // namespace subito::simulate
