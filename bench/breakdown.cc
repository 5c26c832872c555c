#include "bench/breakdown.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bed.h"
#include "bench/child.h"
#include "bench/figures.h"
#include "bench/interrupt.h"
#include "bench/measures.h"
#include "bench/node_client.h"
#include "bench/pod_request.h"
#include "bench/progress_line.h"
#include "runtime/sandbox/sandbox_harness.h"

namespace subito::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kEndGrace{5};
// Not the users of a node that may run beside it.
constexpr std::uint32_t kUidBase = 900'000;

std::int64_t since(Clock::time_point begin) {
  return std::chrono::nanoseconds(Clock::now() - begin).count();
}

class Breakdown {
 public:
  Breakdown(sandbox::LauncherClient launcher, std::string binary, std::string frames)
      : harness_(std::move(launcher)), binary_(std::move(binary)), frames_(std::move(frames)) {
    harness_.set_artefact(binary_);
    for (std::uint32_t i = 1; i < static_cast<std::uint32_t>(sandbox::Step::kAwaitLaunch); ++i) {
      steps_.push_back({std::string(sandbox::to_string(sandbox::Step(i))), {}});
    }
  }

  struct Kind {
    const char* name;
    Result<std::int64_t> (Breakdown::*start)();
  };
  static const Kind kKinds[];

  // Every kind of start once, a row of `result` each.
  Status round(BreakdownResult& result);
  const std::vector<BreakdownRow>& steps() const { return steps_; }

 private:
  Result<std::int64_t> spawn();
  Result<std::int64_t> fresh() { return fresh_with(false); }
  Result<std::int64_t> fresh_net_reused() { return fresh_with(true); }
  Result<std::int64_t> fresh_with(bool reuse);
  Result<std::int64_t> pooled();
  Status ask(int channel) const;
  Status answered(int channel) const;
  Status end(sandbox::SandboxId id, Status status);

  sandbox::Harness harness_;
  std::string binary_;
  std::string frames_;
  std::vector<BreakdownRow> steps_;
};

const Breakdown::Kind Breakdown::kKinds[] = {{"spawn", &Breakdown::spawn},
                                             {"fresh", &Breakdown::fresh},
                                             {"fresh, net reused", &Breakdown::fresh_net_reused},
                                             {"pooled", &Breakdown::pooled}};

Status Breakdown::round(BreakdownResult& result) {
  for (BreakdownRow& row : result.starts) {
    if (!rest(kBreakdownRest)) return fail(ErrorCode::kCancelled, "rest: interrupted");
    auto took = (this->*kKinds[&row - result.starts.data()].start)();
    if (!took) return std::move(took).error().annotate(row.name);
    row.samples.push_back(*took);
  }
  return ok();
}

Status Breakdown::ask(int channel) const {
  const ssize_t sent = ::send(channel, frames_.data(), frames_.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(frames_.size())) return errno_error("write request");
  return ok();
}

Status Breakdown::answered(int channel) const {
  ASSIGN_OR_RETURN(const FunctionAnswer answer, read_answer(channel));
  if (answer.status == 200) return ok();
  return fail(ErrorCode::kProtocol, "check answer: status " + std::to_string(answer.status) + ": " +
                                        answer.body.substr(0, 200));
}

Result<std::int64_t> Breakdown::spawn() {
  const Clock::time_point begin = Clock::now();
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return errno_error("make socket pair");
  }
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  RETURN_IF_ERROR(ask(ours.get()));
  ASSIGN_OR_RETURN(Child child, start(StartBy::kPosixSpawn, {binary_, {"bench"}}, -1,
                                      {theirs.get(), STDIN_FILENO, STDERR_FILENO}));
  theirs.reset();
  RETURN_IF_ERROR(answered(ours.get()));
  const std::int64_t took = since(begin);
  ours.reset();
  RETURN_IF_ERROR(child.end(kEndGrace));
  return took;
}

Result<std::int64_t> Breakdown::fresh_with(bool reuse) {
  const Clock::time_point begin = Clock::now();
  sandbox::CreateRequest request;
  request.reuse = reuse;
  const sandbox::SandboxId id = harness_.create(request);
  const int channel = harness_.ends(id).channel.get();
  Status asked = ask(channel);
  if (asked) asked = harness_.launch(id, {"bench"});
  if (asked) asked = answered(channel);
  const std::int64_t took = since(begin);
  const sandbox::Created* created = harness_.await_created_or_ended(id);
  for (std::size_t i = 0; created != nullptr && !reuse && i < steps_.size(); ++i) {
    steps_[i].samples.push_back(std::int64_t{created->step_us[i + 1]} * 1000);
  }
  RETURN_IF_ERROR(end(id, std::move(asked)));
  return took;
}

Result<std::int64_t> Breakdown::pooled() {
  sandbox::CreateRequest request;
  request.reuse = true;
  const sandbox::SandboxId id = harness_.create(request);
  if (harness_.await_created_or_ended(id) == nullptr) {
    RETURN_IF_ERROR(end(id, fail(ErrorCode::kUnavailable, "make sandbox")));
  }
  (void)rest(kBreakdownRest);
  const int channel = harness_.ends(id).channel.get();
  const Clock::time_point begin = Clock::now();
  Status asked = ask(channel);
  if (asked) asked = harness_.launch(id, {"bench"});
  if (asked) asked = answered(channel);
  const std::int64_t took = since(begin);
  RETURN_IF_ERROR(end(id, std::move(asked)));
  return took;
}

// Of one that did not answer, what the launcher says of it is the reason.
Status Breakdown::end(sandbox::SandboxId id, Status status) {
  harness_.ends(id).channel.reset();
  const sandbox::Harness::Ended ended = harness_.await_end(id);
  if (status) return ok();
  if (ended.create_failed) {
    return sandbox::step_error(ended.create_failed->step, ended.create_failed->os_errno);
  }
  return status;
}

std::string table(const std::vector<BreakdownRow>& rows) {
  std::string text = "| µs | n | p50 | p90 | p99 |\n|---|--:|--:|--:|--:|\n";
  for (const BreakdownRow& row : rows) {
    const auto at = [&](double fraction) { return percentile_us_text(row.samples, fraction); };
    text += "| " + row.name + " | " + std::to_string(row.samples.size()) + " | " + at(0.5) + " | " +
            at(0.9) + " | " + at(0.99) + " |\n";
  }
  return text;
}

}  // namespace

Result<BreakdownResult> measure_breakdown(const ColdStartOptions& options) {
  if (::geteuid() != 0) {
    return fail(ErrorCode::kFailedPrecondition, "make sandboxes: this needs root; try sudo");
  }
  FunctionRequest request;
  if (!options.binary.empty()) {
    request.method = "GET";
    request.path = options.path;
  }
  ASSIGN_OR_RETURN(const std::string binary, function_binary(options.binary));
  ASSIGN_OR_RETURN(std::string frames, request_frames(request));
  sandbox::LauncherConfig config;
  config.node_id = "bench-" + std::to_string(::getpid());
  config.uid_base = kUidBase;
  ASSIGN_OR_RETURN(sandbox::LauncherClient launcher, sandbox::LauncherClient::start(config));
  Breakdown breakdown(std::move(launcher), binary, std::move(frames));
  BreakdownResult result;
  result.function = binary.substr(binary.rfind('/') + 1);
  for (const Breakdown::Kind& kind : Breakdown::kKinds) result.starts.push_back({kind.name, {}});
  ProgressLine line;
  while (result.rounds < options.count) {
    line.show(format("breakdown: round %u of %u", result.rounds + 1, options.count));
    const Status done = breakdown.round(result);
    result.interrupted = Interrupt::happened();
    if (result.interrupted) break;
    RETURN_IF_ERROR(done);
    ++result.rounds;
  }
  for (const BreakdownRow& step : breakdown.steps()) {
    if (percentile(step.samples, 1) > 0) result.steps.push_back(step);
  }
  return result;
}

nlohmann::ordered_json to_json(const BreakdownResult& result, const Machine& machine,
                               const std::string& command) {
  std::vector<Measure> measures;
  for (const BreakdownRow& row : result.starts) {
    measures.push_back(
        times_measure("start to answer, no node, " + result.function, row.name, row.samples));
  }
  for (const BreakdownRow& row : result.steps) {
    measures.push_back(times_measure("a step of fresh", row.name, row.samples));
  }
  return {{"benchmark", "breakdown"},
          {"command", command},
          {"machine", to_json(machine)},
          {"function", result.function},
          {"rounds", result.rounds},
          {"interrupted", result.interrupted},
          {"measures", measures_json(measures)}};
}

std::string to_text(const BreakdownResult& result, const Machine& machine,
                    const std::string& command) {
  std::string text = words(machine) + "\n" + command + "\n";
  text += format("%u rounds of %s, in turns, after %lld ms of rest each; no node, no HTTP\n\n",
                 result.rounds, result.function.c_str(),
                 static_cast<long long>(kBreakdownRest.count()));
  text += table(result.starts);
  text +=
      "\nSteps of `fresh`, in their order; the network namespace is made beside them, by a process "
      "of\nits own. What is left is the function: exec, its own start, request and answer.\n\n";
  text += table(result.steps);
  if (result.interrupted) text += "\nInterrupted: not all rounds were run.\n";
  return text;
}

}  // namespace subito::bench
