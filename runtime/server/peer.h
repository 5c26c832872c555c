// Peer: who is at the other end of a connection, as the kernel knows. A value.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace subito::server {

struct Peer {
  // Who connected to a Unix socket, as it was then (unix(7), SO_PEERCRED).
  struct Process {
    pid_t pid = 0;
    uid_t uid = 0;
    gid_t gid = 0;
  };
  // Numeric, IPv4 as such also when it came in over IPv6; empty: a Unix socket, or nobody any more.
  std::string address;
  std::uint16_t port = 0;
  std::optional<Process> process;
};

// Asks about a connected socket.
Peer peer_of(int fd);

}  // namespace subito::server
