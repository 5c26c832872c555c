// What a handler asks of others through the channel: connections and calls.
#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/sdk/access.h"
#include "runtime/sdk/invocation.h"
#include "runtime/sdk/refusals.h"

namespace subito::sdk {
namespace {

// Ends a stream of our own in whatever way this scope is left.
class OwnStream {
 public:
  OwnStream(Channel& channel, Inbox& inbox, Channel::Lock& lock)
      : channel_(channel), inbox_(inbox), lock_(lock) {}
  ~OwnStream() {
    if (!lock_.owns_lock()) lock_.lock();
    channel_.forget(inbox_);
  }
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;

 private:
  Channel& channel_;
  Inbox& inbox_;
  Channel::Lock& lock_;
};

// Its body goes in the frame of the CALL.
bool rides_with_call(const Request& request) {
  constexpr std::size_t kBodyInCallMax = 4 << 10;
  return RequestAccess::is_whole(request) && request.body().size() <= kBodyInCallMax;
}

const char* words_of(protocol::Binding::Kind kind) {
  return kind == protocol::Binding::REDIS ? "redis" : "tcp";
}

}  // namespace

const protocol::Binding* Invocation::find_binding(std::string_view name,
                                                  protocol::Binding::Kind kind) const {
  std::vector<std::pair<std::string_view, const char*>> others;
  for (const auto& binding : channel_.config().bindings()) {
    if (binding.name() == name && binding.kind() == kind) return &binding;
    others.emplace_back(binding.name(), words_of(binding.kind()));
  }
  refuse_binding(words_of(kind), name, words_of_bindings(others));
}

UniqueFd Invocation::dial(std::string_view binding) {
  protocol::Connect connect;
  connect.set_invocation(incoming_->inbox.stream);
  connect.set_binding(std::string(binding));
  Channel::Lock lock(channel_.mutex());
  Inbox inbox;
  inbox.parent = &incoming_->inbox;
  auto status = channel_.open(protocol::FrameType::kConnect, connect, {}, true, inbox);
  if (!status) throw std::runtime_error(status.error().message);
  const OwnStream stream(channel_, inbox, lock);
  channel_.wait(lock, inbox, deadline(),
                [&] { return inbox.over() || incoming_->inbox.cancelled; });
  if (inbox.descriptor.valid()) return std::move(inbox.descriptor);
  if (inbox.connected) throw std::runtime_error(inbox.connected->error());
  throw_if_over();
  throw std::runtime_error("connect " + std::string(binding) + ": the node gave it up");
}

int Invocation::connect(std::string_view binding) {
  find_binding(binding, protocol::Binding::TCP);
  return dial(binding).release();
}

Redis& Invocation::redis(std::string_view name) {
  for (const auto& client : redis_) {
    if (client->binding() == name) return *client;
  }
  const auto* binding = find_binding(name, protocol::Binding::REDIS);
  const std::string wanted(name);
  const auto dial_redis = [this, wanted] {
    try {
      return dial(wanted);
    } catch (const Cancelled&) {
      throw;
    } catch (const std::runtime_error& error) {
      throw RedisError(error.what());
    }
  };
  redis_.push_back(std::make_unique<RedisClient>(wanted, binding->key_prefix(), pod_.redis,
                                                 dial_redis, *this, spans_.get()));
  return *redis_.back();
}

void Invocation::open_call(Channel::Lock&, Inbox& inbox, std::string_view function,
                           const Request& request) {
  protocol::Call head;
  head.set_invocation(incoming_->inbox.stream);
  head.set_function(std::string(function));
  head.set_method(request.method());
  head.set_path(request.path().empty() ? "/" : request.path());
  head.set_query(request.query_string());
  for (const auto& [name, value] : request.headers().fields()) {
    if (is_runtime_header(name)) continue;
    auto* field = head.add_headers();
    field->set_name(name);
    field->set_value(value);
  }
  if (incoming_->deadline != Deadline::max()) {
    const auto left = incoming_->deadline - std::chrono::steady_clock::now();
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(left).count();
    head.set_deadline_us(static_cast<std::uint64_t>(std::max<std::int64_t>(1, microseconds)));
  }
  const bool whole = RequestAccess::is_whole(request);
  if (whole) head.set_content_length(request.body().size());
  inbox.parent = &incoming_->inbox;
  const bool rides = rides_with_call(request);
  const std::string_view body = rides ? request.body() : std::string_view();
  const auto status = channel_.open(protocol::FrameType::kCall, head, body, rides, inbox);
  if (!status) throw CallError("too-many-requests", status.error().message);
}

void Invocation::send_call_body(Channel::Lock& lock, Inbox& inbox, const Request& request) {
  if (rides_with_call(request)) return;
  if (RequestAccess::is_whole(request)) return send_pieces(lock, inbox, request.body(), true);
  while (!has_enough(inbox)) {
    lock.unlock();
    const std::string piece = request.stream().read();
    lock.lock();
    if (piece.empty()) break;
    send_pieces(lock, inbox, piece, false);
  }
  // Half a request must not look whole: given up, it ends by CANCEL (~StartedCall).
  if (!has_enough(inbox)) channel_.send_body(inbox, {}, true);
}

// A callee that answers while it reads takes no more of the request until its answer has room.
void Invocation::gather(Inbox& inbox) {
  if (!inbox.body.empty()) inbox.gathered += channel_.take_body(inbox, inbox.body.size());
}

// A call whose answer is complete, was given up or is too large takes no more of its request.
bool Invocation::has_enough(const Inbox& inbox) const {
  return inbox.parent != nullptr &&
         (inbox.over() || inbox.gathered.size() > Request::kBodyBytesMax);
}

class Invocation::StartedCall final : public PendingCall::UnderWay {
 public:
  StartedCall(Invocation& owner, std::string_view function) : owner_(owner), function_(function) {}

  ~StartedCall() override {
    if (inbox_.stream == 0) return;  // it was never opened
    const Channel::Lock lock(owner_.channel_.mutex());
    const bool dropped = !inbox_.over();
    owner_.channel_.forget(inbox_);
    // Who works for it is to know at once, not at the next wait.
    if (dropped) owner_.channel_.flush();
  }

  void begin(const Request& request) {
    Channel::Lock lock(owner_.channel_.mutex());
    owner_.throw_if_over();
    owner_.open_call(lock, inbox_, function_, request);
    owner_.send_call_body(lock, inbox_, request);
    owner_.channel_.flush();
  }

  bool wait_for(std::chrono::milliseconds time) override {
    const bool bounded = time < owner_.time_left();
    Channel::Lock lock(owner_.channel_.mutex());
    return owner_.wait_for_answer(
        lock, inbox_, bounded ? std::chrono::steady_clock::now() + time : owner_.deadline());
  }

  Response take() override {
    Channel::Lock lock(owner_.channel_.mutex());
    return owner_.take_answer(lock, inbox_, function_);
  }

 private:
  Invocation& owner_;
  const std::string function_;
  Inbox inbox_;
};

PendingCall Invocation::start_call(std::string_view function, const Request& request) {
  auto call = std::make_unique<StartedCall>(*this, function);
  call->begin(request);
  return PendingCall(std::move(call));
}

// False at `until`. What came of the answer is gathered meanwhile.
bool Invocation::wait_for_answer(Channel::Lock& lock, Inbox& inbox, Deadline until) {
  for (bool came = true; came;) {
    gather(inbox);
    if (has_enough(inbox)) return true;
    came = channel_.wait(lock, inbox, until, [&] {
      return !inbox.body.empty() || inbox.over() || incoming_->inbox.cancelled;
    });
    if (inbox.body.empty() && !inbox.over()) throw_if_over();
  }
  return false;
}

Response Invocation::take_answer(Channel::Lock& lock, Inbox& inbox, std::string_view function) {
  const std::string doing = "call " + std::string(function) + ": ";
  std::string body = std::move(inbox.gathered);
  for (std::string piece;; body += piece) {
    if (body.size() > Request::kBodyBytesMax) {
      throw CallError("answer-too-large", doing + "the answer is over " +
                                              std::to_string(Request::kBodyBytesMax) + " bytes");
    }
    piece = read_body(lock, inbox);
    if (piece.empty()) break;
  }
  if (!inbox.ended || !inbox.result) throw CallError("unavailable", doing + "it was given up");
  if (inbox.result->has_failure()) {
    throw CallError(inbox.result->failure().type(), doing + inbox.result->failure().message());
  }
  return ResponseAccess::make(static_cast<int>(inbox.result->status()),
                              headers_of(inbox.result->headers()), std::move(body));
}

}  // namespace subito::sdk
