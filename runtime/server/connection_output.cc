// Connection, sending side: answers, writing, deadlines, ends.
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/http/problem.h"
#include "runtime/http/writer.h"
#include "runtime/server/connection.h"

namespace subito::server {
namespace {

// How long a client may take to see that the connection ends.
constexpr std::chrono::seconds kLingerTimeout{2};
constexpr std::string_view kRetryAfterSeconds = "1";

std::string_view problem_type(int status) {
  switch (status) {
    case 408:
      return "request-timeout";
    case 413:
      return "content-too-large";
    case 414:
      return "target-too-long";
    case 417:
      return "expectation-failed";
    case 431:
      return "head-too-large";
    case 501:
      return "not-implemented";
    case 503:
      return "too-many-connections";
    case 505:
      return "version-not-supported";
    default:
      return "malformed-request";
  }
}

}  // namespace

void Connection::respond(http::ResponseHead&& head, std::string_view body, bool end) {
  const bool will_be_read =
      request_done_ || !end ||
      (body_owed_ <= kDiscardBytesMax && (continue_sent_ || !parser_.expects_continue()));
  terms_.keep_alive = parser_.keep_alive() && will_be_read && !host_.draining() &&
                      !(end_of_input_ && ahead_.empty());
  terms_.date = host_.date();
  settle_answer(answer_.begin(output_.buffer(), std::move(head), body, end, terms_));
}

bool Connection::body(std::string_view bytes, bool end) {
  CHECK(answer_.begun());
  settle_answer(answer_.add(output_.buffer(), bytes, end));
  if (output_.unsent() <= kResponseHighWaterBytes) return true;
  handler_waits_ = static_cast<bool>(exchange_);
  return false;
}

void Connection::settle_answer(Answer::Outcome outcome) {
  host_.schedule(*this);
  if (outcome == Answer::Outcome::kOpen) return;
  end_exchange();
  served_before_ = true;
  const bool stays = outcome == Answer::Outcome::kDone && answer_.keeps_alive();
  if (stays && !request_done_) {
    discarded_bytes_ = 0;
    transition(State::kDiscard);
  } else if (stays) {
    finish_request();
  } else {
    transition(State::kClosing);
  }
}

// Both the request and its answer are complete.
void Connection::finish_request() {
  const bool stays = answer_.keeps_alive() && !host_.draining();
  answer_.reset();
  transition(stays ? State::kIdle : State::kClosing);
}

void Connection::end_exchange() {
  exchange_ = ExchangeId();
  handler_waits_ = false;
  host_.end_exchange();
}

void Connection::end_exchange_with_abort() {
  if (!exchange_) return;
  const ExchangeId id = exchange_;
  end_exchange();
  host_.handler().on_abort(id);
}

void Connection::abort() {
  end_exchange();
  if (answer_.ends_with_connection()) {
    // A plain end would look like the end of the body: reset instead, socket(7), SO_LINGER.
    const linger hard{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
    return;
  }
  transition(State::kClosing);
  host_.schedule(*this);
}

void Connection::consumed(std::size_t bytes) {
  if (unconsumed_bytes_ >= kRequestWindowBytes) {  // reading begins again
    since_ = host_.now();
    body_progress_bytes_ = 0;
  }
  unconsumed_bytes_ -= std::min(bytes, unconsumed_bytes_);
  host_.schedule(*this);
}

// The connection is broken, or its client not worth waiting for.
void Connection::give_up() {
  end_exchange_with_abort();
  if (!closed()) close();
}

// Answers what was not understood, if an answer is still possible, and closes.
void Connection::reject(int status, std::string_view reason) {
  const bool answerable = !answer_.begun();
  const bool until_close = answer_.ends_with_connection();
  std::string request_id = answerable ? host_.handler().request_id(exchange_) : "";
  end_exchange_with_abort();
  request_done_ = false;  // more of it may come
  if (answerable) {
    http::ResponseHead head;
    head.status = status;
    head.fields.emplace_back("content-type", http::kProblemContentType);
    if (!request_id.empty()) head.fields.emplace_back("x-request-id", std::move(request_id));
    if (status == 503) head.fields.emplace_back("retry-after", kRetryAfterSeconds);
    const Answer::Terms terms{state_ == State::kExchange && terms_.to_head, 1, false, host_.date()};
    answer_.begin(output_.buffer(), std::move(head),
                  http::problem_json(status, problem_type(status), reason), true, terms);
  } else if (until_close) {
    if (secure_) secure_->finished = true;
    const linger hard{1, 0};  // as in abort()
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  transition(State::kClosing);
  host_.schedule(*this);
}

void Connection::refuse() {
  reject(503, "too many connections");
}

void Connection::flush() {
  switch (secure_ ? flush_secure() : output_.flush(socket_.get(), write_progress_bytes_)) {
    case Output::Flush::kBroken:
      give_up();
      return;
    case Output::Flush::kBlocked:
      if (!std::exchange(write_blocked_, true) || write_progress_bytes_ >= kWriteProgressBytes) {
        write_since_ = host_.now();
        write_progress_bytes_ = 0;
      }
      return;
    case Output::Flush::kEmpty:
      write_blocked_ = false;
      write_progress_bytes_ = 0;
      if (state_ == State::kClosing) linger_or_close();
  }
}

void Connection::on_writable() {
  flush();
  if (closed() || !handler_waits_ || output_.unsent() > kResponseHighWaterBytes / 2) return;
  handler_waits_ = false;
  host_.handler().on_writable(exchange_);
}

// Closing a socket with unread input resets the connection, and the client may never see the
// answer (RFC 9112, 9.6): where more may come, our side ends first and the client's is awaited.
void Connection::linger_or_close() {
  if (end_of_input_ || (request_done_ && !has_unread_input())) {
    close();
    return;
  }
  ::shutdown(socket_.get(), SHUT_WR);
  ahead_.clear();
  transition(State::kLinger);
}

void Connection::close() {
  poll_.reset();
  socket_.reset();
  transition(State::kClosed);
  host_.on_closed(*this);
}

void Connection::drain() {
  if (state_ != State::kIdle || has_unread_input()) return;
  request_done_ = true;
  transition(State::kClosing);
  host_.schedule(*this);
}

TimePoint Connection::deadline() const {
  const Limits& limits = host_.limits();
  switch (state_) {
    case State::kHandshake:
      return since_ + limits.handshake_timeout;
    case State::kIdle:
      return since_ + (served_before_ ? limits.idle_timeout : limits.head_timeout);
    case State::kHead:
      return since_ + limits.head_timeout;
    case State::kExchange:
      if (!request_done_ && may_parse()) return since_ + limits.body_timeout;
      if (may_ask_if_there()) return half_closed_at_ + limits.half_close_timeout;
      return TimePoint::max();  // the handler's time
    case State::kDiscard:
      return since_ + limits.body_timeout;
    case State::kLinger:
      return since_ + kLingerTimeout;
    default:
      return TimePoint::max();  // closing: writes_too_slowly()
  }
}

bool Connection::may_ask_if_there() const {
  return end_of_input_ && !asked_if_there_ && !answer_.begun() && terms_.minor_version >= 1;
}

bool Connection::writes_too_slowly(TimePoint now) const {
  return write_blocked_ && now >= write_since_ + host_.limits().write_timeout;
}

void Connection::check_deadline(TimePoint now) {
  if (writes_too_slowly(now)) {
    give_up();
  } else if (now >= deadline()) {
    expire();
  }
}

void Connection::expire() {
  if (state_ == State::kHead) {
    reject(408, "the head took too long");
  } else if (state_ == State::kExchange && !request_done_) {
    reject(408, "the body came too slowly");
  } else if (state_ == State::kExchange) {
    output_.buffer().append(http::kContinue);
    asked_if_there_ = true;
    host_.schedule(*this);
  } else {
    give_up();
  }
}

}  // namespace subito::server
