// Connection: the conversation with one client. Reads, parses, gives one exchange at a time to the
// handler, and writes once at the end of a loop turn.
//
//   idle ⇄ head → exchange → idle          the usual way round
//                 exchange → discard → …   answered before the request's body was read
//   handshake → idle                     before all that, where it is encrypted
//   any → closing → linger → closed        the last answer goes out, then the client's FIN is
//   awaited
//
// Owned by the HttpServer, found by slot; lives on its loop's thread. A method may end the
// connection: it is then closed() and is deleted at the end of the turn, never in between.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/time.h"
#include "runtime/base/unique_fd.h"
#include "runtime/http/request_parser.h"
#include "runtime/loop/loop.h"
#include "runtime/server/answer.h"
#include "runtime/server/output.h"
#include "runtime/server/read_ahead.h"
#include "runtime/server/secure.h"
#include "runtime/server/server.h"

namespace subito::server {

class Connection;

// What a connection needs from the server that owns it.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  virtual Handler& handler() = 0;
  virtual const Limits& limits() const = 0;
  virtual TimePoint now() const = 0;
  virtual std::string_view date() = 0;
  virtual bool draining() const = 0;
  virtual ExchangeId begin_exchange(std::uint32_t slot) = 0;
  virtual void end_exchange() = 0;
  // Calls say_continue() in the next turn: until then the handler may still refuse the body.
  virtual void continue_later(ExchangeId id) = 0;
  // Calls serve() at the end of this turn.
  virtual void schedule(Connection& connection) = 0;
  virtual void on_closed(Connection& connection) = 0;
  virtual std::string& read_buffer() = 0;   // of fixed size, for the moment of one read
  virtual std::string& plain_buffer() = 0;  // what was decrypted, for the same moment
  virtual void on_handshake_end() = 0;      // however it ended
};

class Connection {
 public:
  Connection(ConnectionHost& host, Loop& loop, UniqueFd socket, std::uint32_t slot);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::uint32_t slot() const { return slot_; }
  ExchangeId exchange() const { return exchange_; }  // the one with the handler, if any
  bool closed() const { return state_ == State::kClosed; }
  bool scheduled = false;  // the server's: serve() is due at the end of this turn

  // Calls of the handler for exchange(): they change state, serve() acts.
  void respond(http::ResponseHead&& head, std::string_view body, bool end);
  bool body(std::string_view bytes, bool end);
  void abort();
  void consumed(std::size_t bytes);
  const Peer& peer();

  // Calls of the server.
  void start_secure(std::unique_ptr<SecureSession> session);  // instead of start()
  void start();   // after construction: the first request is mostly there already
  void refuse();  // instead: too many connections; says so and closes
  void serve();   // end of turn: parse what may be parsed, write
  void say_continue();
  void check_deadline(TimePoint now);
  void drain();
  void close();
  bool in_handshake() const { return state_ == State::kHandshake; }
  // Between requests, or in the head of one; everything said to the client has left.
  bool is_idle() const;
  bool has_unread_input() const;
  TimePoint since() const { return since_; }

 private:
  enum class State : std::uint8_t {
    kHandshake,
    kIdle,
    kHead,
    kExchange,
    kDiscard,
    kClosing,
    kLinger,
    kClosed,
  };

  void transition(State next);
  void on_event(int status, int events);
  void on_writable();
  void read_socket();
  void take_input(std::string_view input);

  // connection_secure.cc
  struct Secure {
    std::unique_ptr<SecureSession> session;
    Output wire;            // encrypted, with all that the handshake says
    bool ended = false;     // whatever still comes is of no interest
    bool finished = false;  // nothing more is said
  };
  void receive_secure(std::string_view bytes);
  void end_without_word();
  void fail_secure();
  void answer_plain_http();
  bool fill_wire();
  Output::Flush flush_secure();

  void settle_end_of_input();

  void parse_ahead();
  std::string_view parse(std::string_view input);  // returns what is left for later
  void parse_head(std::string_view& input);
  void parse_body(std::string_view& input);
  void parse_discarded(std::string_view& input);
  void begin_exchange();
  void note_body_progress(std::size_t bytes);
  void deliver_body(std::string_view piece, bool end);
  bool take_end();
  bool may_parse() const;
  bool awaits_body() const;

  void settle_answer(Answer::Outcome outcome);
  void finish_request();
  void end_exchange();
  void end_exchange_with_abort();
  void give_up();
  void reject(int status, std::string_view reason);
  void flush();
  void after_flush();
  void linger_or_close();
  void update_watch();
  bool wants_read() const;
  TimePoint deadline() const;
  bool writes_too_slowly(TimePoint now) const;
  bool may_ask_if_there() const;
  void expire();

  ConnectionHost& host_;
  Loop& loop_;
  const std::uint32_t slot_;
  UniqueFd socket_;
  std::unique_ptr<Secure> secure_;    // null: not encrypted
  std::unique_ptr<const Peer> peer_;  // once somebody asked
  std::unique_ptr<Poll> poll_;        // made when there is something to wait for
  int watched_ = 0;
  State state_ = State::kIdle;

  http::RequestParser parser_;
  ReadAhead ahead_;
  Output output_;
  Answer answer_;
  ExchangeId exchange_;
  Answer::Terms terms_;               // of the exchange's answer
  std::uint64_t body_owed_ = 0;       // announced and not yet read, as far as a length says
  std::size_t unconsumed_bytes_ = 0;  // of the request's body, with the handler
  std::uint64_t discarded_bytes_ = 0;
  bool request_done_ = false;
  bool continue_sent_ = false;
  bool end_of_input_ = false;
  bool asked_if_there_ = false;  // after the end of input, in this exchange
  bool write_blocked_ = false;
  bool handler_waits_ = false;  // body() said false: on_writable() is owed
  bool served_before_ = false;  // an answer was given: waiting now is keep-alive

  TimePoint since_;        // of the state, or of the last progress in reading a body
  TimePoint write_since_;  // of the last progress in writing
  TimePoint half_closed_at_;
  std::size_t write_progress_bytes_ = 0;
  std::size_t body_progress_bytes_ = 0;
};

}  // namespace subito::server
