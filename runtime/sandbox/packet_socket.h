// Sending and receiving one packet with descriptors over a unix(7) socket. Stateless; used by the
// node, the launcher and a sandbox before its exec alike.
#pragma once

#include <sys/socket.h>

#include <cstddef>

#include "runtime/base/unique_fd.h"

namespace subito::sandbox {

constexpr std::size_t kPacketFdsMax = 3;

struct Packet {
  std::size_t size = 0;  // 0: end of file
  std::size_t fd_count = 0;
  UniqueFd fds[kPacketFdsMax];
};

// 0 or an errno. `flags` as of send(2); MSG_NOSIGNAL is added.
int send_packet(int socket, const void* head, std::size_t head_size, const void* body,
                std::size_t body_size, const int* fds, std::size_t fd_count, int flags);

// 0 or an errno. A packet that did not fit is EMSGSIZE. One that lost descriptors, since this
// process may have no more of them, is EMFILE: it is there but for them.
int receive_packet(int socket, void* buffer, std::size_t capacity, Packet& packet, int flags);

}  // namespace subito::sandbox
