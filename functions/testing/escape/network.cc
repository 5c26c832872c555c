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
#include <cstdint>
#include <cstdlib>

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

// The node is at the channel's other end: a pidfd of it?
constexpr int kPassPidfd = 76;  // SO_PASSPIDFD and SO_PEERPIDFD, newer than this libc
constexpr int kPeerPidfd = 77;
Outcome peer_pidfd(const char*) {
  int pidfd = -1;
  socklen_t size = sizeof pidfd;
  return judge(::getsockopt(3, SOL_SOCKET, kPeerPidfd, &pidfd, &size), "pidfd of the node");
}
Outcome pass_pidfd(const char*) {
  const int on = 1;
  return judge(::setsockopt(3, SOL_SOCKET, kPassPidfd, &on, sizeof on), "pidfds with messages");
}

// A connection that was handed over has been reset: is it good for another, to 127.0.0.1:PORT? The
// first try takes the error that waits in the socket.
template <typename Send>
Outcome open_again(const char* port, const Send& send) {
  const int fd = take_descriptor();
  if (fd < 0) return {"no socket came"};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  char byte = 'x';
  iovec part = {&byte, 1};
  mmsghdr message = {};
  message.msg_hdr.msg_name = &address;
  message.msg_hdr.msg_namelen = sizeof address;
  message.msg_hdr.msg_iov = &part;
  message.msg_hdr.msg_iovlen = 1;
  send(fd, message);
  return judge(send(fd, message), "sent to an address of its own choice");
}

Outcome reopen_by_sendto(const char* port) {
  return open_again(port, [](int fd, mmsghdr& message) {
    const msghdr& to = message.msg_hdr;
    return ::sendto(fd, to.msg_iov->iov_base, to.msg_iov->iov_len, MSG_FASTOPEN,
                    static_cast<const sockaddr*>(to.msg_name), to.msg_namelen);
  });
}
Outcome reopen_by_sendmsg(const char* port) {
  return open_again(
      port, [](int fd, mmsghdr& message) { return ::sendmsg(fd, &message.msg_hdr, MSG_FASTOPEN); });
}
Outcome reopen_by_sendmmsg(const char* port) {
  return open_again(
      port, [](int fd, mmsghdr& message) { return ::sendmmsg(fd, &message, 1, MSG_FASTOPEN); });
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
                                    {"peer-pidfd", peer_pidfd},
                                    {"pass-pidfd", pass_pidfd},
                                    {"reopen-by-sendto", reopen_by_sendto},
                                    {"reopen-by-sendmsg", reopen_by_sendmsg},
                                    {"reopen-by-sendmmsg", reopen_by_sendmmsg},
                                    {nullptr, nullptr}};

}  // namespace escape
