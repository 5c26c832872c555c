#include "runtime/server/http_server.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"

namespace subito::server {
namespace {

constexpr std::size_t kReadBufferBytes = 64 << 10;
// An exchange's id is a number that never comes again, above the slot of its connection.
constexpr unsigned kSlotBits = 16;
// Beyond connections_max so many may be told 503 at a time; more are closed without a word.
constexpr std::size_t kRefusedMax = 64;

std::int64_t unix_seconds() {
  return wall_clock_nanoseconds() / 1'000'000'000;
}

}  // namespace

std::unique_ptr<Server> Server::create(Loop& loop, const Limits& limits, Handler& handler) {
  static const SystemClock clock;
  return std::make_unique<HttpServer>(loop, limits, handler, clock);
}

HttpServer::HttpServer(Loop& loop, const Limits& limits, Handler& handler, const Clock& clock)
    : loop_(loop),
      limits_(limits),
      handler_(handler),
      clock_(clock),
      read_buffer_(kReadBufferBytes, '\0'),
      turn_end_(loop, [this] { on_turn_end(); }),
      sweep_(loop, [this] { check_deadlines(); }),
      next_turn_(loop, [this] { say_continue(); }) {
  CHECK(limits_.connections_max + kRefusedMax < (1U << kSlotBits));
}

Result<Address> HttpServer::open(const Address& address, SecureContext* context) {
  ASSIGN_OR_RETURN(auto listener, Listener::open(loop_, address, [this, context](UniqueFd socket) {
                     on_accept(std::move(socket), context);
                   }));
  Address bound = listener->address();
  listeners_.push_back(std::move(listener));
  return bound;
}

void HttpServer::on_accept(UniqueFd socket, SecureContext* context) {
  if (open_ >= limits_.connections_max) push_out_idle();
  // Who is to be encrypted cannot be told 503 before it has cost what it was refused for.
  if (open_ >= limits_.connections_max + (context == nullptr ? kRefusedMax : 0)) return;
  const std::uint32_t slot = free_slot();
  slots_[slot] = std::make_unique<Connection>(*this, loop_, std::move(socket), slot);
  if (++open_ > limits_.connections_max) {
    slots_[slot]->refuse();
  } else if (context == nullptr) {
    slots_[slot]->start();
  } else {
    begin_handshake(*slots_[slot], *context);
  }
  if (!sweep_.active()) sweep_.start(sweep_interval());
  turn_end_.schedule();  // the time read now is this turn's
}

// Connections that ask for nothing keep nobody out: the one that has asked for nothing longest
// goes. One that is about to ask is not it.
void HttpServer::push_out_idle() {
  Connection* idlest = nullptr;
  for (const auto& other : slots_) {
    if (other && other->is_idle() && (!idlest || other->since() < idlest->since()))
      idlest = other.get();
  }
  if (idlest != nullptr && !idlest->has_unread_input()) idlest->close();
}

// A flood of handshakes that never end pushes out its own: those that are meant take a moment.
void HttpServer::begin_handshake(Connection& connection, SecureContext& context) {
  auto session = context.begin();
  if (session == nullptr) return connection.close();
  if (handshakes_ >= limits_.handshakes_max) {
    Connection* oldest = nullptr;
    for (const auto& other : slots_) {
      if (other && other->in_handshake() && (!oldest || other->since() < oldest->since()))
        oldest = other.get();
    }
    if (oldest != nullptr) oldest->close();
  }
  ++handshakes_;
  connection.start_secure(std::move(session));
}

std::uint32_t HttpServer::free_slot() {
  if (free_slots_.empty()) {
    slots_.emplace_back();
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

ExchangeId HttpServer::begin_exchange(std::uint32_t slot) {
  ++exchanges_;
  return ExchangeId(++last_exchange_ << kSlotBits | slot);
}

Connection* HttpServer::find(ExchangeId id) {
  const std::size_t slot = id.value() & ((1U << kSlotBits) - 1);
  if (!id || slot >= slots_.size() || !slots_[slot]) return nullptr;
  return slots_[slot]->exchange() == id ? slots_[slot].get() : nullptr;
}

void HttpServer::respond(ExchangeId id, http::ResponseHead&& head, std::string_view body,
                         bool end) {
  if (Connection* connection = find(id)) connection->respond(std::move(head), body, end);
}

bool HttpServer::body(ExchangeId id, std::string_view bytes, bool end) {
  Connection* connection = find(id);
  return connection == nullptr || connection->body(bytes, end);
}

void HttpServer::abort(ExchangeId id) {
  if (Connection* connection = find(id)) connection->abort();
}

void HttpServer::consumed(ExchangeId id, std::size_t bytes) {
  if (Connection* connection = find(id)) connection->consumed(bytes);
}

const Peer& HttpServer::peer(ExchangeId id) {
  static const Peer kNobody;
  Connection* connection = find(id);
  return connection == nullptr ? kNobody : connection->peer();
}

void HttpServer::continue_later(ExchangeId id) {
  to_continue_.push_back(id);
  next_turn_.start(Duration::zero());
}

void HttpServer::say_continue() {
  for (const ExchangeId id : std::exchange(to_continue_, {})) {
    if (Connection* connection = find(id)) connection->say_continue();
  }
}

void HttpServer::schedule(Connection& connection) {
  if (std::exchange(connection.scheduled, true)) return;
  scheduled_.push_back(&connection);
  turn_end_.schedule();
}

// Serving one may schedule others, whose handler calls it made: the list grows while it is walked.
void HttpServer::on_turn_end() {
  for (std::size_t i = 0; i < scheduled_.size(); ++i) {
    Connection& connection = *scheduled_[i];
    connection.scheduled = false;
    connection.serve();
  }
  scheduled_.clear();
  closed_.clear();
  now_.reset();
  date_ = {};
}

void HttpServer::on_closed(Connection& connection) {
  closed_.push_back(std::move(slots_[connection.slot()]));
  free_slots_.push_back(connection.slot());
  --open_;
  turn_end_.schedule();
}

TimePoint HttpServer::now() const {
  if (!now_) now_ = clock_.now();
  return *now_;
}

std::string_view HttpServer::date() {
  if (date_.empty()) date_ = dates_.at(unix_seconds());
  return date_;
}

void HttpServer::drain() {
  draining_ = true;
  listeners_.clear();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i]) slots_[i]->drain();
  }
}

void HttpServer::check_deadlines() {
  now_.reset();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i]) slots_[i]->check_deadline(now());
  }
  turn_end_.schedule();
  if (open_ > 0) sweep_.start(sweep_interval());
}

// One look at everybody is cheaper than a timer each: a deadline is noticed at most a quarter of
// the shortest one late, and never more than a second.
Duration HttpServer::sweep_interval() const {
  const auto shortest =
      std::min({limits_.head_timeout, limits_.body_timeout, limits_.idle_timeout,
                limits_.write_timeout, limits_.half_close_timeout, limits_.handshake_timeout});
  return std::clamp<Duration>(shortest / 4, std::chrono::milliseconds(5), std::chrono::seconds(1));
}

}  // namespace subito::server
