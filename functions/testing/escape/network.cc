// Reaching a network, or somebody else's socket.
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>

#include "functions/testing/escape/attempt.h"

namespace escape {
namespace {

Outcome make(int domain, int type, int protocol) {
  return judge(::socket(domain, type | SOCK_CLOEXEC, protocol), "socket");
}

Outcome tcp(const char*) {
  return make(AF_INET, SOCK_STREAM, 0);
}
Outcome tcp6(const char*) {
  return make(AF_INET6, SOCK_STREAM, 0);
}
Outcome udp(const char*) {
  return make(AF_INET, SOCK_DGRAM, 0);
}
Outcome raw(const char*) {
  return make(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}
Outcome packet(const char*) {
  return make(AF_PACKET, SOCK_RAW, 0);
}
Outcome netlink(const char*) {
  return make(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}
Outcome vsock(const char*) {
  return make(AF_VSOCK, SOCK_STREAM, 0);
}
Outcome unix_stream(const char*) {
  return make(AF_UNIX, SOCK_STREAM, 0);
}

sockaddr_un abstract_address(const char* name, socklen_t& size) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(name);
  std::memcpy(address.sun_path + 1, name, length);
  size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  return address;
}

Outcome abstract(const char* name) {
  socklen_t size = 0;
  const sockaddr_un address = abstract_address(name, size);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return denied(errno);
  return judge(::connect(fd, reinterpret_cast<const sockaddr*>(&address), size), "connected");
}

Outcome pair(const char*) {
  int ends[2];
  return judge(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socket pair");
}

// The channel is a socket that it has: what else could it be made into?
Outcome bind_channel(const char*) {
  socklen_t size = 0;
  const sockaddr_un address = abstract_address("subito-escape", size);
  return judge(::bind(3, reinterpret_cast<const sockaddr*>(&address), size), "bound");
}
Outcome connect_channel(const char*) {
  socklen_t size = 0;
  const sockaddr_un address = abstract_address("subito-escape", size);
  return judge(::connect(3, reinterpret_cast<const sockaddr*>(&address), size), "connected");
}
Outcome listen_channel(const char*) {
  return judge(::listen(3, 1), "listening");
}
Outcome accept_channel(const char*) {
  return judge(::accept(3, nullptr, nullptr), "accepted");
}

}  // namespace

const Attempt kNetworkAttempts[] = {{"tcp", tcp},
                                    {"tcp6", tcp6},
                                    {"udp", udp},
                                    {"raw", raw},
                                    {"packet", packet},
                                    {"netlink", netlink},
                                    {"vsock", vsock},
                                    {"unix", unix_stream},
                                    {"abstract", abstract},
                                    {"socketpair", pair},
                                    {"bind-channel", bind_channel},
                                    {"connect-channel", connect_channel},
                                    {"listen-channel", listen_channel},
                                    {"accept-channel", accept_channel},
                                    {nullptr, nullptr}};

}  // namespace escape
