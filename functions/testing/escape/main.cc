// escape NAME [ARGUMENT]: tries one way out of a pod and writes one line about it to descriptor 1.
// Run outside of a pod it does the same, so that a test can see that the attempt works there.
//
// escape template NAME [ARGUMENT]: leaves an image of itself in the descriptor that comes on its
// channel; who begins as that image tries.
//
// escape template-with WHAT NAME [ARGUMENT]: the same, and does WHAT before (before.cc).
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "functions/testing/escape/attempt.h"

// Of the SDK, the only thing that is linked of it: runtime/sdk/template_image.h.
namespace subito::sdk {
void leave_image(int image, int descriptor_last);
}

namespace escape {
namespace {

const char* name_of(int error) {
  const char* name = ::strerrorname_np(error);
  return name != nullptr ? name : "unknown";
}

constexpr int kChannel = 3;

}  // namespace

int take_descriptor() {
  char byte = 0;
  iovec part = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  int fd = -1;
  if (::recvmsg(kChannel, &message, 0) == 1 && CMSG_FIRSTHDR(&message) != nullptr) {
    std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  }
  return fd;
}

Outcome denied(int error) {
  return {std::string("denied ") + name_of(error)};
}
Outcome allowed(const std::string& what) {
  return {"allowed: " + what};
}
Outcome judge(long result, const std::string& what) {
  return result < 0 ? denied(errno) : allowed(what);
}

int run(const std::string& name, const char* argument) {
  for (const Attempt* table : {kFileAttempts, kProcessAttempts, kKernelAttempts, kNetworkAttempts,
                               kResourceAttempts, kBeforeAttempts}) {
    for (const Attempt* attempt = table; attempt->name != nullptr; ++attempt) {
      if (name != attempt->name) continue;
      const std::string line = attempt->run(argument).text + "\n";
      return ::write(1, line.data(), line.size()) < 0 ? 1 : 0;
    }
  }
  return 2;
}

}  // namespace escape

int main(int argc, char** argv) {
  int first = 1;  // of what is tried
  if (argc > 1 && argv[1] == std::string("template")) first = 2;
  if (argc > 2 && argv[1] == std::string("template-with")) {
    if (!escape::do_before(argv[2])) return 2;
    first = 3;
  }
  if (first > 1) subito::sdk::leave_image(escape::take_descriptor(), escape::kChannel);
  if (first >= argc) return 2;
  return escape::run(argv[first], argc > first + 1 ? argv[first + 1] : "");
}
