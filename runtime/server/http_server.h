// HttpServer: the Server of server.h. Owns listeners and connections, finds a connection by the id
// of its exchange, and gathers what a loop turn has to do into one pass at its end.
//
// Lives on one loop's thread. Several of them, one a loop, share nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/time.h"
#include "runtime/http/writer.h"
#include "runtime/loop/loop.h"
#include "runtime/server/connection.h"
#include "runtime/server/listener.h"
#include "runtime/server/server.h"

namespace subito::server {

class HttpServer final : public Server, public ConnectionHost {
 public:
  // Loop, handler and clock outlive the server.
  HttpServer(Loop& loop, const Limits& limits, Handler& handler, const Clock& clock);

  Result<Address> listen(const Address& address) override { return open(address, nullptr); }
  Result<Address> listen_secure(const Address& address, SecureContext& context) override {
    return open(address, &context);
  }
  void respond(ExchangeId id, http::ResponseHead&& head, std::string_view body, bool end) override;
  bool body(ExchangeId id, std::string_view bytes, bool end) override;
  void abort(ExchangeId id) override;
  void consumed(ExchangeId id, std::size_t bytes) override;
  const Peer& peer(ExchangeId id) override;
  void drain() override;
  std::size_t connections() const override { return open_; }
  std::size_t exchanges() const override { return exchanges_; }

  // Ends what is past its deadline. A timer calls it; tests do after advancing the clock.
  void check_deadlines();

 private:
  Handler& handler() override { return handler_; }
  const Limits& limits() const override { return limits_; }
  TimePoint now() const override;
  std::string_view date() override;
  bool draining() const override { return draining_; }
  ExchangeId begin_exchange(std::uint32_t slot) override;
  void end_exchange() override { --exchanges_; }
  void continue_later(ExchangeId id) override;
  void schedule(Connection& connection) override;
  void on_closed(Connection& connection) override;
  std::string& read_buffer() override { return read_buffer_; }
  std::string& plain_buffer() override { return plain_buffer_; }
  void on_handshake_end() override { --handshakes_; }

  Result<Address> open(const Address& address, SecureContext* context);
  void on_accept(UniqueFd socket, SecureContext* context);
  void push_out_idle();
  void begin_handshake(Connection& connection, SecureContext& context);
  std::uint32_t free_slot();
  Connection* find(ExchangeId id);
  void on_turn_end();
  void say_continue();
  Duration sweep_interval() const;

  Loop& loop_;
  const Limits limits_;
  Handler& handler_;
  const Clock& clock_;
  std::string read_buffer_;
  std::string plain_buffer_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<Connection>> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::unique_ptr<Connection>> closed_;  // until the end of the turn
  std::vector<Connection*> scheduled_;               // at most once each
  std::vector<ExchangeId> to_continue_;              // in the next turn, if unanswered
  std::size_t open_ = 0;
  std::size_t exchanges_ = 0;
  std::size_t handshakes_ = 0;  // under way
  std::uint64_t last_exchange_ = 0;
  bool draining_ = false;
  mutable std::optional<TimePoint> now_;  // read once a turn
  http::DateCache dates_;
  std::string_view date_;  // of this turn
  TurnEnd turn_end_;
  Timer sweep_;
  Timer next_turn_;
};

}  // namespace subito::server
