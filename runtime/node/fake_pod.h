// For tests: pods whose far end of the channel is in the test's hands, a home that makes them, and
// a caller that writes down what it is told.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/node/engine.h"

namespace subito::node {

struct ReceivedFrame {
  protocol::FrameHeader header;
  std::string head;
  std::string body;

  template <typename Message>
  Message parse() const {
    Message message;
    message.ParseFromString(head);
    return message;
  }
};

// The pod's end of a channel, spoken by hand.
class FakePod {
 public:
  FakePod(pods::PodSpec pod_spec, UniqueFd channel)
      : spec(std::move(pod_spec)), fd_(std::move(channel)) {}

  void hello(std::uint32_t ahead = 0);
  // All frames that wait in the channel now.
  std::vector<ReceivedFrame> read();
  // The next INVOKE; fails the test when there is none.
  ReceivedFrame expect_invoke();
  void answer(std::uint32_t stream, int status, const std::string& body, bool end = true);
  void send(protocol::FrameType type, std::uint32_t stream,
            const google::protobuf::MessageLite& head, const std::string& body = {},
            bool end = false);
  void body(std::uint32_t stream, const std::string& body, bool end);
  void garbage(const std::string& bytes);
  // Takes the bytes out of the kernel, as a process does that read them before it died.
  void read_all() { read(); }
  void close() { fd_.reset(); }

  pods::PodSpec spec;

 private:
  UniqueFd fd_;
  protocol::FrameParser parser_;
};

class FakeHome final : public pods::PodHome {
 public:
  explicit FakeHome(pods::HomeEvents& events) : events_(events) {}

  Result<pods::StartedPod> start(const pods::PodSpec& spec) override;
  void kill(PodId pod) override { killed.push_back(pod); }
  void ask_where(PodId pod) override { asked.push_back(pod); }
  void share_cpu(PodId pod, std::uint32_t share) override { cpu_shares.emplace_back(pod, share); }
  std::uint64_t memory_bytes(PodId) const override { return 0; }
  pid_t host_pid(PodId) const override { return 0; }
  pods::ReadyPool ready_pool() const override { return {}; }
  // Pods start without; who asks for one has to drop it nevertheless.
  bool keep_template(std::uint64_t key, const pods::PodSpec&, pods::TemplateCallback) override {
    templates.insert(key);
    return false;
  }
  void drop_template(std::uint64_t key) override { templates.erase(key); }

  FakePod& pod(std::size_t index) { return *pods.at(index); }
  // The pod's process ends; its channel closes as the kernel would close it.
  void exit(FakePod& pod, pods::PodExit::Cause cause, int code = 0, std::string message = {});
  void exit(FakePod& pod) { exit(pod, pods::PodExit::Cause::kExited); }
  // To the standard output of the pod that was started as that one.
  void print(std::size_t index, const std::string& text) {
    CHECK(::write(stdio_.at(index).get(), text.data(), text.size()) ==
          static_cast<ssize_t>(text.size()));
  }

  std::vector<std::unique_ptr<FakePod>> pods;  // in order of start
  std::set<std::uint64_t> templates;
  std::vector<PodId> killed;
  std::vector<PodId> asked;
  std::vector<std::pair<PodId, std::uint32_t>> cpu_shares;  // as they were told
  std::optional<Error> refuse_starts;

 private:
  pods::HomeEvents& events_;
  std::vector<UniqueFd> stdio_;
};

struct RecordingCaller final : Caller {
  struct Outcome {
    int status = 0;
    http::Fields fields;
    std::string body;
    bool ended = false;
    int ends = 0;  // of any kind
    bool aborted = false;
    std::optional<Failure> failure;
    Timing timing;
    RateFields rate_fields;
    std::size_t consumed = 0;
  };
  bool on_answer(CallerToken token, Answer&& answer, std::string_view body, bool end) override;
  bool on_answer_body(CallerToken token, std::string_view bytes, bool end) override;
  void on_answer_abort(CallerToken token) override {
    outcomes[token].aborted = true;
    ++outcomes[token].ends;
  }
  void on_failure(CallerToken token, Failure&& failure) override {
    outcomes[token].failure = std::move(failure);
    ++outcomes[token].ends;
  }
  void on_consumed(CallerToken token, std::size_t bytes) override {
    outcomes[token].consumed += bytes;
  }

  std::map<CallerToken, Outcome> outcomes;
  bool accept_bodies = true;  // false: says that its buffers are full
};

struct QuietObserver : EngineObserver {
  void on_started(const Pod&) override {}
  void on_start_failed(const Pod&, const Error&) override {}
  void on_draining(const Pod&, const scheduler::DrainPod&) override {}
  void on_gone(const Pod& pod, const PodGone& end, std::uint64_t, const AtWork& at_work) override {
    gone.push_back(pod.name + " " + end.words);
    at_work_then.push_back(at_work.words);
  }
  void on_probe_gone(const Pod&) override {}
  void on_output(const Pod&, std::string_view line, const AtWork& at_work) override {
    printed.push_back(std::string(line) + " for " + at_work.request_id);
  }
  void on_log(const Pod&, const protocol::Log& log, const AtWork&) override {
    logged.push_back(log.message());
  }
  void on_template(const Revision&, const pods::TemplateView&) override {}
  void on_exception(const Pod&, const protocol::Failure& failure, const AtWork&) override {
    exceptions.push_back(failure.message());
  }
  void on_refused(const Revision&, const Failure&, const AtWork&) override {}

  std::vector<std::string> gone;
  std::vector<std::string> at_work_then;  // of each that is gone
  std::vector<std::string> logged;
  std::vector<std::string> printed;
  std::vector<std::string> exceptions;
};

// An engine on a loop, with fake pods and one function, "echo".
class EngineFixture {
 public:
  static constexpr Duration kPatience = std::chrono::seconds(10);

  EngineFixture();
  ~EngineFixture();

  // Turns the loop until nothing more happens at once.
  void settle();
  // Turns the loop until it is so; false when that takes more than kPatience.
  template <typename Condition>
  bool turn_until(const Condition& condition) {
    bool late = false;
    Timer guard(loop, [&late] { late = true; });
    guard.start(kPatience);
    while (!condition() && !late) loop.turn(true);
    return condition();
  }
  RevisionPtr put(const std::string& name, const manifest::FunctionSpec& spec,
                  std::uint64_t number = 1);
  // Within this turn: the pod hears of it only when the loop goes on.
  InvocationId ask(CallerToken token, const std::string& method, bool body_follows = false,
                   std::optional<Duration> timeout = {});
  InvocationId invoke(CallerToken token, const std::string& method = "GET",
                      bool body_follows = false);
  // Spins until the deadline of what was asked before is over. The loop does not turn.
  void let_pass(Duration duration);
  // A pod of "echo" that said hello and waits.
  FakePod& warm_pod();
  RecordingCaller::Outcome& outcome(CallerToken token) { return caller.outcomes[token]; }

  Loop loop;
  QuietObserver observer;
  Engine engine;
  RecordingCaller caller;
  FakeHome* home;
  FunctionId echo{1};
  std::map<std::string, FunctionId> names;

 private:
  struct NoRequests;
  std::unique_ptr<NoRequests> requests_;
  std::uint64_t last_revision_ = 0;
};

manifest::FunctionSpec plain_spec();

}  // namespace subito::node
