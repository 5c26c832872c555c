#include "bench/load.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <random>

#include "bench/interrupt.h"
#include "bench/server_timing.h"
#include "runtime/http/response_parser.h"

namespace subito::bench {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr int kEventsMax = 256;
constexpr const char* kOpenPath = "/healthz";

struct Connection {
  UniqueFd fd;
  std::size_t load = 0;
  int connect_errno = 0;
  bool connected = false;
  bool asked = false;  // an answer is due
  Clock::time_point due;
  http::ResponseParser parser{http::ParserLimits()};
  bool retry_after = false;
  std::size_t kind = 0;
  HttpRequest request;  // of a load with kinds; of others it is always the same
  std::string bytes;    // the same as it is sent
  LoadAnswer answer;    // its body only if somebody wants it
};

void keep_parts(const http::Fields& fields, LoadResult& result) {
  const std::string* value = http::find_field(fields, "server-timing");
  if (value == nullptr) return;
  for (const ServerTiming& timing : parse_server_timing(*value)) {
    result.parts[timing.name].push_back(static_cast<std::int64_t>(timing.milliseconds * 1e6));
  }
}

// One load under way.
struct Sender {
  Load load;
  std::string bytes;                // of the request, where there are no kinds
  std::vector<LoadResult> results;  // a kind; one where there are none
  std::uint32_t sent = 0;           // of all kinds
  std::uint32_t broken = 0;
  std::size_t turn = 0;
  Clock::time_point next;
  std::vector<Connection*> free;
  std::uint32_t connections = 0;

  bool may_send() const { return sent < load.requests_max && broken < kLoadBrokenMax; }
  std::size_t draw_kind() {
    if (load.kinds.empty()) return 0;
    return load.next_kind ? load.next_kind() : turn++ % load.kinds.size();
  }
  const LoadKind* kind(std::size_t index) const {
    return load.kinds.empty() ? nullptr : &load.kinds[index];
  }
  LoadResult result() const;
};

// Kinds begin together: the last answer of all is the latest of theirs.
LoadResult Sender::result() const {
  if (load.kinds.empty()) return results[0];
  LoadResult all;
  for (const LoadResult& one : results) {
    const nanoseconds took = std::max(all.took, one.took);
    add(all, one);
    all.took = took;
  }
  all.kinds = results;
  return all;
}

class Loads {
 public:
  static Result<std::unique_ptr<Loads>> make(const ServerAddress& server,
                                             const std::vector<Load>& loads);
  // Makes the connections of those that want them first.
  Status open();
  Status run(nanoseconds duration, const LoadWatch& watch);
  std::vector<LoadResult> results() const;

 private:
  explicit Loads(const ServerAddress& server) : server_(server) {}
  static Result<Sender> sender_of(const Load& load);
  void send_due(Clock::time_point now);
  bool all_sent() const;
  Connection* take_connection(std::size_t load);
  Connection* connect(std::size_t load);
  void ask(Connection& connection, std::size_t kind, Clock::time_point due);
  Status make_request(Connection& connection) const;
  void write_request(Connection& connection);
  void on_connected(Connection& connection);
  void on_event(Connection& connection);
  bool take(Connection& connection, std::string_view input);  // false: it is broken off
  bool keep_body(Connection& connection) const;               // false: it is too large
  void answered(Connection& connection);
  void lose(Connection& connection, const std::string& fault);
  void tell_kind(const Connection& connection) const;
  LoadResult& result_of(const Connection& connection);
  void arm_timer(Clock::time_point now, const LoadWatch& watch);

  const ServerAddress& server_;
  UniqueFd epoll_;
  UniqueFd timer_;
  std::vector<Sender> senders_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::uint32_t under_way_ = 0;
  Clock::time_point begin_;
  Clock::time_point end_;
};

Result<std::unique_ptr<Loads>> Loads::make(const ServerAddress& server,
                                           const std::vector<Load>& loads) {
  std::unique_ptr<Loads> made(new Loads(server));
  made->epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  made->timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!made->epoll_.valid() || !made->timer_.valid()) return errno_error("make epoll and timer");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // the timer; connections have their address
  if (::epoll_ctl(made->epoll_.get(), EPOLL_CTL_ADD, made->timer_.get(), &event) != 0) {
    return errno_error("watch timer");
  }
  for (const Load& load : loads) {
    ASSIGN_OR_RETURN(Sender sender, sender_of(load));
    made->senders_.push_back(std::move(sender));
  }
  return made;
}

Result<Sender> Loads::sender_of(const Load& load) {
  Sender sender;
  sender.load = load;
  sender.results.resize(std::max<std::size_t>(1, load.kinds.size()));
  if (load.kinds.empty()) {
    RETURN_IF_ERROR(append_request(sender.bytes, {"GET", load.path, {}, ""}));
  }
  return sender;
}

// One request by each connection, at once, so that all of them are needed. An answer shows that the
// node has accepted it; connect(2) alone does not.
Status Loads::open() {
  std::vector<Sender> wanted = senders_;
  for (Sender& sender : senders_) {
    Load opening;
    opening.path = kOpenPath;
    opening.connections_max = sender.load.connections_max;
    opening.requests_max = sender.load.open_first ? opening.connections_max : 0;
    ASSIGN_OR_RETURN(sender, sender_of(opening));
  }
  RETURN_IF_ERROR(run(kLoadGrace, {}));
  for (std::size_t i = 0; i < senders_.size(); ++i) {
    const LoadResult& result = senders_[i].results[0];
    if (count_of(result, 200) != senders_[i].load.requests_max) {
      return fail(ErrorCode::kUnavailable,
                  "open " + std::to_string(senders_[i].load.requests_max) + " connections: " +
                      (result.broken > 0 ? result.first_fault : "an answer was not 200"));
    }
    wanted[i].free = std::move(senders_[i].free);
    wanted[i].connections = senders_[i].connections;
  }
  senders_ = std::move(wanted);
  return ok();
}

std::vector<LoadResult> Loads::results() const {
  std::vector<LoadResult> results;
  for (const Sender& sender : senders_) results.push_back(sender.result());
  return results;
}

Status Loads::run(nanoseconds duration, const LoadWatch& watch) {
  begin_ = Clock::now();
  end_ = begin_ + duration;
  for (Sender& sender : senders_) sender.next = begin_;
  epoll_event events[kEventsMax];
  while (true) {
    const Clock::time_point now = Clock::now();
    if (Interrupt::happened()) {
      if (!watch.keep_interrupted) return fail(ErrorCode::kCancelled, "send load: interrupted");
      end_ = std::min(end_, now);
    }
    if (now < end_) send_due(now);
    if (all_sent()) end_ = std::min(end_, now);
    if (now >= end_ && under_way_ == 0) break;
    if (now >= end_ + kLoadGrace) break;
    if (watch.progress) watch.progress(std::max(nanoseconds(0), nanoseconds(end_ - now)));
    arm_timer(now, watch);
    const int count = ::epoll_wait(epoll_.get(), events, kEventsMax, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.ptr == nullptr) {
        std::uint64_t expirations = 0;
        (void)!::read(timer_.get(), &expirations, sizeof expirations);
      } else {
        on_event(*static_cast<Connection*>(events[i].data.ptr));
      }
    }
  }
  for (const auto& connection : connections_) {
    if (connection->asked) lose(*connection, "no answer came in time");
  }
  return ok();
}

bool Loads::all_sent() const {
  return std::all_of(senders_.begin(), senders_.end(),
                     [](const Sender& sender) { return !sender.may_send(); });
}

void Loads::send_due(Clock::time_point now) {
  for (std::size_t index = 0; index < senders_.size(); ++index) {
    Sender& sender = senders_[index];
    const bool closed_loop = sender.load.per_second == 0;
    const nanoseconds every(closed_loop ? 0 : std::int64_t(1e9 / sender.load.per_second));
    while (sender.next <= now && sender.may_send()) {
      Connection* connection = take_connection(index);
      if (connection == nullptr && closed_loop) break;
      const std::size_t kind = sender.draw_kind();
      if (connection == nullptr) {
        ++sender.results[kind].unsent;
      } else {
        ask(*connection, kind, closed_loop ? now : sender.next);
      }
      sender.next += every;
    }
  }
}

Connection* Loads::take_connection(std::size_t load) {
  Sender& sender = senders_[load];
  if (sender.free.empty()) {
    return sender.connections < sender.load.connections_max ? connect(load) : nullptr;
  }
  Connection* connection = sender.free.back();
  sender.free.pop_back();
  return connection;
}

// Does not wait for the node to accept it: the request is written once the socket is writable.
Connection* Loads::connect(std::size_t load) {
  ++senders_[load].connections;
  connections_.push_back(std::make_unique<Connection>());
  Connection& connection = *connections_.back();
  connection.load = load;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server_.port);
  ::inet_pton(AF_INET, server_.host.c_str(), &address.sin_addr);
  connection.fd.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(connection.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(connection.fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
          0 &&
      errno != EINPROGRESS) {
    connection.connect_errno = errno;
  }
  epoll_event event{};
  event.events = EPOLLOUT;
  event.data.ptr = &connection;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd.get(), &event);
  return &connection;
}

void Loads::ask(Connection& connection, std::size_t kind, Clock::time_point due) {
  connection.kind = kind;
  ++senders_[connection.load].sent;
  ++result_of(connection).sent;
  ++under_way_;
  connection.asked = true;
  connection.due = due;
  connection.answer = {};
  if (const auto made = make_request(connection); !made) {
    lose(connection, made.error().message);
  } else if (connection.connect_errno != 0) {
    lose(connection, errno_error("connect to node", connection.connect_errno).message);
  } else if (connection.connected) {
    write_request(connection);
  }
}

Status Loads::make_request(Connection& connection) const {
  const LoadKind* kind = senders_[connection.load].kind(connection.kind);
  if (kind == nullptr) return ok();
  connection.request = kind->request();
  connection.bytes.clear();
  return append_request(connection.bytes, connection.request);
}

void Loads::write_request(Connection& connection) {
  const Sender& sender = senders_[connection.load];
  const std::string& request = sender.load.kinds.empty() ? sender.bytes : connection.bytes;
  // An empty socket takes a request of this size at once.
  const ssize_t sent = ::send(connection.fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size())) {
    lose(connection, errno_error("send request").message);
  }
}

// connect(2): the socket is writable when it is connected, and when that failed.
void Loads::on_connected(Connection& connection) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(connection.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return lose(connection, errno_error("connect to node", error).message);
  connection.connected = true;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &connection;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd.get(), &event);
  write_request(connection);
}

void Loads::on_event(Connection& connection) {
  if (!connection.fd.valid()) return;  // lost earlier in this turn
  if (!connection.connected) return on_connected(connection);
  char buffer[16 << 10];
  const ssize_t size = ::recv(connection.fd.get(), buffer, sizeof buffer, 0);
  if (size < 0 && errno == EAGAIN) return;
  if (size < 0) return lose(connection, errno_error("read answer").message);
  if (size == 0) return lose(connection, "read answer: the connection broke off");
  if (!take(connection, {buffer, static_cast<std::size_t>(size)})) {
    const std::string reason(connection.parser.rejection().reason);
    lose(connection, "read answer: " + (reason.empty() ? "its body is too large" : reason));
  }
}

bool Loads::take(Connection& connection, std::string_view input) {
  for (;;) {
    switch (connection.parser.next(input)) {
      case http::Event::kMore:
        return true;
      case http::Event::kHead:
        connection.answer.status = connection.parser.head().status;
        connection.retry_after =
            http::find_field(connection.parser.head().fields, "retry-after") != nullptr;
        break;
      case http::Event::kBody:
        if (!keep_body(connection)) return false;
        break;
      case http::Event::kEnd:
        answered(connection);
        return true;
      case http::Event::kRejected:
        return false;
    }
  }
}

bool Loads::keep_body(Connection& connection) const {
  const LoadKind* kind = senders_[connection.load].kind(connection.kind);
  if (kind == nullptr || !kind->answered) return true;
  connection.answer.body += connection.parser.body();
  return connection.answer.body.size() <= kReplyBodyBytesMax;
}

void Loads::answered(Connection& connection) {
  Sender& sender = senders_[connection.load];
  LoadResult& result = result_of(connection);
  const Clock::time_point now = Clock::now();
  result.took = now - begin_;
  ++result.statuses[connection.answer.status];
  result.with_retry_after += connection.retry_after ? 1 : 0;
  if (connection.answer.status / 100 == 2) {
    result.samples.push_back(nanoseconds(now - connection.due).count());
    if (sender.load.parts) keep_parts(connection.parser.head().fields, result);
  }
  connection.asked = false;
  --under_way_;
  tell_kind(connection);
  if (!connection.parser.keep_alive()) return lose(connection, "");
  connection.parser = http::ResponseParser(http::ParserLimits());
  sender.free.push_back(&connection);
}

// The node may close one that is idle.
void Loads::lose(Connection& connection, const std::string& fault) {
  Sender& sender = senders_[connection.load];
  if (std::exchange(connection.asked, false)) {
    LoadResult& result = result_of(connection);
    if (result.broken++ == 0) result.first_fault = fault;
    ++sender.broken;
    --under_way_;
    connection.answer = {};
    tell_kind(connection);
  }
  std::erase(sender.free, &connection);
  --sender.connections;
  connection.fd.reset();
}

void Loads::tell_kind(const Connection& connection) const {
  const LoadKind* kind = senders_[connection.load].kind(connection.kind);
  if (kind != nullptr && kind->answered) kind->answered(connection.request, connection.answer);
}

LoadResult& Loads::result_of(const Connection& connection) {
  return senders_[connection.load].results[connection.kind];
}

// The next request that is due, or the end of what is waited for.
void Loads::arm_timer(Clock::time_point now, const LoadWatch& watch) {
  Clock::time_point next = now < end_ ? end_ : end_ + kLoadGrace;
  if (watch.progress) next = std::min(next, now + kLoadProgressEvery);
  for (const Sender& sender : senders_) {
    const bool more = sender.load.per_second > 0 && sender.may_send();
    if (more && now < end_) next = std::min(next, sender.next);
  }
  const nanoseconds left = std::max<nanoseconds>(next - Clock::now(), nanoseconds(1));
  itimerspec spec{};
  spec.it_value.tv_sec = static_cast<time_t>(left / std::chrono::seconds(1));
  spec.it_value.tv_nsec = static_cast<long>((left % std::chrono::seconds(1)).count());
  ::timerfd_settime(timer_.get(), 0, &spec, nullptr);
}

}  // namespace

std::function<std::size_t()> by_weights(std::vector<std::uint32_t> weights, std::uint64_t seed) {
  const std::uint64_t all = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  return [weights = std::move(weights), all, random = std::mt19937_64(seed)]() mutable {
    std::uint64_t drawn = random() % all;
    std::size_t kind = 0;
    while (drawn >= weights[kind]) drawn -= weights[kind++];
    return kind;
  };
}

std::uint32_t count_of(const LoadResult& result, int status) {
  const auto found = result.statuses.find(status);
  return found == result.statuses.end() ? 0 : found->second;
}

void add(LoadResult& all, const LoadResult& one) {
  all.sent += one.sent;
  all.unsent += one.unsent;
  for (const auto& [status, count] : one.statuses) all.statuses[status] += count;
  all.with_retry_after += one.with_retry_after;
  if (all.broken == 0) all.first_fault = one.first_fault;
  all.broken += one.broken;
  all.samples.insert(all.samples.end(), one.samples.begin(), one.samples.end());
  for (const auto& [name, samples] : one.parts) {
    all.parts[name].insert(all.parts[name].end(), samples.begin(), samples.end());
  }
  all.took += one.took;
  if (all.kinds.size() < one.kinds.size()) all.kinds.resize(one.kinds.size());
  for (std::size_t i = 0; i < one.kinds.size(); ++i) add(all.kinds[i], one.kinds[i]);
}

Result<std::vector<LoadResult>> run_loads(const ServerAddress& server,
                                          const std::vector<Load>& loads, nanoseconds duration,
                                          const LoadWatch& watch) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Loads> made, Loads::make(server, loads));
  RETURN_IF_ERROR(made->open());
  RETURN_IF_ERROR(made->run(duration, watch));
  return made->results();
}

}  // namespace subito::bench
