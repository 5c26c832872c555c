#include "bench/patterns/asking.h"

#include "bench/interrupt.h"
#include "bench/node_client.h"

namespace subito::bench {

namespace {
constexpr std::chrono::microseconds kAskAgain{200};
}

Result<std::string> ask_once(const ServerAddress& server, const std::string& path) {
  ASSIGN_OR_RETURN(HttpClient client, HttpClient::connect(server));
  ASSIGN_OR_RETURN(HttpReply reply, client.call("GET", path));
  if (reply.status == 200) return std::move(reply.body);
  return fail(ErrorCode::kUnavailable, "GET " + path + ": status " + std::to_string(reply.status));
}

Result<std::chrono::nanoseconds> until_answered(const ServerAddress& server,
                                                const std::string& path, SteadyTime begin,
                                                std::chrono::seconds patience) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto answer = ask_once(server, path);
    const SteadyTime now = std::chrono::steady_clock::now();
    if (answer) return now - begin;
    if (Interrupt::happened() || !rest(kAskAgain)) {
      return fail(ErrorCode::kCancelled, "GET " + path + ": interrupted");
    }
    if (now < deadline) continue;
    return fail(ErrorCode::kDeadlineExceeded, answer.error().message);
  }
}

}  // namespace subito::bench
