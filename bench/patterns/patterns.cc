#include "bench/patterns/patterns.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>

#include "bench/figures.h"
#include "bench/interrupt.h"
#include "bench/kit/process_tree.h"
#include "bench/node_client.h"
#include "bench/patterns/change.h"
#include "bench/patterns/killed.h"
#include "bench/patterns/memory.h"
#include "bench/patterns/neighbour.h"
#include "bench/patterns/running.h"
#include "bench/patterns/starts.h"
#include "bench/private_node.h"
#include "bench/progress_line.h"
#include "bench/temp_folder.h"

namespace subito::bench {

namespace {

constexpr std::uint32_t kUps = 3;
constexpr std::uint32_t kStarts = 20;
constexpr std::uint32_t kQuickStarts = 3;
constexpr std::uint32_t kInstances = 10;
constexpr std::uint32_t kQuickInstances = 3;
constexpr std::chrono::seconds kIdleSettle{3};
constexpr std::chrono::seconds kIdleCpuWatch{2};
constexpr std::chrono::seconds kQuickIdle{1};  // each of the two

// One thing that is measured, and what it takes by experience.
struct Step {
  std::string pattern;
  std::string what;
  double seconds = 0;
  std::function<Status()> run;
};

Status nothing_measured() {
  return fail(ErrorCode::kCancelled, "measure patterns: interrupted");
}

class PatternsRun {
 public:
  PatternsRun(const PatternsOptions& options, Site site, PatternsResult& result)
      : options_(options), site_(std::move(site)), result_(result) {}

  void run() {
    plan();
    for (const Step& step : steps_) seconds_left_ += step.seconds;
    for (std::size_t number = 0; number < steps_.size() && !Interrupt::happened(); ++number) {
      const Step& step = steps_[number];
      seconds_left_ -= step.seconds;
      show(step.pattern + ": " + step.what, step.seconds);
      if (lost_.contains(step.pattern)) continue;
      note(step.pattern, step.what, step.run());
    }
    result_.interrupted = Interrupt::happened();
  }

 private:
  void show(const std::string& words, double seconds) {
    line_.show(format("%s; about %.0f s left", words.c_str(), seconds_left_ + seconds));
  }

  // What became of something that was tried.
  void note(const std::string& pattern, const std::string& what, const Status& status) {
    if (status || Interrupt::happened()) return;
    const bool there_is_none = status.error().code == ErrorCode::kNotFound;
    (there_is_none ? result_.left_out : result_.faults)
        .push_back({pattern, what, status.error().message});
  }

  bool asked_for(const PatternKind& kind) const {
    const std::vector<std::string>& only =
        options_.only.empty() ? (options_.quick ? kQuickPatterns : kPatternNumbers) : options_.only;
    return std::find(only.begin(), only.end(), std::string(1, kind.name[0])) != only.end();
  }

  void add(const PatternKind& kind, const std::string& what, double seconds,
           std::function<Status()> run) {
    steps_.push_back({kind.name, what, seconds, std::move(run)});
  }

  // `measure` of each that is up, the emulated one apart.
  void add_for_each(const std::string& what, double seconds,
                    const std::function<Status(Running&)>& measure) {
    for (const PatternKind* kind : kinds_) {
      add(*kind, what, seconds, [this, kind, measure] { return measure(*up_.at(kind->name)); });
    }
  }

  void plan() {
    const bool thorough = !options_.quick;
    for (const PatternKind& kind : kPatternKinds) {
      if (asked_for(kind) && std::string_view(kind.name) != kVm) kinds_.push_back(&kind);
    }
    for (const PatternKind* kind : kinds_) {
      add(*kind, "bring up", up_seconds(*kind), [this, kind] { return bring_up(*kind); });
    }
    add_for_each("artefact", 0.1,
                 [this](Running& one) { return measure_artefact(one, result_.book); });
    add_for_each("idle", 6, [this](Running& one) { return idle(one); });
    if (!kinds_.empty()) plan_reads();
    if (thorough) {
      add_for_each("neighbour", 18, [this](Running& one) { return neighbour(one); });
    }
    add_for_each("kill", 3, [this](Running& one) { return measure_kill(one, result_.book); });
    add_for_each("start", thorough ? 15 : 4, [this](Running& one) { return starts(one); });
    if (options_.build && thorough) {
      add_for_each("change", 25,
                   [this](Running& one) { return measure_change(one, result_.book); });
    }
    add_for_each("instances", 7, [this](Running& one) {
      return measure_instances(one, result_.instances, result_.book);
    });
    plan_apart();
    plan_oci();
  }

  static double up_seconds(const PatternKind& kind) {
    return std::string_view(kind.name) == kContainers ? 20 : 2;
  }

  void plan_reads() {
    const double slices = 2 * slices_of(kinds_.size(), options_.rounds);
    const double seconds = slices * std::chrono::duration<double>(options_.slice).count();
    steps_.push_back({"all", "warm reads", seconds, [this] { return reads(); }});
  }

  void plan_apart() {
    for (const PatternKind& kind : kPatternKinds) {
      if (!asked_for(kind) || std::string_view(kind.name) != kVm) continue;
      add(kind, "bring up", 90, [this, &kind] { return bring_up(kind); });
      add(kind, "measure", 15, [this, &kind] { return alone(*up_.at(kind.name)); });
      add(kind, "take down", 5, [this, &kind] {
        up_.erase(kind.name);
        return ok();
      });
    }
  }

  void plan_oci() {
    const auto is = [](const char* name) {
      return [name](const PatternKind* kind) { return std::string_view(kind->name) == name; };
    };
    if (std::none_of(kinds_.begin(), kinds_.end(), is(kContainers))) return;
    const auto host = std::find_if(kinds_.begin(), kinds_.end(), is(kReference));
    if (host == kinds_.end()) {
      result_.left_out.push_back({kContainers, "start, runc, crun and podman",
                                  "they ask the Redis of 2-processes, which is not measured"});
      return;
    }
    add(**host, "start, runc, crun and podman", 10, [this] { return oci(*up_.at(kReference)); });
  }

  Status bring_up(const PatternKind& kind) {
    const Status status = try_bring_up(kind);
    if (!status) lost_.insert(kind.name);
    return status;
  }

  Status try_bring_up(const PatternKind& kind) {
    if (const std::string reason = why_not(kind, site_); !reason.empty()) {
      return fail(ErrorCode::kNotFound, reason);
    }
    const bool containers = std::string_view(kind.name) == kContainers;
    if (containers) {
      auto daemon = Daemon::start(site_.states + "/bench-docker");
      // It is installed, but this machine does not let it run.
      if (!daemon) return fail(ErrorCode::kNotFound, daemon.error().message);
      daemon_.emplace(*std::move(daemon));
    }
    const bool once = options_.quick || containers || std::string_view(kind.name) == kVm;
    for (std::uint32_t round = 0; round < (once ? 1 : kUps); ++round) {
      up_.erase(kind.name);
      const std::uint16_t port = free_ports(next_port_, kPortsPerPattern);
      next_port_ = static_cast<std::uint16_t>(port + kPortsPerPattern);
      ASSIGN_OR_RETURN(auto running,
                       Running::up(kind, site_, port, containers ? &*daemon_ : nullptr));
      result_.book.add(kind.name, metric::kUp,
                       std::chrono::duration<double, std::milli>(running->took()).count());
      if (running->emulated()) result_.apart.push_back(kind.name);
      up_[kind.name] = std::move(running);
    }
    return ok();
  }

  Status idle(Running& one) {
    const std::string name = one.kind().name;
    if (name == kServerless) {
      ASSIGN_OR_RETURN(NodeClient api,
                       NodeClient::connect(own_program(), one.state() + "/api.sock"));
      RETURN_IF_ERROR(api.await_zero(1));
    }
    if (!rest(options_.quick ? kQuickIdle : kIdleSettle)) return nothing_measured();
    const std::vector<pid_t> roots = one.roots();
    const std::chrono::seconds watch = options_.quick ? kQuickIdle : kIdleCpuWatch;
    const CpuMeter meter(roots);
    if (!rest(watch)) return nothing_measured();
    const double cpu = std::chrono::duration<double>(meter.used().time).count();
    result_.book.add(name, metric::kIdleCpu,
                     100 * cpu / std::chrono::duration<double>(watch).count());
    result_.book.add(name, metric::kIdleMemory, static_cast<double>(memory_of(roots)) / 1e6);
    return ok();
  }

  ReadPlan read_plan() const {
    return {{options_.rounds, options_.slice, result_.seed},
            options_.connections,
            static_cast<double>(options_.per_second)};
  }

  Status reads() {
    std::vector<const Running*> all;
    for (const PatternKind* kind : kinds_) {
      if (const auto found = up_.find(kind->name); found != up_.end()) {
        all.push_back(found->second.get());
      }
    }
    if (all.empty()) return ok();
    const double slice = std::chrono::duration<double>(options_.slice).count();
    const auto progress = [&](const std::string& name, std::uint32_t left) {
      show("warm reads: " + name, slice * left);
    };
    ASSIGN_OR_RETURN(result_.reads, measure_reads(all, read_plan(), result_.book, progress));
    if (result_.reads.errors == 0) return ok();
    return fail(ErrorCode::kProtocol, result_.reads.first_error);
  }

  Status neighbour(Running& one) {
    ASSIGN_OR_RETURN(const TrafficResult traffic,
                     measure_neighbour(one, options_.per_second, result_.book));
    if (traffic.errors == 0) return ok();
    return fail(ErrorCode::kProtocol, traffic.first_error);
  }

  Status starts(Running& one) {
    return take_ways(
        std::string_view(one.kind().name) == kContainers ? container_ways(one) : start_ways(one),
        one.kind().name);
  }

  Status oci(Running& host) {
    ASSIGN_OR_RETURN(const TempFolder folder, TempFolder::make());
    return take_ways(oci_ways(host, folder.path()), kContainers);
  }

  // One that fails does not keep the others from being measured.
  Status take_ways(const StartWays& ways, const std::string& pattern) {
    for (const MissingWay& missing : ways.missing) {
      result_.left_out.push_back({pattern, "start, " + missing.variant, missing.reason});
    }
    for (const StartWay& way : ways.ways) {
      if (Interrupt::happened()) break;
      show(pattern + ": start, " + way.variant, 0);
      const std::uint32_t count = options_.quick ? kQuickStarts : kStarts;
      note(pattern, "start, " + way.variant, measure_way(way, pattern, count, result_.book));
    }
    return ok();
  }

  Status alone(Running& one) {
    RETURN_IF_ERROR(measure_artefact(one, result_.book));
    RETURN_IF_ERROR(idle(one));
    ASSIGN_OR_RETURN(const ReadRun run, measure_reads_alone(one, read_plan(), result_.book));
    if (run.errors == 0) return ok();
    return fail(ErrorCode::kProtocol, run.first_error);
  }

  const PatternsOptions& options_;
  const Site site_;
  PatternsResult& result_;
  ProgressLine line_;
  std::vector<const PatternKind*> kinds_;  // measured beside each other
  std::vector<Step> steps_;
  std::set<std::string> lost_;  // patterns that did not come up
  double seconds_left_ = 0;
  std::uint16_t next_port_ = kFirstPort;
  std::optional<Daemon> daemon_;                        // outlives its pattern
  std::map<std::string, std::unique_ptr<Running>> up_;  // by name
};

}  // namespace

Result<PatternsResult> measure_patterns(const PatternsOptions& options) {
  PatternsResult result;
  result.options = options;
  result.seed = options.seed ? *options.seed : std::random_device()();
  result.instances = options.quick ? kQuickInstances : kInstances;
  ASSIGN_OR_RETURN(const Site site, find_site(options.checkout));
  ASSIGN_OR_RETURN(result.prices, read_prices(options.prices.empty()
                                                  ? site.checkout + "/bench/patterns/prices.yaml"
                                                  : options.prices));
  ASSIGN_OR_RETURN(const UniqueFd held, hold_site(site));
  PatternsRun(options, site, result).run();
  return result;
}

}  // namespace subito::bench
