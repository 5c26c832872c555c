#include "runtime/sandbox/packet_socket.h"

#include <cerrno>
#include <cstring>

namespace subito::sandbox {

int send_packet(int socket, const void* head, std::size_t head_size, const void* body,
                std::size_t body_size, const int* fds, std::size_t fd_count, int flags) {
  iovec parts[2] = {{const_cast<void*>(head), head_size}, {const_cast<void*>(body), body_size}};
  alignas(cmsghdr) char ancillary[CMSG_SPACE(kPacketFdsMax * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = body_size > 0 ? 2 : 1;
  if (fd_count > 0) {
    message.msg_control = ancillary;
    message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
  }
  while (::sendmsg(socket, &message, flags | MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

namespace {

void adopt_descriptors(msghdr& message, Packet& packet) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      UniqueFd owned(fd);
      if (packet.fd_count < kPacketFdsMax) packet.fds[packet.fd_count++] = std::move(owned);
    }
  }
}

}  // namespace

int receive_packet(int socket, void* buffer, std::size_t capacity, Packet& packet, int flags) {
  iovec part{buffer, capacity};
  alignas(cmsghdr) char ancillary[CMSG_SPACE(kPacketFdsMax * sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = ancillary;
  message.msg_controllen = sizeof ancillary;
  ssize_t size = 0;
  while ((size = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC)) < 0) {
    if (errno != EINTR) return errno;
  }
  packet.size = static_cast<std::size_t>(size);
  adopt_descriptors(message, packet);
  if ((message.msg_flags & MSG_TRUNC) != 0) return EMSGSIZE;
  return (message.msg_flags & MSG_CTRUNC) != 0 ? EMFILE : 0;
}

}  // namespace subito::sandbox
