#include "runtime/sdk/invocation.h"

#include <poll.h>

#include <algorithm>

#include "runtime/base/time.h"
#include "runtime/sdk/access.h"
#include "runtime/sdk/backtrace.h"
#include "runtime/sdk/logger.h"
#include "runtime/sdk/refusals.h"

namespace subito::sdk {
namespace {

// How long a thread that waits for something else may not notice a CANCEL (concurrency over 1).
constexpr auto kNoticeCancelWithin = std::chrono::milliseconds(50);

}  // namespace

Headers headers_of(const google::protobuf::RepeatedPtrField<protocol::Header>& fields) {
  Headers headers;
  for (const auto& field : fields) headers.add(field.name(), field.value());
  return headers;
}

// The request's body, from the channel.
class Invocation::Reader final : public BodyReader {
 public:
  explicit Reader(Invocation& owner) : owner_(owner) {}
  std::string read() override {
    Channel::Lock lock(owner_.channel_.mutex());
    return owner_.read_body(lock, owner_.incoming_->inbox);
  }

 private:
  Invocation& owner_;
};

// The answer's body, piece by piece. The head leaves with the first piece.
class Invocation::Writer final : public BodyWriter {
 public:
  Writer(Invocation& owner, protocol::Result head) : owner_(owner), head_(std::move(head)) {}

  void write(std::string_view bytes) override {
    Channel::Lock lock(owner_.channel_.mutex());
    Inbox& inbox = owner_.incoming_->inbox;
    begin(lock, bytes, false);
    owner_.send_pieces(lock, inbox, bytes, false);
    owner_.channel_.flush();
  }

  void finish() {
    Channel::Lock lock(owner_.channel_.mutex());
    std::string_view nothing;
    if (begun_) {
      owner_.channel_.send_body(owner_.incoming_->inbox, {}, true);
    } else {
      begin(lock, nothing, true);
    }
  }

  bool begun() const { return begun_; }

 private:
  // Sends the head with as much of the body as goes into its frame, and takes that off `bytes`.
  void begin(Channel::Lock&, std::string_view& bytes, bool end) {
    if (begun_) return;
    const Inbox& inbox = owner_.incoming_->inbox;
    const auto first = bytes.substr(0, owner_.channel_.credit(inbox));
    if (!owner_.channel_.send_result(inbox, head_, first, end && first.size() == bytes.size())) {
      throw Cancelled(kWasCancelled);
    }
    bytes.remove_prefix(first.size());
    begun_ = true;
  }

  Invocation& owner_;
  protocol::Result head_;
  bool begun_ = false;
};

Invocation::Invocation(Pod& pod, std::unique_ptr<Incoming> incoming)
    : pod_(pod), channel_(pod.channel), incoming_(std::move(incoming)) {}

Invocation::~Invocation() {
  redis_.clear();
  const Channel::Lock lock(channel_.mutex());
  channel_.forget(incoming_->inbox);
}

void Invocation::run() {
  Reader reader(*this);
  auto& head = incoming_->head;
  const bool no_body = incoming_->inbox.ended && incoming_->inbox.body.empty();
  const Request request = RequestAccess::make(
      std::move(*head.mutable_method()), std::move(*head.mutable_path()),
      std::move(*head.mutable_query()), headers_of(head.headers()), no_body ? nullptr : &reader);
  CpuMeter& meter = CpuMeter::of_this_thread();
  meter.begin();
  Answer answer = run_handler(pod_.handler, request, *this);
  cpu_use_ = meter.end();
  handler_time_ = meter.took();
  send(request, std::move(answer));
}

void Invocation::send(const Request& request, Answer answer) {
  if (!answer.response.writer() || request.method() == "HEAD") {
    send_whole(request, answer.response, answer.failure ? &*answer.failure : nullptr);
    return;
  }
  send_streamed(request, answer.response);
}

protocol::Result Invocation::head_of(const Response& response, const Failure* failure) const {
  protocol::Result head;
  head.set_status(static_cast<std::uint32_t>(response.status()));
  for (const auto& [name, value] : response.headers().fields()) {
    if (is_runtime_header(name)) continue;
    auto* field = head.add_headers();
    field->set_name(name);
    field->set_value(value);
  }
  if (failure != nullptr) {
    head.mutable_failure()->set_type(failure->type);
    head.mutable_failure()->set_message(failure->message.substr(0, kLogMessageBytesMax));
    for (const auto address : failure->backtrace) {
      head.mutable_failure()->add_backtrace(address_text(address));
    }
  }
  return head;
}

void Invocation::send_whole(const Request& request, const Response& response,
                            const Failure* failure) {
  protocol::Result head = head_of(response, failure);
  std::string_view body = response.body();
  if (!response.writer()) head.set_content_length(body.size());
  if (cpu_use_) {
    head.set_cpu_us(static_cast<std::uint64_t>(cpu_use_->cpu / std::chrono::microseconds(1)));
    head.set_cpu_wait_us(
        static_cast<std::uint64_t>(cpu_use_->waited / std::chrono::microseconds(1)));
  }
  head.set_handler_us(static_cast<std::uint64_t>(handler_time_ / std::chrono::microseconds(1) + 1));
  if (request.method() == "HEAD") body = {};
  if (head.ByteSizeLong() > protocol::kHeadBytesMax) {
    const auto refusal =
        Response::problem(500, "headers-too-large", "the answer's head is too large");
    send_whole(request, refusal, nullptr);
    return;
  }
  Channel::Lock lock(channel_.mutex());
  Inbox& inbox = incoming_->inbox;
  const auto first = body.substr(0, channel_.credit(inbox));
  const bool whole = first.size() == body.size();
  try {
    if (!channel_.send_result(inbox, head, first, whole)) return;  // cancelled: forget() says so
    if (!whole) send_pieces(lock, inbox, body.substr(first.size()), true);
  } catch (const Cancelled&) {
    return;
  }
  channel_.flush();
}

void Invocation::send_streamed(const Request& request, const Response& response) {
  protocol::Result head = head_of(response, nullptr);
  if (head.ByteSizeLong() > protocol::kHeadBytesMax) {
    send_whole(request, response, nullptr);
    return;
  }
  Writer writer(*this, std::move(head));
  try {
    response.writer()(writer);
    writer.finish();
  } catch (...) {
    Answer answer = answer_exception();
    if (!writer.begun()) {
      send(request, std::move(answer));
    } else if (answer.failure) {
      // Half an answer is out: CANCEL, from forget(), tells that the rest will not come.
      logger_.write_broken_off(*answer.failure);
    }
  }
}

void Invocation::send_pieces(Channel::Lock& lock, Inbox& inbox, std::string_view body, bool end) {
  const bool calls = inbox.parent != nullptr;
  while (!body.empty()) {
    channel_.wait(lock, inbox, deadline(), [&] {
      return has_enough(inbox) || incoming_->inbox.cancelled || channel_.credit(inbox) > 0 ||
             (calls && !inbox.body.empty());
    });
    if (calls) gather(inbox);
    if (has_enough(inbox)) return;
    throw_if_over();
    if (channel_.credit(inbox) == 0) continue;
    const auto piece = body.substr(0, channel_.credit(inbox));
    body.remove_prefix(piece.size());
    if (!channel_.send_body(inbox, piece, end && body.empty())) return;
  }
}

void Invocation::throw_if_over() const {
  if (incoming_->inbox.cancelled) throw Cancelled(kWasCancelled);
  if (std::chrono::steady_clock::now() >= deadline()) throw Cancelled(kDeadlinePassed);
}

std::string Invocation::read_body(Channel::Lock& lock, Inbox& inbox) {
  channel_.wait(lock, inbox, deadline(),
                [&] { return !inbox.body.empty() || inbox.over() || incoming_->inbox.cancelled; });
  if (!inbox.body.empty()) return channel_.take_body(inbox, protocol::kBodyBytesMax);
  if (!inbox.over() || incoming_->inbox.cancelled) throw_if_over();
  return {};
}

bool Invocation::cancelled() {
  const Channel::Lock lock(channel_.mutex());
  channel_.poll();
  return incoming_->inbox.cancelled || std::chrono::steady_clock::now() >= deadline();
}

std::optional<std::string> Invocation::setting(std::string_view name) const {
  const auto& settings = channel_.config().settings();
  const auto at = settings.find(std::string(name));
  if (at != settings.end()) return at->second;
  const auto& more = channel_.values().settings();
  const auto given = more.find(std::string(name));
  return given == more.end() ? std::nullopt : std::optional(given->second);
}

std::optional<std::string> Invocation::secret(std::string_view name, std::string_view key) const {
  for (const protocol::Secret& secret : channel_.values().secrets()) {
    if (secret.name() == name && secret.key() == key) return secret.value();
  }
  return std::nullopt;
}

void Invocation::ChannelLogger::write(int level, std::string_view message, Fields fields) {
  protocol::Log record;
  record.set_level(static_cast<protocol::Log::Level>(level));
  record.set_message(std::string(message.substr(0, kLogMessageBytesMax)));
  record.set_fields_json(fields_as_json(fields));
  send(record);
}

void Invocation::ChannelLogger::write_broken_off(const Failure& failure) {
  const std::string message = "the answer broke off: " + words(failure);
  protocol::Log record;
  record.set_level(protocol::Log::ERROR);
  record.set_message(message.substr(0, kLogMessageBytesMax));
  for (const auto address : failure.backtrace) record.add_backtrace(address);
  send(record);
}

void Invocation::ChannelLogger::send(protocol::Log& record) {
  record.set_invocation(owner_.incoming_->inbox.stream);
  record.set_unix_nanoseconds(wall_clock_nanoseconds());
  const Channel::Lock lock(owner_.channel_.mutex());
  owner_.channel_.log(record);
}

void Invocation::wait_for(int fd, short events) {
  Channel::Lock lock(channel_.mutex());
  for (;;) {
    throw_if_over();
    if (channel_.wait_also(lock, fd, events, deadline(), kNoticeCancelWithin)) return;
  }
}

}  // namespace subito::sdk
