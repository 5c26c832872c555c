// Channel: the pod's end of the stream between node and pod. It sends and receives frames, keeps
// to the protocol (runtime/protocol/stream.h) and gives what arrives to whom it belongs.
//
// One a process. With concurrency 1 there is one thread, and whoever waits reads (inline). With
// more, the main thread reads and all others wait to be told; `mutex()` guards everything. The
// process ends by _exit when the node is gone or breaks the protocol: nobody is left to tell.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/unique_fd.h"
#include "runtime/protocol/frame.h"
#include "runtime/protocol/pod.pb.h"
#include "runtime/protocol/stream.h"

namespace subito::sdk {

using Deadline = std::chrono::steady_clock::time_point;

// How many invocations a pod of concurrency 1 takes ahead, behind the one that runs. Each may bring
// a window of its body: 4 MB together.
constexpr std::uint32_t kAheadMax = 15;
// After one that took so long the channel is read before the next begins, for its CANCEL.
constexpr auto kLongInvocation = std::chrono::milliseconds(1);

constexpr int kExitNodeGone = 0;  // end of the channel: the node is gone, there is no more to do
constexpr int kExitBreach = 76;   // the node broke the protocol (EX_PROTOCOL of sysexits.h)
constexpr int kExitBroken = 74;   // the channel failed (EX_IOERR)

// What came on one stream and was not taken yet. Lives where it is waited for; known to the
// channel from open or arrival until forget().
struct Inbox {
  std::uint32_t stream = 0;
  Inbox* parent = nullptr;  // the invocation on whose behalf a call or connect is
  std::string body;         // at most one window
  std::string gathered;     // of a call's answer, taken while its request was still sent
  bool ended = false;       // their END came
  bool cancelled = false;   // their CANCEL came
  std::optional<protocol::Result> result;
  std::optional<protocol::Connected> connected;
  UniqueFd descriptor;  // that came with CONNECTED
  std::condition_variable changed;

  bool over() const { return ended || cancelled; }
};

struct Incoming {
  protocol::Invoke head;
  Deadline deadline;
  Inbox inbox;
};

class Channel {
 public:
  using Lock = std::unique_lock<std::mutex>;

  explicit Channel(int fd) : fd_(fd) {}

  // Sends HELLO, then waits for CONFIG.
  void greet();
  const protocol::Config& config() const { return config_; }
  // What it was given besides: further settings, and secrets.
  const protocol::Values& values() const { return values_; }
  // The descriptor that came with CONFIG; invalid: none did.
  UniqueFd take_descriptor();

  std::mutex& mutex() { return mutex_; }

  // The next invocation; null once the node drains and nothing is left. Main thread. What was
  // answered before is written by then: the node counts on it.
  std::unique_ptr<Incoming> next_invocation();

  // All below want the mutex held.

  // Opens a stream and begins to receive for it.
  ::subito::Status open(protocol::FrameType type, const google::protobuf::MessageLite& head,
                        std::string_view body, bool end, Inbox& inbox);
  // Sends frames of an open stream; false if the stream takes them no more (it was cancelled).
  bool send_result(const Inbox& inbox, const protocol::Result& head, std::string_view body,
                   bool end);
  bool send_body(const Inbox& inbox, std::string_view body, bool end);
  // How much body may be sent now, at most what one frame holds.
  std::size_t credit(const Inbox& inbox) const;
  // Takes at most `bytes_max` of the body that came and lets as much more come.
  std::string take_body(Inbox& inbox, std::size_t bytes_max);
  // Nobody is interested in the stream any more: ends it and forgets the inbox.
  void forget(Inbox& inbox);
  void log(const protocol::Log& record);
  void flush();

  // Waits until `done()`, which is asked whenever something came for `inbox`. False at the
  // deadline.
  template <typename Done>
  bool wait(Lock& lock, Inbox& inbox, Deadline deadline, Done done) {
    while (!done()) {
      give_back();
      flush();
      if (threaded_) {
        const auto status = inbox.changed.wait_until(lock, deadline);
        if (status == std::cv_status::timeout) return done();
      } else if (read_some(deadline)) {
        dispatch();
      } else {
        return done();
      }
    }
    return true;
  }

  // Waits for poll(2) events on another descriptor, too: true when they are there. False when
  // something came on the channel, at the deadline, and with threads now and then (`slice`).
  bool wait_also(Lock& lock, int fd, short events, Deadline deadline, Deadline::duration slice);

  // Takes in what has come already, without waiting. With threads the main thread does that.
  void poll();

 private:
  // A handler begins to wait: what came behind it need not wait with it.
  void give_back();
  bool read_some(Deadline deadline);
  bool wait_readable(Deadline deadline);
  ssize_t receive(std::span<char> room);
  void take_descriptors(const ::msghdr& message);
  void dispatch();
  void deliver(const protocol::Frame& frame, bool ignore);
  void read_values();
  void deliver_invoke(const protocol::Frame& frame);
  void deliver_to(Inbox& inbox, const protocol::Frame& frame);
  void deliver_connected(Inbox* inbox, const protocol::Frame& frame);
  void sent(protocol::FrameType type, std::uint32_t stream, std::size_t body_bytes, bool end);
  void send_window(std::uint32_t stream, std::uint32_t bytes);
  Inbox* find(std::uint32_t stream);
  [[noreturn]] void end_by_breach(const Error& error);

  int fd_;
  std::mutex mutex_;
  bool threaded_ = false;
  Deadline handed_out_;  // when next_invocation() last gave one
  bool configured_ = false;
  bool more_to_read_ = false;  // the last read filled its buffer
  int waits_ahead_ = 0;        // so many times ppoll(2) is asked before the socket
  protocol::Config config_;
  protocol::Values values_;
  protocol::FrameParser parser_;  // main thread's alone, as reading is
  protocol::Streams streams_{protocol::Side::kPod};
  std::string out_;
  std::size_t running_ = 0;  // invocations that came and were not forgotten
  std::vector<Inbox*> inboxes_;
  std::deque<std::unique_ptr<Incoming>> arrived_;
  std::deque<UniqueFd> descriptors_;  // came, CONNECTED not yet parsed
};

}  // namespace subito::sdk
