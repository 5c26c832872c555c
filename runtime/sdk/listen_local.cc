#include "runtime/sdk/listen_local.h"

#include <exception>
#include <utility>

#include "runtime/sdk/access.h"
#include "runtime/sdk/answer.h"
#include "runtime/sdk/refusals.h"

namespace subito::sdk {
namespace {

// Its answer is there already.
class CallThatIsOver final : public PendingCall::UnderWay {
 public:
  explicit CallThatIsOver(ListenContext& caller) : caller_(caller) {}

  void run(ListenService& service, ListenFunction& callee, const Request& request) {
    RunIds ids{std::string(request.header("x-request-id").value_or("")),
               std::string(request.header("traceparent").value_or(""))};
    try {
      response_ =
          LocalRun(service, callee, std::move(ids), caller_.deadline(), &caller_).run(request);
    } catch (const CallError&) {
      failure_ = std::current_exception();
    }
  }

  bool wait_for(std::chrono::milliseconds) override {
    throw_if_over();
    return true;
  }
  Response take() override {
    throw_if_over();
    if (failure_) std::rethrow_exception(failure_);
    return std::move(response_);
  }

 private:
  void throw_if_over() const {
    if (caller_.cancelled()) throw Cancelled("the invocation is over");
  }

  ListenContext& caller_;
  Response response_;
  std::exception_ptr failure_;
};

}  // namespace

class LocalRun::Writer final : public BodyWriter {
 public:
  Writer(LocalRun& run, std::string& body) : run_(run), body_(body) {}

  void write(std::string_view bytes) override {
    if (run_.cancelled()) throw Cancelled(kWasCancelled);
    if (body_.size() + bytes.size() > Request::kBodyBytesMax) {
      throw CallError("answer-too-large",
                      "call " + run_.function() + ": the answer is over 16 MiB");
    }
    body_ += bytes;
  }

 private:
  LocalRun& run_;
  std::string& body_;
};

LocalRun::LocalRun(ListenService& service, ListenFunction& callee, RunIds ids,
                   ListenDeadline deadline, ListenContext* caller)
    : ListenContext(service, callee, std::move(ids), caller),
      deadline_(deadline),
      caller_(caller) {}

bool LocalRun::cancelled() {
  if (caller_ != nullptr) return caller_->cancelled();
  return std::chrono::steady_clock::now() >= deadline_;
}

Response LocalRun::run(const Request& request) {
  const Answer answer = run_handler(handler(), request, *this);
  if (answer.failure) log().error(describe(*answer.failure));
  Headers headers;
  for (const auto& [name, value] : answer.response.headers().fields()) {
    if (!is_runtime_header(name)) headers.add(name, value);
  }
  return ResponseAccess::make(answer.response.status(), std::move(headers),
                              body_of(request, answer.response));
}

std::string LocalRun::body_of(const Request& request, const Response& response) {
  if (request.method() == "HEAD") return {};
  if (!response.writer()) return response.body();
  std::string body;
  Writer writer(*this, body);
  try {
    response.writer()(writer);
  } catch (const CallError& error) {
    if (error.type() == "answer-too-large") throw;
    throw CallError("unavailable", "call " + function() + ": it hung up");
  } catch (...) {
    const Answer answer = answer_exception();
    if (answer.failure) log().error(describe(*answer.failure));
    throw CallError("unavailable", "call " + function() + ": it hung up");
  }
  return body;
}

PendingCall call_in_process(ListenService& service, ListenFunction& callee, ListenContext& caller,
                            const Request& request, const Headers& onward) {
  if (caller.cancelled()) throw Cancelled("the invocation is over");
  Headers headers;
  for (const auto& [name, value] : request.headers().fields()) {
    if (!is_runtime_header(name)) headers.add(name, value);
  }
  for (const auto& [name, value] : onward.fields()) headers.add(name, value);
  std::string target = request.path().empty() ? "/" : request.path();
  if (!request.query_string().empty()) target += "?" + request.query_string();
  auto call = std::make_unique<CallThatIsOver>(caller);
  call->run(service, callee,
            Request(request.method(), std::move(target), std::move(headers), request.body()));
  return PendingCall(std::move(call));
}

}  // namespace subito::sdk
