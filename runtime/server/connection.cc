// Connection, receiving side: events, bytes, requests. The sending side and the deadlines are in
// connection_output.cc.
#include "runtime/server/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/http/writer.h"

namespace subito::server {
namespace {

using http::Event;

http::ParserLimits parser_limits(const Limits& limits) {
  return {limits.head_bytes_max, limits.headers_max, limits.target_bytes_max,
          limits.body_bytes_max};
}

}  // namespace

Connection::Connection(ConnectionHost& host, Loop& loop, UniqueFd socket, std::uint32_t slot)
    : host_(host),
      loop_(loop),
      slot_(slot),
      socket_(std::move(socket)),
      parser_(parser_limits(host.limits())),
      since_(host.now()) {}

const Peer& Connection::peer() {
  if (!peer_) peer_ = std::make_unique<const Peer>(peer_of(socket_.get(), secure_ != nullptr));
  return *peer_;
}

void Connection::start() {
  update_watch();
}

void Connection::transition(State next) {
  const auto bit = [](State state) { return 1U << static_cast<unsigned>(state); };
  const unsigned end = bit(State::kClosing) | bit(State::kClosed);
  const auto legal = [&]() -> unsigned {
    switch (state_) {
      case State::kHandshake:
        return bit(State::kIdle) | end;
      case State::kIdle:
        return bit(State::kHead) | end;
      case State::kHead:
        return bit(State::kExchange) | end;
      case State::kExchange:
        return bit(State::kIdle) | bit(State::kDiscard) | end;
      case State::kDiscard:
        return bit(State::kIdle) | end;
      case State::kClosing:
        return bit(State::kLinger) | bit(State::kClosed);
      case State::kLinger:
        return bit(State::kClosed);
      case State::kClosed:
        return 0;
    }
    return 0;
  }();
  if (state_ == State::kHandshake) host_.on_handshake_end();
  CHECK((legal & bit(next)) != 0);
  state_ = next;
  since_ = host_.now();
}

void Connection::on_event(int status, int events) {
  // Nothing but a hang-up is ever called "prioritized": see update_watch().
  if (status < 0 || (events & (UV_READABLE | UV_WRITABLE)) == 0) {
    give_up();
    return;
  }
  if ((events & UV_WRITABLE) != 0) on_writable();
  if ((events & UV_READABLE) != 0 && !closed()) read_socket();
  if (!closed()) host_.schedule(*this);
}

void Connection::read_socket() {
  std::string& buffer = host_.read_buffer();
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) {
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) give_up();
    return;
  }
  const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
  if (secure_) return receive_secure(bytes);
  take_input(bytes);
}

// Nothing: the end.
void Connection::take_input(std::string_view input) {
  if (input.empty()) {
    end_of_input_ = true;
    half_closed_at_ = host_.now();
    return;
  }
  if (ahead_.empty()) input = parse(input);
  ahead_.append(input);
}

void Connection::serve() {
  if (closed()) return;
  parse_ahead();
  if (end_of_input_ && ahead_.empty()) settle_end_of_input();
  if (!closed() && !write_blocked_) flush();
  if (!closed()) update_watch();
}

// The client sends no more. An answer it waits for it still gets; a request cut short it does not.
void Connection::settle_end_of_input() {
  switch (state_) {
    case State::kExchange:
      if (request_done_) return;
      end_exchange_with_abort();
      transition(State::kClosing);
      return;
    case State::kHandshake:
    case State::kIdle:
    case State::kHead:
    case State::kDiscard:
      transition(State::kClosing);
      return;
    case State::kLinger:
      close();
      return;
    default:
      return;
  }
}

void Connection::parse_ahead() {
  if (ahead_.empty()) return;
  ahead_.keep(parse(ahead_.rest()).size());
}

bool Connection::may_parse() const {
  switch (state_) {
    case State::kIdle:
    case State::kHead:
      return output_.unsent() <= kResponseHighWaterBytes;
    case State::kExchange:
      return !request_done_ && unconsumed_bytes_ < kRequestWindowBytes;
    case State::kClosed:
      return false;
    default:
      return true;
  }
}

std::string_view Connection::parse(std::string_view input) {
  while (!input.empty() && may_parse()) {
    switch (state_) {
      case State::kIdle:
        transition(State::kHead);
        break;
      case State::kHead:
        parse_head(input);
        break;
      case State::kExchange:
        parse_body(input);
        break;
      case State::kDiscard:
        parse_discarded(input);
        break;
      default:
        return {};  // closing: whatever comes is of no interest
    }
  }
  return input;
}

void Connection::parse_head(std::string_view& input) {
  const Event event = parser_.next(input);
  if (event == Event::kHead) begin_exchange();
  if (event == Event::kRejected) reject(parser_.rejection().status, parser_.rejection().reason);
}

void Connection::begin_exchange() {
  http::RequestHead head = std::move(parser_.head());
  transition(State::kExchange);
  terms_.to_head = head.method == "HEAD";
  terms_.minor_version = head.minor_version;
  body_owed_ = head.content_length.value_or(0);
  unconsumed_bytes_ = body_progress_bytes_ = 0;
  request_done_ = !parser_.has_body() && take_end();
  continue_sent_ = handler_waits_ = asked_if_there_ = false;
  exchange_ = host_.begin_exchange(slot_);
  host_.handler().on_request(exchange_, std::move(head), request_done_);
  if (parser_.expects_continue() && awaits_body()) host_.continue_later(exchange_);
}

bool Connection::awaits_body() const {
  return state_ == State::kExchange && !request_done_ && !answer_.begun();
}

void Connection::say_continue() {
  if (!awaits_body()) return;
  output_.buffer().append(http::kContinue);
  continue_sent_ = true;
  host_.schedule(*this);
}

// Takes the end of a request that needs no further byte.
bool Connection::take_end() {
  if (!parser_.at_end()) return false;
  std::string_view nothing;
  CHECK(parser_.next(nothing) == Event::kEnd);
  return true;
}

void Connection::parse_body(std::string_view& input) {
  const std::string_view part = input.substr(0, kRequestWindowBytes - unconsumed_bytes_);
  std::string_view rest = part;
  const Event event = parser_.next(rest);
  input.remove_prefix(part.size() - rest.size());
  switch (event) {
    case Event::kBody:
      note_body_progress(parser_.body().size());
      deliver_body(parser_.body(), take_end());
      return;
    case Event::kEnd:
      deliver_body("", true);
      return;
    case Event::kRejected:
      reject(parser_.rejection().status, parser_.rejection().reason);
      return;
    default:
      return;
  }
}

// A byte now and then is no progress: it would hold a pod for as long as the client likes.
void Connection::note_body_progress(std::size_t bytes) {
  body_progress_bytes_ += bytes;
  if (body_progress_bytes_ < kBodyProgressBytes) return;
  body_progress_bytes_ = 0;
  since_ = host_.now();
}

void Connection::deliver_body(std::string_view piece, bool end) {
  request_done_ = end;
  unconsumed_bytes_ += piece.size();
  body_owed_ -= std::min<std::uint64_t>(body_owed_, piece.size());
  host_.handler().on_body(exchange_, piece, end);
}

void Connection::parse_discarded(std::string_view& input) {
  const Event event = parser_.next(input);
  if (event == Event::kBody) discarded_bytes_ += parser_.body().size();
  if (event == Event::kRejected || discarded_bytes_ > kDiscardBytesMax) {
    transition(State::kClosing);
  } else if (event == Event::kEnd) {
    request_done_ = true;
    finish_request();
  }
}

// A half-closed client reads as "end of file" for ever: it is no longer watched for input. Errors
// and full hang-ups are reported whatever is watched; libuv needs something to watch, and urgent
// data is what nobody sends: libuv then reports a hang-up as UV_PRIORITIZED, an error as status.
void Connection::update_watch() {
  int events = wants_read() ? UV_READABLE : UV_PRIORITIZED;
  if (write_blocked_ || handler_waits_) events |= UV_WRITABLE;
  if (events == watched_) return;
  watched_ = events;
  if (!poll_) {
    poll_ = std::make_unique<Poll>(loop_, socket_.get(),
                                   [this](int status, int got) { on_event(status, got); });
  }
  poll_->start(events);
}

bool Connection::wants_read() const {
  if (end_of_input_) return false;
  if (state_ == State::kExchange && !request_done_) return may_parse() && ahead_.empty();
  return ahead_.size() < host_.limits().read_ahead_bytes_max;
}

bool Connection::is_idle() const {
  const bool waits = state_ == State::kIdle || state_ == State::kHead;
  return waits && output_.empty() && ahead_.empty() && (!secure_ || secure_->wire.empty());
}

bool Connection::has_unread_input() const {
  char byte = 0;
  return !ahead_.empty() || ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

}  // namespace subito::server
