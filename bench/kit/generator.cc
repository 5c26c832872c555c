#include "bench/kit/generator.h"

#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <ctime>

#include "bench/interrupt.h"

namespace subito::bench {

namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kReadBytes = 64 << 10;
constexpr int kEventsAtOnce = 256;
// The longest wait for an event: an interrupt that came just before it is seen then.
constexpr std::chrono::milliseconds kLookEvery{100};

nanoseconds own_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

}  // namespace

struct Generator::Connection {
  explicit Connection(const Expected& expected) : reader(expected) {}
  UniqueFd fd;
  AnswerReader reader;
  Clock::time_point due;
  bool asked = false;
};

double TrafficResult::per_second() const {
  if (took.count() <= 0) return 0;
  return static_cast<double>(answers) / std::chrono::duration<double>(took).count();
}

void add(TrafficResult& all, const TrafficResult& one) {
  all.answers += one.answers;
  if (all.errors == 0) all.first_error = one.first_error;
  all.errors += one.errors;
  all.took += one.took;
  all.latency.merge(one.latency);
  all.lateness.merge(one.lateness);
  all.own_cpu += one.own_cpu;
  all.interrupted = all.interrupted || one.interrupted;
}

Generator::Generator(const Traffic& traffic)
    : traffic_(std::make_unique<Traffic>(traffic)), events_(kEventsAtOnce), buffer_(kReadBytes) {}
Generator::~Generator() = default;
Generator::Generator(Generator&&) noexcept = default;

Result<Generator> Generator::open(const Traffic& traffic) {
  Generator generator(traffic);
  generator.epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!generator.epoll_.valid()) return errno_error("make epoll");
  // prctl(2): a wait may else end 50 us after it should.
  ::prctl(PR_SET_TIMERSLACK, 1);
  RETURN_IF_ERROR(append_request(generator.bytes_, traffic.request));
  for (std::uint32_t i = 0; i < traffic.connections; ++i) RETURN_IF_ERROR(generator.connect());
  return generator;
}

// Blocking, and only watched once it was answered: the first answer shows that the server has
// accepted it; connect(2) alone does not.
Status Generator::connect() {
  auto connection = std::make_unique<Connection>(traffic_->expected);
  ASSIGN_OR_RETURN(connection->fd, connect_socket(traffic_->server));
  RETURN_IF_ERROR(send_all(connection->fd.get(), bytes_));
  for (auto outcome = AnswerReader::Outcome::kMore; outcome != AnswerReader::Outcome::kRight;) {
    ASSIGN_OR_RETURN(const std::string_view input,
                     receive(connection->fd.get(), buffer_.data(), buffer_.size()));
    outcome = connection->reader.take(input);
    if (outcome == AnswerReader::Outcome::kWrong) {
      return fail(ErrorCode::kProtocol,
                  "ask for " + traffic_->request.path + ": " + connection->reader.fault());
    }
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = connection.get();
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection->fd.get(), &event) != 0) {
    return errno_error("watch connection");
  }
  free_.push_back(connection.get());
  connections_.push_back(std::move(connection));
  return ok();
}

TrafficResult Generator::run(nanoseconds duration) {
  result_ = {};
  due_ = 0;
  const nanoseconds cpu_before = own_cpu_time();
  begin_ = Clock::now();
  end_ = begin_ + duration;
  for (;;) {
    const Clock::time_point now = Clock::now();
    if (Interrupt::happened() && !result_.interrupted) {
      result_.interrupted = true;
      end_ = std::min(end_, now);
    }
    send_due(now);
    const bool sends = sending() && (open_loop() || now < end_);
    if (!sends && under_way_ == 0) break;
    if (now >= end_ + kTrafficGrace) break;
    wait(now);
  }
  count_unsent();
  for (const auto& connection : connections_) {
    if (connection->asked) lose(*connection, "read answer: it did not come in time");
  }
  result_.own_cpu = own_cpu_time() - cpu_before;
  return std::move(result_);
}

// Of a timetable, all that is due before the end is still sent behind it.
bool Generator::sending() const {
  if (result_.errors >= kTrafficErrorsMax || (free_.empty() && under_way_ == 0)) return false;
  return !open_loop() || due_at(due_) < end_;
}

Generator::Clock::time_point Generator::due_at(std::uint64_t number) const {
  const double after = static_cast<double>(number) * 1e9 / traffic_->per_second;
  return begin_ + nanoseconds(static_cast<std::int64_t>(after));
}

void Generator::send_due(Clock::time_point now) {
  while (!free_.empty() && sending()) {
    const Clock::time_point due = open_loop() ? due_at(due_) : now;
    if (due > now || (!open_loop() && now >= end_)) return;
    Connection* connection = free_.back();
    free_.pop_back();
    ++due_;
    if (open_loop()) result_.lateness.record(nanoseconds(now - due).count());
    send(*connection, due);
  }
}

void Generator::send(Connection& connection, Clock::time_point due) {
  connection.asked = true;
  connection.due = due;
  ++under_way_;
  // An empty socket takes a request of this size at once.
  const ssize_t sent =
      ::send(connection.fd.get(), bytes_.data(), bytes_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent != static_cast<ssize_t>(bytes_.size())) {
    lose(connection, errno_error("send request").message);
  }
}

// Until an answer comes, the next request is due, or the time is over.
void Generator::wait(Clock::time_point now) {
  Clock::time_point until = now < end_ ? end_ : end_ + kTrafficGrace;
  until = std::min(until, now + kLookEvery);
  if (open_loop() && !free_.empty() && sending()) until = std::min(until, due_at(due_));
  const nanoseconds left = std::max(nanoseconds(0), nanoseconds(until - now));
  timespec timeout{};
  timeout.tv_sec = static_cast<time_t>(left / std::chrono::seconds(1));
  timeout.tv_nsec = static_cast<long>((left % std::chrono::seconds(1)).count());
  const int count = ::epoll_pwait2(epoll_.get(), events_.data(), kEventsAtOnce, &timeout, nullptr);
  for (int i = 0; i < count; ++i) on_readable(*static_cast<Connection*>(events_[i].data.ptr));
}

void Generator::on_readable(Connection& connection) {
  if (!connection.fd.valid()) return;  // lost earlier in this turn
  const ssize_t size = ::recv(connection.fd.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (size < 0 && errno == EAGAIN) return;
  if (size < 0) return lose(connection, errno_error("read answer").message);
  if (size == 0) return lose(connection, "read answer: the connection broke off");
  if (!connection.asked) return lose(connection, "read answer: one that nobody asked for");
  switch (connection.reader.take({buffer_.data(), static_cast<std::size_t>(size)})) {
    case AnswerReader::Outcome::kMore:
      return;
    case AnswerReader::Outcome::kWrong:
      return lose(connection, connection.reader.fault());
    case AnswerReader::Outcome::kRight:
      return answered(connection);
  }
}

void Generator::answered(Connection& connection) {
  const Clock::time_point now = Clock::now();
  ++result_.answers;
  result_.took = now - begin_;
  result_.latency.record(nanoseconds(now - connection.due).count());
  connection.asked = false;
  --under_way_;
  if (!open_loop() && now < end_ && sending()) return send(connection, now);
  free_.push_back(&connection);
  if (open_loop()) send_due(now);
}

// It is not made again: a run with an error has failed.
void Generator::lose(Connection& connection, const std::string& reason) {
  if (result_.errors++ == 0) result_.first_error = reason;
  if (std::exchange(connection.asked, false)) --under_way_;
  std::erase(free_, &connection);
  connection.fd.reset();
}

void Generator::count_unsent() {
  std::uint64_t unsent = 0;
  while (open_loop() && due_at(due_) < end_) {
    ++due_;
    ++unsent;
  }
  if (unsent == 0) return;
  if (result_.errors == 0) {
    result_.first_error = "send " + std::to_string(unsent) +
                          " requests: no connection became free in time; the rate is too high";
  }
  result_.errors += unsent;
}

}  // namespace subito::bench
