#include "bench/simulate/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

namespace subito::simulate {
namespace {

constexpr std::uint32_t kFunctionsMax = 1'000'000;
constexpr Duration kDurationMax = std::chrono::hours(31 * 24);  // Cpu counts no further

// Parses, or tells the option what is wrong.
template <typename Value>
Value value_or_throw(const char* option, Result<Value> parsed) {
  if (!parsed) throw CLI::ValidationError(option, parsed.error().message);
  return *std::move(parsed);
}

template <typename Value, typename Target>
void add_parsed(CLI::App& app, const char* name, const char* type, const char* help,
                Result<Value> (*parse)(std::string_view), Target& target) {
  app.add_option_function<std::string>(
         name,
         [=, &target](const std::string& text) {
           target = static_cast<Target>(value_or_throw(name, parse(text)));
         },
         help)
      ->type_name(type);
}

// Unless somebody says which: each kind, the fixed one with the keep-alives that clouds have.
constexpr std::array kPoliciesCompared = {"instant", "concurrency", "fixed:idle=60s",
                                          "fixed:idle=600s", "histogram"};

Result<PolicyChoice> parse_policy(const std::string& text) {
  ASSIGN_OR_RETURN(Spec spec, Spec::parse(text));
  PolicyChoice choice;
  choice.name = text;
  ASSIGN_OR_RETURN(const Duration idle, spec.time("idle", Duration(-1)));
  if (idle >= Duration::zero()) choice.idle = idle;
  RETURN_IF_ERROR(spec.finish());
  std::string names;
  for (const autoscaler::PolicyKind kind : autoscaler::kPolicyKinds) {
    choice.kind = kind;
    if (to_string(kind) == spec.name()) return choice;
    names += (names.empty() ? "" : ", ") + std::string(to_string(kind));
  }
  return fail(ErrorCode::kInvalidArgument,
              "is '" + text + "', allowed is " + names + ", each with :idle=TIME behind it or not");
}

void add_workload_options(CLI::App& app, Options& options) {
  app.add_option("--workload", options.workload,
                 "who calls what: azure-2019, azure-2021, or a shape of one rate: constant and "
                 "poisson:rate=100; step:rate=,to=,at=; burst:rate=,peak=,every=,for=; "
                 "sine:rate=,amplitude=,period=; on-off:rate=,on=,off=. Each shape also takes "
                 "service=20ms, sigma=0 and memory=128MB. Or two functions on a node like that of "
                 "`subito up`: calls:rate=50 or at-once=,every=10s, with service=20ms, before=0.5, "
                 "stock=5ms: checkouts that wait for stock when half of theirs is done; "
                 "flood:rate=10,factor=10,service=20ms,flood-service=: `quiet` at its rate, and "
                 "`flood` at factor times what --cores can do. Both take memory=128MB")
      ->type_name("NAME[:KEY=VALUE,...]")
      ->capture_default_str();
  app.add_option("--trace-2019", options.trace_2019,
                 "Azure's trace of 2019 instead: its folder, or files of it by name")
      ->type_name("FOLDER|FILE");
  app.add_option("--trace-2021", options.trace_2021, "Azure's trace of 2021 instead")
      ->type_name("FILE");
  app.add_option("--recorded", options.recorded,
                 "the calls that `subito up --record FILE` wrote instead, with the live node's own "
                 "figures beside")
      ->type_name("FILE");
  add_parsed(app, "--functions", "N",
             "functions that are called (azure-2019: 200, azure-2021: 424, shapes: 1)", parse_count,
             options.size.functions);
  add_parsed(app, "--calls", "N", "about how many calls in all; for azure-2019 and azure-2021",
             parse_count, options.size.calls);
  add_parsed(app, "--duration", "TIME",
             "how long they are called, 31d at most (azure-2019: 1d, azure-2021: 14d, shapes: 10m, "
             "calls and "
             "flood: 1m)",
             parse_time, options.size.duration);
  app.add_option("--seed", options.size.seed, "of everything that is drawn")->capture_default_str();
}

void add_node_options(CLI::App& app, Options& options) {
  app.add_option(
         "--cold-start", options.cold_start,
         "what a pod takes to start (1ms, or as recorded): 1ms, lognormal:median=1ms,sigma=0.4, "
         "lognormal:mean=3s,sd=7s, huawei-2025, or report:FILE,column=pooled, the JSON of "
         "`subito bench cold-start --report`")
      ->type_name("TIME|DISTRIBUTION");
  app.add_flag("--grid", options.grid, "each policy with cold starts of 1, 10, 100, 250, 2000 ms");
  app.add_option("--cores", options.cores, "of the node; 0: always enough")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--share-cores",
         [&options](const std::string& by) { options.cores_by_function = by == "functions"; },
         "cores that are short: shared by functions, each by its weight as live, or by pods, all "
         "alike (calls and flood: functions, else pods)")
      ->check(CLI::IsMember({"functions", "pods"}));
  add_parsed(app, "--memory", "SIZE",
             "of the node: it holds as many pods of mean size; else always enough", parse_memory,
             options.memory_bytes);
  add_parsed(app, "--pods", "N",
             "that the node holds, instead of --memory (calls and flood: 256, as `subito up`)",
             parse_count, options.pods);
  add_parsed(app, "--starts", "N",
             "pods that start at once (4 a core; always enough without --cores)", parse_count,
             options.starts);
  add_parsed(app, "--max", "N",
             "pods of one function (as many as the node holds; calls and flood: three quarters)",
             parse_count, options.pods_max);
  app.add_option("--concurrency", options.concurrency, "calls that a pod takes at once")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  add_parsed(
      app, "--start-cpu", "TIME",
      "of a start: what of it is work on a core, so that it takes longer when they are short "
      "(none)",
      parse_time, options.start_cpu);
  add_parsed(app, "--timeout", "TIME",
             "of a call, waiting included (calls and flood: 30s, else none)", parse_time,
             options.timeout);
  add_parsed(app, "--idle", "TIME",
             "how long idle pods stay, where the policy asks (30s, or as recorded)", parse_time,
             options.idle);
}

struct Parser {
  Parser() {
    app.set_help_flag("-h,--help", "this help");
    add_workload_options(app, options);
    app.add_option_function<std::vector<std::string>>(
           "--policy",
           [this](const std::vector<std::string>& texts) {
             for (const std::string& text : texts) {
               options.policies.push_back(value_or_throw("--policy", parse_policy(text)));
             }
           },
           "policies to compare (each, fixed with 60s and 600s): NAME or NAME:idle=TIME, where "
           "that "
           "is not --idle's")
        ->delimiter(',')
        ->type_name("NAME[:idle=TIME],...");
    add_node_options(app, options);
    app.add_option("--replay", options.replay,
                   "instead of all that: does the scheduler decide again what `subito up --record "
                   "FILE` wrote? 1: it does not")
        ->type_name("FILE");
    app.add_option_function<std::string>(
           "-o,--output", [this](const std::string& form) { options.json = form == "json"; },
           "table for people, json for programs")
        ->check(CLI::IsMember({"table", "json"}));
    app.add_option("--html", options.html, "also write a page with plots")->type_name("FILE");
    app.add_option("--report", options.report, "also write FILE.md, and FILE.json beside it")
        ->type_name("FILE");
  }
  CLI::App app{"Replay a workload through the scheduler, faster than life, and compare policies",
               "subito simulate"};
  Options options;
};

Status check(const Options& options) {
  const auto no = [](const char* words) { return fail(ErrorCode::kInvalidArgument, words); };
  if (!options.trace_2019.empty() + !options.trace_2021.empty() + !options.recorded.empty() > 1) {
    return no("--trace-2019, --trace-2021, --recorded: only one of them");
  }
  if (options.memory_bytes > 0 && options.pods > 0) return no("--memory, --pods: only one of them");
  if (options.size.functions > kFunctionsMax) return no("--functions: 1000000 at most");
  if (options.size.duration > kDurationMax) return no("--duration: 31d at most");
  return ok();
}

}  // namespace

void see_simulate(const std::function<void(CLI::App&)>& see) {
  Parser parser;
  see(parser.app);
}

Result<Options> parse_simulate(std::vector<std::string> arguments) {
  Parser parser;
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  try {
    parser.app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    return Error{ErrorCode::kCancelled, parser.app.help(), 0};
  } catch (const CLI::ParseError& error) {
    return Error{ErrorCode::kInvalidArgument, error.what(), 0};
  }
  Options options = std::move(parser.options);
  RETURN_IF_ERROR(check(options));
  if (options.policies.empty()) {
    for (const char* text : kPoliciesCompared) {
      ASSIGN_OR_RETURN(PolicyChoice choice, parse_policy(text));
      options.policies.push_back(std::move(choice));
    }
  }
  return options;
}

}  // namespace subito::simulate
