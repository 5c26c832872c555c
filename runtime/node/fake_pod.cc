#include "runtime/node/fake_pod.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/check.h"

namespace subito::node {

using protocol::FrameType;

void FakePod::hello(std::uint32_t ahead) {
  protocol::Hello head;
  head.set_sdk("fake");
  head.set_ahead(ahead);
  send(FrameType::kHello, 0, head);
}

std::vector<ReceivedFrame> FakePod::read() {
  char buffer[65536];
  ssize_t n = 0;
  while ((n = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
    parser_.feed({buffer, static_cast<std::size_t>(n)});
  }
  std::vector<ReceivedFrame> frames;
  while (true) {
    auto frame = parser_.next();
    CHECK(frame);
    if (!frame->has_value()) return frames;
    frames.push_back({(*frame)->header, std::string((*frame)->head), std::string((*frame)->body)});
  }
}

ReceivedFrame FakePod::expect_invoke() {
  for (ReceivedFrame& frame : read()) {
    if (frame.header.type == FrameType::kInvoke) return frame;
  }
  ADD_FAILURE() << "no INVOKE came";
  return {};
}

void FakePod::answer(std::uint32_t stream, int status, const std::string& body, bool end) {
  protocol::Result head;
  head.set_status(static_cast<std::uint32_t>(status));
  send(FrameType::kResult, stream, head, body, end);
}

void FakePod::send(FrameType type, std::uint32_t stream, const google::protobuf::MessageLite& head,
                   const std::string& body, bool end) {
  std::string bytes;
  CHECK(protocol::append_frame(bytes, type, stream, head, body, end));
  garbage(bytes);
}

void FakePod::body(std::uint32_t stream, const std::string& body, bool end) {
  std::string bytes;
  protocol::append_frame(bytes, FrameType::kBody, stream, body, end);
  garbage(bytes);
}

void FakePod::garbage(const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = ::send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    CHECK(n > 0);
    sent += static_cast<std::size_t>(n);
  }
}

Result<pods::StartedPod> FakeHome::start(const pods::PodSpec& spec) {
  if (refuse_starts) return *refuse_starts;
  int channel[2];
  int stdio[2];
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) == 0);
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stdio) == 0);
  ::fcntl(channel[0], F_SETFL, O_NONBLOCK);
  ::fcntl(stdio[0], F_SETFL, O_NONBLOCK);
  pods.push_back(std::make_unique<FakePod>(spec, UniqueFd(channel[1])));
  stdio_.emplace_back(stdio[1]);
  return pods::StartedPod{UniqueFd(channel[0]), UniqueFd(stdio[0]), spec.mode};
}

void FakeHome::exit(FakePod& pod, pods::PodExit::Cause cause, int code, std::string message) {
  pod.close();
  pods::PodExit exit;
  exit.pod = pod.spec.id;
  exit.cause = cause;
  exit.code = code;
  exit.message = std::move(message);
  events_.on_pod_exited(exit);
}

bool RecordingCaller::on_answer(CallerToken token, Answer&& answer, std::string_view body,
                                bool end) {
  Outcome& outcome = outcomes[token];
  outcome.status = answer.head.status;
  outcome.timing = answer.timing;
  outcome.rate_fields = answer.rate_fields;
  outcome.fields = std::move(answer.head.fields);
  return on_answer_body(token, body, end);
}

bool RecordingCaller::on_answer_body(CallerToken token, std::string_view bytes, bool end) {
  outcomes[token].body += bytes;
  outcomes[token].ended = end;
  if (end) ++outcomes[token].ends;
  return accept_bodies;
}

struct EngineFixture::NoRequests final : PodRequestHandler {
  Status on_request_frame(Pod&, const protocol::Frame&) override { return ok(); }
  void on_request_window(Pod&, std::uint32_t) override {}
  void on_requester_gone(PodId) override {}
};

manifest::FunctionSpec plain_spec() {
  manifest::FunctionSpec spec;
  spec.set_timeout_ms(30'000);
  spec.set_concurrency(1);
  spec.set_body_bytes_max(16 << 20);
  spec.mutable_scaling()->set_min(0);
  spec.mutable_scaling()->set_max(20);
  spec.mutable_scaling()->set_idle_ms(30'000);
  spec.mutable_scaling()->set_queue_limit(1000);
  spec.mutable_resources()->set_memory_bytes(128 << 20);
  spec.mutable_resources()->set_pids(64);
  return spec;
}

EngineFixture::EngineFixture()
    : engine(loop, scheduler::NodeLimits(), observer), requests_(std::make_unique<NoRequests>()) {
  auto fake = std::make_unique<FakeHome>(engine.pods().home_events());
  home = fake.get();
  engine.pods().set_home(std::move(fake));
  engine.set_request_handler(*requests_);
  put("echo", plain_spec());
}

EngineFixture::~EngineFixture() = default;

void EngineFixture::settle() {
  for (int turn = 0; turn < 10; ++turn) loop.turn(false);
}

RevisionPtr EngineFixture::put(const std::string& name, const manifest::FunctionSpec& spec,
                               std::uint64_t number) {
  manifest::Function function;
  function.mutable_metadata()->set_name(name);
  *function.mutable_spec() = spec;
  const FunctionId id = names.try_emplace(name, FunctionId(names.size() + 1)).first->second;
  RevisionPtr revision =
      make_revision(id, RevisionId(++last_revision_), number, function, {"hash", "/bin/" + name});
  engine.put_function(revision);
  settle();
  return revision;
}

InvocationId EngineFixture::ask(CallerToken token, const std::string& method, bool body_follows,
                                std::optional<Duration> timeout) {
  Invocation invocation;
  invocation.function = echo;
  invocation.method = method;
  invocation.path = "/";
  invocation.body_follows = body_follows;
  invocation.request_id = "r" + std::to_string(token);
  invocation.timeout = timeout;
  return engine.invoke(caller, token, std::move(invocation));
}

InvocationId EngineFixture::invoke(CallerToken token, const std::string& method,
                                   bool body_follows) {
  const InvocationId id = ask(token, method, body_follows);
  settle();
  return id;
}

void EngineFixture::let_pass(Duration duration) {
  const TimePoint until = loop.now() + duration;
  while (loop.now() <= until) continue;
}

FakePod& EngineFixture::warm_pod() {
  invoke(1'000'000);
  FakePod& pod = home->pod(0);
  pod.hello();
  settle();
  pod.answer(pod.expect_invoke().header.stream, 200, "");
  settle();
  return pod;
}

}  // namespace subito::node
