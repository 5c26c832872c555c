// subito-launcher: started by the node (launcher_client.cc) with its socket as descriptor 3; not
// for people. See launcher.h.
#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "runtime/sandbox/launcher.h"

namespace subito::sandbox {
namespace {

constexpr int kSocket = 3;
constexpr int kReservedFdsEnd = 6;  // pods put their own at 0 to 5 (pod_init.cc)

template <typename Message>
bool send(const Message& message) {
  return send_packet(kSocket, &message, sizeof message, nullptr, 0, nullptr, 0, 0) == 0;
}

bool reserve_descriptors() {
  ::close_range(kSocket + 1, ~0U, 0);
  for (int fd = kSocket + 1; fd < kReservedFdsEnd; ++fd) {
    if (::open("/dev/null", O_RDONLY | O_CLOEXEC) != fd) return false;
  }
  return ::fcntl(kSocket, F_SETFD, FD_CLOEXEC) == 0;
}

int serve() {
  ConfigureMessage config;
  Packet packet;
  if (receive_packet(kSocket, &config, sizeof config, packet, 0) != 0 ||
      !decode<ConfigureMessage>(&config, packet.size)) {
    std::fprintf(stderr, "subito-launcher: started by the node only, not by hand\n");
    return 2;
  }
  auto launcher = Launcher::open(config, kSocket);
  if (!launcher) {
    StartFailedMessage failure;
    failure.os_errno = launcher.error().os_errno;
    std::strncpy(failure.reason, launcher.error().message.c_str(), kReasonBytesMax);
    send(failure);
    return 1;
  }
  if (!send(ReadyMessage{})) return 1;
  launcher->run();
  return 0;
}

}  // namespace
}  // namespace subito::sandbox

int main() {
  if (!subito::sandbox::reserve_descriptors()) return 2;
  return subito::sandbox::serve();
}
