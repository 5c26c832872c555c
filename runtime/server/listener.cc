#include "runtime/server/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/server/port_owner.h"

namespace subito::server {
namespace {

constexpr int kBacklog = 1024;
constexpr int kAcceptsPerTurn = 64;  // so that a flood of new clients does not starve the others
constexpr std::chrono::milliseconds kPause{100};  // when the system has no descriptor left

std::string name_of(const Address& address) {
  if (address.kind == Address::Kind::kUnix) return address.host;
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Error listen_error(const Address& address) {
  const int error = errno;
  const std::string doing = "listen on " + name_of(address);
  if (error != EADDRINUSE) return errno_error(doing, error);
  const std::string owner =
      address.kind == Address::Kind::kTcp ? port_owner(address.port) : std::string();
  return {ErrorCode::kAlreadyExists,
          doing + ": " + (owner.empty() ? "it is taken" : "it is taken by " + owner), error};
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
};

Result<SocketAddress> socket_address(const Address& address) {
  SocketAddress out;
  if (address.kind == Address::Kind::kUnix) {
    auto* un = reinterpret_cast<sockaddr_un*>(&out.storage);
    if (address.host.empty() || address.host.size() >= sizeof un->sun_path) {
      return fail(ErrorCode::kInvalidArgument,
                  "listen on " + address.host + ": a socket's path has 1 to 107 bytes");
    }
    un->sun_family = AF_UNIX;
    std::memcpy(un->sun_path, address.host.c_str(), address.host.size() + 1);
    out.size = sizeof *un;
    return out;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    out.size = sizeof *v4;
  } else if (inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    out.size = sizeof *v6;
  } else {
    return fail(ErrorCode::kInvalidArgument,
                "listen on " + address.host + ": not a numeric address");
  }
  return out;
}

// True when `path` is a socket that nobody listens on: its owner died. connect(2): ECONNREFUSED.
bool is_stale_socket(const Address& address, SocketAddress& where) {
  struct stat info {};
  if (::lstat(address.host.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return false;
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return probe.valid() && ::connect(probe.get(), where.raw(), where.size) != 0 &&
         errno == ECONNREFUSED;
}

Status bind_unix(int fd, const Address& address, SocketAddress& where) {
  if (::bind(fd, where.raw(), where.size) != 0) {
    const int error = errno;
    if (error == EADDRINUSE && is_stale_socket(address, where)) ::unlink(address.host.c_str());
    if (::bind(fd, where.raw(), where.size) != 0) return listen_error(address);
  }
  // Nobody can connect before listen(2), so nobody gets in between.
  if (::chmod(address.host.c_str(), S_IRUSR | S_IWUSR) != 0) return listen_error(address);
  return ok();
}

Status bind_tcp(int fd, Address& address, SocketAddress& where) {
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Bound without it, the first of ours shares the port with nobody else's (socket(7)).
  const auto share = [&] { ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on); };
  if (address.shared && !address.first) share();
  // Linux hands it on to the accepted sockets: answers leave whole, nothing to wait for.
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::bind(fd, where.raw(), where.size) != 0) return listen_error(address);
  if (address.shared && address.first) share();
  if (::getsockname(fd, where.raw(), &where.size) != 0) return listen_error(address);
  address.port = ntohs(where.storage.ss_family == AF_INET
                           ? reinterpret_cast<sockaddr_in*>(&where.storage)->sin_port
                           : reinterpret_cast<sockaddr_in6*>(&where.storage)->sin6_port);
  return ok();
}

}  // namespace

Status check_port(const Address& wanted) {
  Address address = wanted;
  ASSIGN_OR_RETURN(SocketAddress where, socket_address(address));
  const UniqueFd fd(::socket(where.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return listen_error(address);
  return bind_tcp(fd.get(), address, where);
}

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Address& wanted,
                                                 OnAccept on_accept) {
  Address address = wanted;
  ASSIGN_OR_RETURN(SocketAddress where, socket_address(address));
  UniqueFd fd(::socket(where.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return listen_error(address);
  const bool tcp = address.kind == Address::Kind::kTcp;
  RETURN_IF_ERROR(tcp ? bind_tcp(fd.get(), address, where) : bind_unix(fd.get(), address, where));
  if (::listen(fd.get(), kBacklog) != 0) return listen_error(address);
  return std::unique_ptr<Listener>(
      new Listener(loop, std::move(address), std::move(fd), std::move(on_accept)));
}

Listener::Listener(Loop& loop, Address address, UniqueFd socket, OnAccept on_accept)
    : address_(std::move(address)),
      socket_(std::move(socket)),
      on_accept_(std::move(on_accept)),
      poll_(loop, socket_.get(), [this](int, int) { accept_some(); }),
      pause_(loop, [this] { poll_.start(UV_READABLE); }) {
  poll_.start(UV_READABLE);
}

Listener::~Listener() {
  if (address_.kind == Address::Kind::kUnix) ::unlink(address_.host.c_str());
}

void Listener::accept_some() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    UniqueFd client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (client.valid()) {
      on_accept_(std::move(client));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    // No descriptor or memory left (accept(2): EMFILE, ENFILE, ENOBUFS, ENOMEM). The socket stays
    // readable: watching it would spin.
    poll_.stop();
    pause_.start(kPause);
    return;
  }
}

}  // namespace subito::server
