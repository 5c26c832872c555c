#include "runtime/sandbox/sandbox_control.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cstring>

#include "runtime/sandbox/launch.h"
#include "runtime/sandbox/packet_socket.h"

namespace subito::sandbox {
namespace {

struct Pair {
  UniqueFd node;
  UniqueFd pod;
};

Result<Pair> make_pair(int type) {
  int ends[2];
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) {
    return errno_error("make socket pair");
  }
  Pair pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return errno_error("make socket pair");
  return pair;
}

}  // namespace

Status SandboxControl::launch(const LaunchRequest& request) {
  ASSIGN_OR_RETURN(EncodedLaunch launch,
                   encode_launch(request.argv, request.envp, request.wait_for_limits));
  int fds[kPacketFdsMax] = {request.artefact_fd};
  std::size_t fd_count = 1;
  if (request.image_fd >= 0) fds[fd_count++] = request.image_fd;
  if (request.files_fd >= 0) fds[fd_count++] = request.files_fd;
  launch.head.with_image = request.image_fd >= 0 ? 1 : 0;
  launch.head.with_files = request.files_fd >= 0 ? 1 : 0;
  const int error = send_packet(fd(), &launch.head, sizeof launch.head, launch.strings.data(),
                                launch.strings.size(), fds, fd_count, MSG_DONTWAIT);
  ::explicit_bzero(launch.strings.data(), launch.strings.size());
  if (error != 0) return errno_error("launch pod: send request", error);
  return ok();
}

SandboxControl::State SandboxControl::read_outcome() {
  char buffer[sizeof(StepFailedMessage)];
  Packet packet;
  const int error = receive_packet(fd(), buffer, sizeof buffer, packet, MSG_DONTWAIT);
  if (error == EAGAIN) return {};
  if (const auto report = decode<StepFailedMessage>(buffer, packet.size); error == 0 && report) {
    return {Outcome::kFailed, step_error(report->step, report->os_errno)};
  }
  // ECONNRESET: it closed while our request still waited, so it never took it: it died.
  if (error == 0 && packet.size == 0) return {Outcome::kExecuted, {}};
  return {Outcome::kFailed, errno_error("hear sandbox", error != 0 ? error : EBADMSG)};
}

Result<SandboxSockets> make_sandbox_sockets() {
  ASSIGN_OR_RETURN(Pair channel, make_pair(SOCK_STREAM));
  ASSIGN_OR_RETURN(Pair stdio, make_pair(SOCK_STREAM));
  ASSIGN_OR_RETURN(Pair control, make_pair(SOCK_SEQPACKET));
  return SandboxSockets{{std::move(channel.node), std::move(stdio.node), std::move(control.node)},
                        {std::move(channel.pod), std::move(stdio.pod), std::move(control.pod)}};
}

}  // namespace subito::sandbox
