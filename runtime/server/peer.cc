#include "runtime/server/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace subito::server {
namespace {

void take_ipv6(const sockaddr_in6& from, Peer& peer) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  peer.port = ntohs(from.sin6_port);
  if (IN6_IS_ADDR_V4MAPPED(&from.sin6_addr)) {
    in_addr mapped{};
    std::memcpy(&mapped, &from.sin6_addr.s6_addr[12], sizeof mapped);
    ::inet_ntop(AF_INET, &mapped, text.data(), text.size());
  } else {
    ::inet_ntop(AF_INET6, &from.sin6_addr, text.data(), text.size());
  }
  peer.address = text.data();
}

}  // namespace

Peer peer_of(int fd) {
  Peer peer;
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&from), &size) != 0) return peer;
  if (from.ss_family == AF_INET) {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(from);
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &ipv4.sin_addr, text.data(), text.size());
    peer.address = text.data();
    peer.port = ntohs(ipv4.sin_port);
  } else if (from.ss_family == AF_INET6) {
    take_ipv6(reinterpret_cast<const sockaddr_in6&>(from), peer);
  } else if (from.ss_family == AF_UNIX) {
    ucred who{};
    size = sizeof who;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0)
      peer.process = Peer::Process{who.pid, who.uid, who.gid};
  }
  return peer;
}

}  // namespace subito::server
