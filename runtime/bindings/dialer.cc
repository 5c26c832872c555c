#include "runtime/bindings/dialer.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/base/check.h"

namespace subito::bindings {
namespace {

// A Unix socket whose backlog is full refuses with EAGAIN (connect(2)): asked again this often.
constexpr Duration kUnixRetryInterval = std::chrono::milliseconds(5);

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Address unix_address(const std::string& path) {
  Address address;
  auto* un = reinterpret_cast<sockaddr_un*>(&address.storage);
  un->sun_family = AF_UNIX;
  CHECK(path.size() < sizeof un->sun_path);
  std::copy(path.begin(), path.end(), un->sun_path);
  address.size = static_cast<socklen_t>(sizeof(sockaddr_un));
  return address;
}

std::vector<Address> addresses_of(const addrinfo* list) {
  std::vector<Address> addresses;
  for (; list != nullptr && addresses.size() < kAddressesMax; list = list->ai_next) {
    Address address;
    address.size = list->ai_addrlen;
    std::copy_n(reinterpret_cast<const char*>(list->ai_addr), list->ai_addrlen,
                reinterpret_cast<char*>(&address.storage));
    addresses.push_back(address);
  }
  return addresses;
}

// Of a numeric host; none: it is a name.
std::vector<Address> numeric_addresses(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return {};
  std::vector<Address> addresses = addresses_of(found);
  freeaddrinfo(found);
  return addresses;
}

// What a person can act on is "nobody is there", whatever the kernel calls it.
ErrorCode connect_code(int error) {
  switch (error) {
    case EPERM:
    case EACCES:
      return ErrorCode::kPermissionDenied;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
      return ErrorCode::kResourceExhausted;
    default:
      return ErrorCode::kUnavailable;
  }
}

}  // namespace

// One dial. Every outcome goes through Dialer::finish(), the last thing its caller does: it may
// destroy this.
class Dialer::Dial {
 public:
  Dial(Dialer& dialer, DialId id, Room room, Target target, Duration timeout, Callback callback)
      : dialer_(dialer),
        id_(id),
        room_(room),
        target_(std::move(target)),
        timeout_(timeout),
        end_(dialer.loop_.now() + timeout),
        callback_(std::move(callback)),
        step_(dialer.loop_, [this] { on_step(); }),
        share_(dialer.loop_, [this] { try_next(ETIMEDOUT); }),
        deadline_(dialer.loop_, [this] { on_deadline(); }) {
    if (room != Room::kLater) step_.start(Duration::zero());
    deadline_.start(timeout);
  }

  ~Dial() {
    if (lookup_) dialer_.lookups_.cancel(lookup_);
  }

  Callback take_callback() { return std::move(callback_); }
  Room room() const { return room_; }
  const std::string& owner() const { return target_.owner; }
  void give_room() {
    room_ = Room::kNow;
    step_.start(Duration::zero());
  }

 private:
  enum class State { kQueued, kResolving, kConnecting, kWaitingForBacklog, kDone };

  void transition(State to) {
    const bool legal = [&] {
      switch (state_) {
        case State::kQueued:
          return to != State::kQueued && to != State::kWaitingForBacklog;
        case State::kResolving:
          return to == State::kConnecting || to == State::kDone;
        case State::kConnecting:
          return to != State::kQueued && to != State::kResolving;
        case State::kWaitingForBacklog:
          return to == State::kConnecting || to == State::kDone;
        case State::kDone:
          return false;
      }
      return false;
    }();
    CHECK(legal);
    state_ = to;
  }

  void on_step() {
    if (state_ == State::kWaitingForBacklog) return connect_next();
    if (room_ == Room::kNever) {
      return end(fail(ErrorCode::kResourceExhausted,
                      doing() + ": too many connections are being made already"));
    }
    if (target_.endpoint.host.empty()) {
      addresses_.push_back(unix_address(target_.endpoint.unix_path));
      return connect_next();
    }
    resolve();
  }

  void resolve() {
    const Endpoint& endpoint = target_.endpoint;
    const std::string port = std::to_string(endpoint.port);
    addresses_ = numeric_addresses(endpoint.host, port);
    if (!addresses_.empty()) return connect_next();
    transition(State::kResolving);
    lookup_ = dialer_.lookups_.start(target_.owner, endpoint.host, port,
                                     [this](int status, const addrinfo* found) {
                                       lookup_ = {};
                                       on_addresses(status, found);
                                     });
  }

  void on_addresses(int status, const addrinfo* found) {
    if (status == 0) addresses_ = addresses_of(found);
    if (!addresses_.empty()) return connect_next();
    const auto code = status == UV_EAI_NONAME ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
    const char* reason = status == 0 ? "it has no address" : uv_strerror(status);
    end(fail(code, doing() + ": resolve name: " + reason));
  }

  void connect_next() {
    while (tried_ < addresses_.size()) {
      const Address& address = addresses_[tried_];
      if (state_ != State::kConnecting) transition(State::kConnecting);
      const int family = address.storage.ss_family;
      fd_.reset(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      const int done = !fd_.valid()
                           ? -1
                           : connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address.storage),
                                     address.size);
      if (done == 0) return connected();
      if (errno == EINPROGRESS) return watch();
      if (family == AF_UNIX && errno == EAGAIN) {
        transition(State::kWaitingForBacklog);
        return step_.start(kUnixRetryInterval);
      }
      last_errno_ = errno;
      ++tried_;
    }
    refused();
  }

  void watch() {
    poll_.emplace(dialer_.loop_, fd_.get(), [this](int, int) { on_writable(); });
    poll_->start(UV_WRITABLE);
    const std::size_t left = addresses_.size() - tried_;
    if (left > 1) share_.start((end_ - dialer_.loop_.now()) / static_cast<int>(left));
  }

  void on_writable() {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return try_next(error);
    poll_.reset();
    // Asked again, it takes note that it is connected; else, once reset, it could be connected
    // anew.
    const Address& address = addresses_[tried_];
    const auto* peer = reinterpret_cast<const sockaddr*>(&address.storage);
    if (connect(fd_.get(), peer, address.size) != 0) return try_next(errno);
    connected();
  }

  void try_next(int error) {
    poll_.reset();
    share_.stop();
    last_errno_ = error;
    ++tried_;
    connect_next();
  }

  void connected() {
    if (!target_.endpoint.host.empty()) {
      const int on = 1;
      // A lost optimisation is no reason to fail.
      (void)setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (auto blocking = make_blocking(fd_.get()); !blocking) return end(blocking.error());
    end(std::move(fd_));
  }

  void refused() {
    Error error = errno_error(doing(), last_errno_);
    error.code = connect_code(last_errno_);
    end(std::move(error));
  }

  void on_deadline() {
    using std::chrono::milliseconds;
    const auto waited = std::chrono::duration_cast<milliseconds>(timeout_).count();
    const bool in_line = room_ == Room::kLater || dialer_.lookups_.in_line(lookup_);
    const std::string owner = target_.owner.empty() ? "the node" : target_.owner;
    const std::string reason =
        in_line ? ": in line behind others of " + owner + " for " : ": no answer within ";
    end(fail(ErrorCode::kDeadlineExceeded, doing() + reason + std::to_string(waited) + " ms"));
  }

  std::string doing() const { return "connect " + target_.name + " at " + target_.endpoint.text(); }

  void end(Result<UniqueFd>&& result) {
    transition(State::kDone);
    poll_.reset();
    dialer_.finish(id_, std::move(result));
  }

  Dialer& dialer_;
  const DialId id_;
  Room room_;
  const Target target_;
  const Duration timeout_;
  const TimePoint end_;
  Callback callback_;
  State state_ = State::kQueued;
  std::vector<Address> addresses_;
  std::size_t tried_ = 0;
  int last_errno_ = 0;
  UniqueFd fd_;
  LookupId lookup_;           // none: none under way
  std::optional<Poll> poll_;  // after fd_: goes before it
  Timer step_;
  Timer share_;  // the time of one address of several
  Timer deadline_;
};

Dialer::Dialer(Loop& loop, std::size_t dials_max)
    : loop_(loop), dials_max_(dials_max), lookups_(loop) {}
Dialer::~Dialer() = default;

DialId Dialer::dial(Target target, Duration timeout, Callback callback) {
  const DialId id = ids_.next();
  const Room room = take_room(target.owner, id);
  dials_.emplace(
      id, std::make_unique<Dial>(*this, id, room, std::move(target), timeout, std::move(callback)));
  return id;
}

Dialer::Room Dialer::take_room(const std::string& owner, DialId id) {
  if (const auto it = owners_.find(owner);
      it != owners_.end() && it->second.making >= kDialsPerOwnerMax) {
    if (it->second.waiting.size() >= kWaitingPerOwnerMax) return Room::kNever;
    it->second.waiting.push_back(id);
    return Room::kLater;
  }
  if (making_ >= dials_max_) return Room::kNever;
  ++making_;
  if (!owner.empty()) ++owners_[owner].making;
  return Room::kNow;
}

// The next in line takes the place, so there is one for it.
void Dialer::leave_room(const std::string& owner) {
  const auto it = owners_.find(owner);
  if (it != owners_.end() && !it->second.waiting.empty()) {
    dials_.at(it->second.waiting.front())->give_room();
    it->second.waiting.pop_front();
    return;
  }
  --making_;
  if (it != owners_.end() && --it->second.making == 0) owners_.erase(it);
}

std::unique_ptr<Dialer::Dial> Dialer::extract(DialId id) {
  auto node = dials_.extract(id);
  if (node.empty()) return nullptr;
  const Dial& dial = *node.mapped();
  if (dial.room() == Room::kNow) leave_room(dial.owner());
  if (dial.room() == Room::kLater) std::erase(owners_.at(dial.owner()).waiting, id);
  return std::move(node.mapped());
}

void Dialer::cancel(DialId id) {
  extract(id);
}

void Dialer::finish(DialId id, Result<UniqueFd>&& result) {
  // Alive until the callback is through, whatever the callback does.
  const auto dial = extract(id);
  CHECK(dial != nullptr);
  const Callback callback = dial->take_callback();
  callback(std::move(result));
}

Status make_blocking(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) {
    return errno_error("make socket blocking");
  }
  return ok();
}

}  // namespace subito::bindings
