#include "runtime/sandbox/launch.h"

#include <cstring>

#include "runtime/sandbox/packet_socket.h"

namespace subito::sandbox {

Result<EncodedLaunch> encode_launch(const std::vector<std::string>& argv,
                                    const std::vector<std::string>& envp, bool wait_for_limits) {
  if (argv.empty()) return fail(ErrorCode::kInvalidArgument, "launch pod: argv is empty");
  if (argv.size() + envp.size() > kLaunchStringsMax) {
    return fail(
        ErrorCode::kInvalidArgument,
        "launch pod: more than " + std::to_string(kLaunchStringsMax) + " arguments and variables");
  }
  EncodedLaunch launch;
  std::size_t bytes = 0;
  for (const auto* list : {&argv, &envp}) {
    for (const std::string& text : *list) bytes += text.size() + 1;
  }
  if (bytes > kLaunchBytesMax) {
    return fail(ErrorCode::kInvalidArgument, "launch pod: arguments and variables are over " +
                                                 std::to_string(kLaunchBytesMax) + " bytes");
  }
  launch.strings.reserve(bytes);
  for (const auto* list : {&argv, &envp}) {
    for (const std::string& text : *list) {
      if (text.find('\0') != std::string::npos) {
        return fail(ErrorCode::kInvalidArgument, "launch pod: an argument or variable holds NUL");
      }
      launch.strings.append(text).push_back('\0');
    }
  }
  launch.head.argc = static_cast<std::uint32_t>(argv.size());
  launch.head.envc = static_cast<std::uint32_t>(envp.size());
  launch.head.bytes = static_cast<std::uint32_t>(launch.strings.size());
  launch.head.wait_for_limits = wait_for_limits ? 1 : 0;
  return launch;
}

int split_strings(char* strings, std::size_t bytes, ReceivedLaunch& launch) {
  const LaunchMessage& head = launch.head;
  if (head.argc == 0 || head.argc > kLaunchStringsMax ||
      head.envc > kLaunchStringsMax - head.argc || head.bytes != bytes || bytes == 0 ||
      strings[bytes - 1] != '\0') {
    return EBADMSG;
  }
  char* const end = strings + bytes;
  char* next = strings;
  for (std::uint32_t i = 0; i < head.argc + head.envc; ++i) {
    if (next >= end) return EBADMSG;
    (i < head.argc ? launch.argv[i] : launch.envp[i - head.argc]) = next;
    next += std::strlen(next) + 1;
  }
  launch.argv[head.argc] = nullptr;
  launch.envp[head.envc] = nullptr;
  return next == end ? 0 : EBADMSG;
}

int receive_launch(int control, ReceivedLaunch& launch, int flags) {
  static char buffer[sizeof(LaunchMessage) + kLaunchBytesMax];
  // Pages that will be written to: who waits has the time for their faults now.
  buffer[0] = 0;
  launch.argv[0] = launch.envp[0] = nullptr;
  Packet packet;
  if (const int error = receive_packet(control, buffer, sizeof buffer, packet, flags); error != 0) {
    return error;
  }
  if (packet.size == 0) return ECONNRESET;
  const std::size_t head = sizeof(LaunchMessage);
  if (packet.size < head || kind_of(buffer, packet.size) != MessageKind::kLaunch ||
      packet.fd_count < 1) {
    return EBADMSG;
  }
  std::memcpy(&launch.head, buffer, head);
  const std::size_t image = launch.head.with_image != 0 ? 1 : 0;
  const std::size_t files = launch.head.with_files != 0 ? 1 : 0;
  if (packet.fd_count != 1 + image + files) return EBADMSG;
  launch.artefact = std::move(packet.fds[0]);
  if (image != 0) launch.image = std::move(packet.fds[1]);
  if (files != 0) launch.files = std::move(packet.fds[1 + image]);
  return split_strings(buffer + head, packet.size - head, launch);
}

}  // namespace subito::sandbox
