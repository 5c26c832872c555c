// Connection, encrypted: what stands between its socket and its bytes. The session encrypts, the
// rest of the connection knows no difference.
#include <cstring>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/server/connection.h"

namespace subito::server {

void Connection::start_secure(std::unique_ptr<SecureSession> session) {
  CHECK(state_ == State::kIdle && !watched_);
  secure_ = std::make_unique<Secure>();
  secure_->session = std::move(session);
  state_ = State::kHandshake;
  start();
}

// As read from the socket; nothing: its end.
void Connection::receive_secure(std::string_view bytes) {
  if (bytes.empty()) return end_without_word();
  if (secure_->ended) return;
  std::string& plain = host_.plain_buffer();
  plain.clear();
  const auto input = secure_->session->receive(bytes, plain, secure_->wire.buffer());
  if (state_ == State::kHandshake && secure_->session->established()) transition(State::kIdle);
  if (!plain.empty()) take_input(plain);
  ::explicit_bzero(plain.data(), plain.size());  // it may be a secret's value, or a token
  if (closed()) return;
  switch (input) {
    case SecureSession::Input::kOpen:
      if (secure_->wire.unsent() > 2 * kSealedBytesMax) give_up();
      return;
    case SecureSession::Input::kEnd:
      secure_->ended = true;
      return take_input({});
    case SecureSession::Input::kBroken:
      return fail_secure();
    case SecureSession::Input::kPlainHttp:
      return answer_plain_http();
  }
}

// The socket ended and the client did not say that it would: anybody on the way may have cut it.
// Between requests that does no harm, and many clients leave like that.
void Connection::end_without_word() {
  const bool harmless = secure_->ended || (state_ != State::kExchange && ahead_.empty());
  if (!harmless) return give_up();
  secure_->ended = true;
  take_input({});
}

// It gets the alert that the session may have written, and nothing else.
void Connection::fail_secure() {
  secure_->ended = secure_->finished = true;
  end_exchange_with_abort();
  if (closed()) return;
  if (state_ == State::kLinger) return close();
  output_ = {};
  ahead_.clear();
  request_done_ = false;  // more may come: linger, so that the alert is not lost to a reset
  if (state_ != State::kClosing) transition(State::kClosing);
  host_.schedule(*this);
}

void Connection::answer_plain_http() {
  secure_.reset();
  reject(400, "this port speaks TLS and was sent plain HTTP: use https://");
}

// Encrypts what is due, as much as one send is given. False: it cannot be encrypted.
bool Connection::fill_wire() {
  std::string& wire = secure_->wire.buffer();
  const std::string_view piece = output_.front(kSealedBytesMax);
  if (!piece.empty()) {
    if (!secure_->session->seal(piece, wire)) return false;
    output_.drop(piece.size());
  }
  const bool last = state_ == State::kClosing && output_.empty();
  if (last && !std::exchange(secure_->finished, true)) secure_->session->finish(wire);
  return true;
}

Output::Flush Connection::flush_secure() {
  Output& wire = secure_->wire;
  for (;;) {
    if (wire.empty() && !fill_wire()) return Output::Flush::kBroken;
    if (wire.empty()) return Output::Flush::kEmpty;
    const auto flushed = wire.flush(socket_.get(), write_progress_bytes_);
    if (flushed != Output::Flush::kEmpty) return flushed;
  }
}

}  // namespace subito::server
