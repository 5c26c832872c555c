// FakeNode: the node's end of a pod's channel, for tests. It starts a real function binary as a
// plain process and speaks the protocol to it over a socket pair, judging every frame of the pod
// by the rules of runtime/protocol/stream.h. One thread; each wait is bounded.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/unique_fd.h"
#include "runtime/protocol/frame.h"
#include "runtime/protocol/pod.pb.h"
#include "runtime/protocol/stream.h"

namespace subito::sdk {

struct PodAnswer {
  std::optional<protocol::Result> head;
  std::string body;
  bool ended = false;
  bool cancelled = false;

  bool over() const { return ended || cancelled; }
  int status() const { return head ? static_cast<int>(head->status()) : 0; }
  std::string header(const std::string& name) const;
};

class FakeNode {
 public:
  static constexpr std::chrono::seconds kPatience{20};

  // Sends CONFIG, then starts build/…/functions/`function`.
  explicit FakeNode(const std::string& function, protocol::Config config = {},
                    std::vector<std::string> arguments = {});
  ~FakeNode();  // kills what still runs
  FakeNode(const FakeNode&) = delete;
  FakeNode& operator=(const FakeNode&) = delete;

  std::uint32_t invoke(const std::string& method, const std::string& target,
                       const std::string& body = {}, bool end = true);
  std::uint32_t invoke(const protocol::Invoke& head, const std::string& body, bool end);
  // Waits for the whole answer. `invoke` and this in one: get().
  const PodAnswer& answer(std::uint32_t stream);
  const PodAnswer& get(const std::string& target) { return answer(invoke("GET", target)); }

  // Sends what the pod's window allows, reading meanwhile, until all is sent or the stream is over.
  void send_body(std::uint32_t stream, std::string_view bytes, bool end);
  void send(protocol::FrameType type, std::uint32_t stream,
            const google::protobuf::MessageLite& head, std::string_view body = {},
            bool end = false);
  void cancel(std::uint32_t stream);
  void send_raw(std::string_view bytes);
  void send_descriptor(std::uint32_t stream, int fd);  // CONNECTED
  void close() { fd_.reset(); }

  // Reads until `done()`; false when patience ran out or the channel ended before.
  template <typename Done>
  bool wait(Done done) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      if (eof_ || std::chrono::steady_clock::now() > end || !pump()) return done();
    }
    return true;
  }

  // What the pod sent.
  std::optional<protocol::Hello> hello;
  std::vector<protocol::Log> logs;
  std::deque<std::pair<std::uint32_t, protocol::Call>> calls;
  std::deque<std::pair<std::uint32_t, protocol::Connect>> connects;
  std::map<std::uint32_t, PodAnswer> answers;  // for calls: the request's body
  std::string breach;                          // the pod broke the protocol
  std::uint64_t body_bytes = 0;                // of all answers
  bool keep_bodies = true;                     // false: only counted
  bool give_windows = true;                    // false: the pod runs out of credit

  protocol::Streams& streams() { return streams_; }
  bool eof() const { return eof_; }
  pid_t pid() const { return pid_; }
  int wait_exit();        // the status of waitpid(2); the pod is killed when patience runs out
  std::string printed();  // on standard output and error, once it has ended
  std::size_t peak_memory_bytes() const;

 private:
  bool pump();
  void flush();
  void take(const protocol::Frame& frame, bool ignore);
  void take_body(const protocol::Frame& frame);

  UniqueFd fd_;
  UniqueFd printed_;
  pid_t pid_ = -1;
  bool eof_ = false;
  std::string out_;
  protocol::FrameParser parser_;
  protocol::Streams streams_{protocol::Side::kNode};
};

}  // namespace subito::sdk
