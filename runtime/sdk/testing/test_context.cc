// TestContext: what a handler asks for, from the test instead of the node.
#include <sys/socket.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <stdexcept>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/unique_fd.h"
#include "runtime/sdk/include/subito/testing.h"
#include "runtime/sdk/logger.h"
#include "runtime/sdk/refusals.h"
#include "runtime/sdk/testing/bodies.h"
#include "runtime/sdk/testing/clock.h"
#include "runtime/sdk/testing/fake_redis.h"
#include "runtime/sdk/testing/real_redis.h"

namespace subito::testing {
namespace {

// Keeps the records.
class RecordingLogger final : public Logger {
 public:
  std::vector<LogRecord> records;

 private:
  void write(int level, std::string_view message, Fields fields) override {
    LogRecord record{std::string(sdk::level_name(level)), std::string(message), {}};
    for (const auto& [name, value] : fields) record.fields.emplace(name, value);
    records.push_back(std::move(record));
  }
};

// A tcp binding: the ends that connect() gives out, and what it says when there are none.
struct Line {
  std::deque<UniqueFd> ends;
  std::string reason = "Connection refused";
};

Response answer_call(const TestContext::Callee& callee, const Request& request) {
  try {
    const Response response = callee(request);
    return as_received(request, response, body_of(response));
  } catch (const HttpError& error) {
    return Response::problem(error.status(), error.type(), error.what());
  }
}

// A call whose answer is known, and comes once the clock is there.
class AnsweredCall final : public PendingCall::UnderWay {
 public:
  AnsweredCall(TestClock& clock, const TestContext::Callee& callee, const Request& request)
      : clock_(clock) {
    const auto begun = clock.now();
    try {
      response_ = answer_call(callee, request);
    } catch (...) {
      failure_ = std::current_exception();
    }
    comes_ = clock.now();
    clock.set(begun);
  }

  bool wait_for(std::chrono::milliseconds time) override {
    clock_.throw_if_over();
    const auto longest = clock_.time_left() + std::chrono::milliseconds(1);
    const auto until = clock_.now() + std::min(time, longest);
    const bool comes = comes_ <= until;
    clock_.set(comes ? std::max(comes_, clock_.now()) : until);
    clock_.throw_if_over();
    return comes;
  }

  Response take() override {
    clock_.set(std::max(comes_, clock_.now()));
    if (failure_) std::rethrow_exception(failure_);
    clock_.throw_if_over();
    return std::move(response_);
  }

 private:
  TestClock& clock_;
  TestClock::Time comes_;
  Response response_;
  std::exception_ptr failure_;
};

}  // namespace

class TestContext::Inside {
 public:
  explicit Inside(ContextOptions given) : options(std::move(given)), clock(options.timeout) {}

  TestRedis& redis_of(std::string_view name) const {
    const auto found = redis.find(name);
    if (found == redis.end()) refuse("redis", name);
    return *found->second;
  }
  [[noreturn]] void refuse(const char* kind, std::string_view name) const {
    std::vector<std::pair<std::string_view, const char*>> others;
    for (const auto& binding : redis) others.emplace_back(binding.first, "redis");
    for (const auto& line : lines) others.emplace_back(line.first, "tcp");
    sdk::refuse_binding(kind, name, sdk::words_of_bindings(others));
  }
  std::string prefix_or_default(const std::string& prefix) const {
    return prefix.empty() ? options.function + ":" : prefix;
  }
  TestRedis& add(const std::string& name, std::unique_ptr<TestRedis> binding) {
    return *(redis[name] = std::move(binding));
  }

  ContextOptions options;
  TestClock clock;
  RecordingLogger logger;
  std::map<std::string, Callee, std::less<>> callees;
  std::vector<RecordedCall> calls;
  std::map<std::string, std::unique_ptr<TestRedis>, std::less<>> redis;
  std::map<std::string, Line, std::less<>> lines;
  std::vector<std::unique_ptr<FarEnd>> far_ends;
};

TestContext::TestContext(ContextOptions options)
    : inside_(std::make_unique<Inside>(std::move(options))) {}

TestContext::~TestContext() = default;

std::chrono::steady_clock::time_point TestContext::now() const {
  return inside_->clock.now();
}

void TestContext::advance(std::chrono::nanoseconds time) {
  inside_->clock.advance(time);
}

void TestContext::cancel() {
  inside_->clock.cancel();
}

void TestContext::on_call(const std::string& function, Callee callee) {
  inside_->callees[function] = std::move(callee);
}

void TestContext::fail_call(const std::string& function, const std::string& type,
                            const std::string& reason) {
  on_call(function, [=](const Request&) -> Response {
    throw CallError(type, "call " + function + ": " + reason);
  });
}

const std::vector<RecordedCall>& TestContext::calls() const {
  return inside_->calls;
}

Redis& TestContext::add_redis(const std::string& name, const std::string& prefix) {
  return inside_->add(
      name, std::make_unique<FakeRedis>(name, inside_->prefix_or_default(prefix), inside_->clock));
}

Redis& TestContext::use_redis(const std::string& name, const std::string& address,
                              const std::string& prefix) {
  auto endpoint = sdk::parse_endpoint(address, 6379);
  if (!endpoint) throw std::invalid_argument("use Redis " + name + ": " + endpoint.error().message);
  return inside_->add(name, std::make_unique<RealRedis>(name, inside_->prefix_or_default(prefix),
                                                        inside_->clock, *std::move(endpoint)));
}

void TestContext::redis_fails(const std::string& name, const std::string& reason) {
  inside_->redis_of(name).fail(reason);
}

void TestContext::redis_recovers(const std::string& name) {
  inside_->redis_of(name).recover();
}

std::vector<std::string> TestContext::redis_keys(const std::string& name) const {
  auto keys = inside_->redis_of(name).keys();
  if (!keys) throw std::out_of_range("list keys of Redis " + name + ": it is a real one");
  return *std::move(keys);
}

FarEnd& TestContext::add_connection(const std::string& name) {
  int ends[2];
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  inside_->lines[name].ends.emplace_back(ends[0]);
  inside_->far_ends.push_back(std::make_unique<FarEnd>(ends[1]));
  return *inside_->far_ends.back();
}

void TestContext::connect_fails(const std::string& name, const std::string& reason) {
  Line& line = inside_->lines[name];
  line.ends.clear();
  line.reason = reason;
}

const std::vector<LogRecord>& TestContext::logs() const {
  return inside_->logger.records;
}

std::chrono::steady_clock::time_point TestContext::deadline() const {
  return inside_->clock.deadline();
}

std::chrono::milliseconds TestContext::time_left() const {
  return inside_->clock.time_left();
}

bool TestContext::cancelled() {
  return inside_->clock.over();
}

const std::string& TestContext::request_id() const {
  return inside_->options.request_id;
}

const std::string& TestContext::traceparent() const {
  return inside_->options.traceparent;
}

const std::string& TestContext::function() const {
  return inside_->options.function;
}

const std::string& TestContext::pod() const {
  return inside_->options.pod;
}

Logger& TestContext::log() {
  return inside_->logger;
}

std::optional<std::string> TestContext::setting(std::string_view name) const {
  const auto found = settings.find(name);
  return found == settings.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> TestContext::secret(std::string_view name, std::string_view key) const {
  std::string wanted(name);
  if (key != "value") wanted.append("/").append(key);
  const auto found = secrets.find(wanted);
  return found == secrets.end() ? std::nullopt : std::optional(found->second);
}

Redis& TestContext::redis(std::string_view binding) {
  return inside_->redis_of(binding);
}

int TestContext::connect(std::string_view binding) {
  const auto line = inside_->lines.find(binding);
  if (line == inside_->lines.end()) inside_->refuse("tcp", binding);
  inside_->clock.throw_if_over();
  auto& ends = line->second.ends;
  if (ends.empty()) {
    throw std::runtime_error("connect " + std::string(binding) + ": " + line->second.reason);
  }
  const int fd = ends.front().release();
  ends.pop_front();
  return fd;
}

PendingCall TestContext::start_call(std::string_view function, const Request& request) {
  TestClock& clock = inside_->clock;
  clock.throw_if_over();
  const std::string name(function);
  const std::string mark = request.query_string().empty() ? "" : "?";
  inside_->calls.push_back({name, request.method(), request.path() + mark + request.query_string(),
                            request.headers(), request.body()});
  const auto found = inside_->callees.find(function);
  const Callee callee = found != inside_->callees.end()
                            ? found->second  // a copy: it may put another in its place
                            : [&](const Request&) -> Response {
    throw CallError("forbidden", "call " + name + ": " + sdk::may_not_call(this->function(), name));
  };
  return PendingCall(std::make_unique<AnsweredCall>(clock, callee, request));
}

}  // namespace subito::testing
