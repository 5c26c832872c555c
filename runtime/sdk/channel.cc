#include "runtime/sdk/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "runtime/base/check.h"
#include "runtime/sdk/build_id.h"
#include "runtime/sdk/crash.h"

namespace subito::sdk {
namespace {

using protocol::FrameHeader;
using protocol::FrameType;

constexpr std::size_t kReadBytes = 4 << 10;         // enough for CONFIG and a short INVOKE
constexpr std::size_t kReadBytesLarge = 128 << 10;  // once a read has filled its buffer
constexpr std::size_t kCopyBytesMax = 16 << 10;     // larger bodies are sent from where they are
constexpr int kWaitsAhead = 15;

FrameHeader header_of(FrameType type, std::uint32_t stream, std::size_t body_bytes, bool end) {
  return {type, end ? protocol::kFlagEnd : std::uint16_t{0}, stream, 0,
          static_cast<std::uint32_t>(body_bytes)};
}

// ppoll(2) until a deadline that may have passed already or never come.
int poll_until(pollfd* watched, nfds_t count, Deadline deadline) {
  for (;;) {
    timespec timeout = {};
    if (deadline != Deadline::max()) {
      const auto left = deadline - std::chrono::steady_clock::now();
      const auto positive = std::max(Deadline::duration(0), left);
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(positive);
      timeout = {seconds.count(), (positive - seconds).count()};
    }
    const int ready =
        ::ppoll(watched, count, deadline == Deadline::max() ? nullptr : &timeout, nullptr);
    if (ready >= 0) return ready;
    CHECK(errno == EINTR);
  }
}

// write(2) costs the kernel less than sendmsg(2); SIGPIPE is ignored (serve_pod.cc).
ssize_t write_some(int fd, std::string_view first, std::string_view second) {
  if (second.empty()) return ::write(fd, first.data(), first.size());
  std::array<iovec, 2> parts = {{{const_cast<char*>(first.data()), first.size()},
                                 {const_cast<char*>(second.data()), second.size()}}};
  msghdr message = {};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

// Writes all of it to a blocking socket, or ends the process when the node is gone.
void write_all(int fd, std::string_view first, std::string_view second) {
  channel_is_writing = true;
  while (!first.empty() || !second.empty()) {
    const ssize_t count = write_some(fd, first, second);
    if (count >= 0) {
      const auto of_first = std::min(first.size(), static_cast<std::size_t>(count));
      first.remove_prefix(of_first);
      second.remove_prefix(static_cast<std::size_t>(count) - of_first);
    } else if (errno == EAGAIN) {
      pollfd writable = {fd, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      ::_exit(errno == EPIPE || errno == ECONNRESET ? kExitNodeGone : kExitBroken);
    }
  }
  channel_is_writing = false;
}

}  // namespace

void Channel::greet() {
  protocol::Hello hello;
  hello.set_sdk("subito-sdk 0.1.0");
  hello.set_build_id(build_id());
  hello.set_ahead(kAheadMax);
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  hello.set_began_ns(static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count()));
  CHECK(protocol::append_frame(out_, FrameType::kHello, 0, hello));
  sent(FrameType::kHello, 0, 0, false);
  flush();
  while (!configured_) {
    read_some(Deadline::max());
    dispatch();
  }
  threaded_ = config_.concurrency() > 1;
}

std::unique_ptr<Incoming> Channel::next_invocation() {
  Lock lock(mutex_);
  // Who waits behind one that took long may have been cancelled meanwhile.
  const auto now = std::chrono::steady_clock::now();
  const bool took_long = !arrived_.empty() && now - handed_out_ >= kLongInvocation;
  if (took_long && !threaded_ && read_some(Deadline::min())) dispatch();
  for (;;) {
    flush();
    if (arrived_.empty()) {
      // Those that still run end the process when the last of them has let go.
      if (streams_.drained() && running_ == 0) return nullptr;
      lock.unlock();
      read_some(Deadline::max());
      lock.lock();
      dispatch();
      continue;
    }
    auto next = std::move(arrived_.front());
    arrived_.pop_front();
    if (!next->inbox.cancelled) {
      handed_out_ = std::chrono::steady_clock::now();
      return next;
    }
    forget(next->inbox);
  }
}

void Channel::give_back() {
  if (threaded_) return;
  for (; !arrived_.empty(); arrived_.pop_front()) forget(arrived_.front()->inbox);
}

::subito::Status Channel::open(FrameType type, const google::protobuf::MessageLite& head,
                               std::string_view body, bool end, Inbox& inbox) {
  const std::uint32_t stream = streams_.next_stream();
  if (!streams_.may_send(header_of(type, stream, body.size(), end))) {
    return fail(ErrorCode::kResourceExhausted, "open stream: too many are open");
  }
  RETURN_IF_ERROR(protocol::append_frame(out_, type, stream, head, body, end));
  sent(type, stream, body.size(), end);
  inbox.stream = stream;
  inboxes_.push_back(&inbox);
  return ok();
}

bool Channel::send_result(const Inbox& inbox, const protocol::Result& head, std::string_view body,
                          bool end) {
  const auto header = header_of(FrameType::kResult, inbox.stream, body.size(), end);
  if (!streams_.may_send(header)) return false;
  CHECK(protocol::append_frame(out_, FrameType::kResult, inbox.stream, head, body, end));
  streams_.sent(header);
  return true;
}

bool Channel::send_body(const Inbox& inbox, std::string_view body, bool end) {
  const auto header = header_of(FrameType::kBody, inbox.stream, body.size(), end);
  if (!streams_.may_send(header)) return false;
  streams_.sent(header);
  if (body.size() <= kCopyBytesMax) {
    protocol::append_frame(out_, FrameType::kBody, inbox.stream, body, end);
    return true;
  }
  const auto bytes = protocol::encode(header);
  out_.append(bytes.data(), bytes.size());
  write_all(fd_, out_, body);
  out_.clear();
  return true;
}

std::size_t Channel::credit(const Inbox& inbox) const {
  return std::min<std::uint64_t>(streams_.credit_bytes(inbox.stream), protocol::kBodyBytesMax);
}

std::string Channel::take_body(Inbox& inbox, std::size_t bytes_max) {
  std::string taken;
  if (inbox.body.size() <= bytes_max) {
    taken.swap(inbox.body);
  } else {
    taken = inbox.body.substr(0, bytes_max);
    inbox.body.erase(0, bytes_max);
  }
  send_window(inbox.stream, streams_.consumed(inbox.stream, taken.size()));
  return taken;
}

void Channel::forget(Inbox& inbox) {
  const bool answers = inbox.stream % 2 == 1;
  // What we answer is closed by END; else the stream is given up, which CANCEL says. A call that
  // has its answer may still owe the end of its request.
  const bool owes = streams_.is_ours_open(inbox.stream);
  const bool expects = !answers && streams_.is_theirs_open(inbox.stream);
  const auto cancel = header_of(FrameType::kCancel, inbox.stream, 0, false);
  if ((owes || expects) && streams_.may_send(cancel)) {
    protocol::append_frame(out_, FrameType::kCancel, inbox.stream);
    streams_.sent(cancel);
  }
  std::erase(inboxes_, &inbox);
  if (answers) --running_;
  if (running_ == 0 && streams_.drained() && arrived_.empty()) {
    flush();
    ::_exit(0);
  }
  // With one thread the next wait does it; here the reader waits already, and does not know.
  if (threaded_) flush();
}

void Channel::log(const protocol::Log& record) {
  // Over the limit of a head: dropped. The logger cuts its records well before.
  if (!protocol::append_frame(out_, FrameType::kLog, 0, record)) return;
  flush();
}

void Channel::flush() {
  if (out_.empty()) return;
  write_all(fd_, out_, {});
  out_.clear();
}

void Channel::poll() {
  if (threaded_) return;
  if (read_some(Deadline::min())) dispatch();
  give_back();  // who looks takes long
  flush();
}

bool Channel::wait_also(Lock& lock, int fd, short events, Deadline deadline,
                        Deadline::duration slice) {
  give_back();
  flush();
  std::array<pollfd, 2> watched = {{{fd, events, 0}, {fd_, POLLIN, 0}}};
  if (threaded_) {
    lock.unlock();
    poll_until(watched.data(), 1, std::min(deadline, std::chrono::steady_clock::now() + slice));
    lock.lock();
  } else if (poll_until(watched.data(), 2, deadline) > 0 && watched[1].revents != 0) {
    if (read_some(Deadline::min())) dispatch();
  }
  return watched[0].revents != 0;
}

bool Channel::wait_readable(Deadline deadline) {
  pollfd readable = {fd_, POLLIN, 0};
  return poll_until(&readable, 1, deadline) > 0;
}

// A thread asleep in recvmsg(2) is woken twice for each frame it is sent: by the frame, and before
// by the node's read of what this end sent, which makes the socket writable (unix(7) has one queue
// of sleepers for both). One asleep in ppoll(2) for POLLIN is woken by the frame alone. What has
// come already is taken first: under load there is nothing to wait for. Where there was, the next
// times are taken for the same.
bool Channel::read_some(Deadline deadline) {
  const bool waits = deadline != Deadline::min();
  const auto room = parser_.prepare(more_to_read_ ? kReadBytesLarge : kReadBytes);
  if (waits && waits_ahead_ > 0) {
    --waits_ahead_;
    if (!wait_readable(deadline)) return false;
  }
  for (;;) {
    const ssize_t count = receive(room);
    if (count > 0) {
      parser_.commit(static_cast<std::size_t>(count));
      more_to_read_ = static_cast<std::size_t>(count) == room.size();
      return true;
    }
    if (count == 0 || errno == ECONNRESET) ::_exit(kExitNodeGone);
    if (errno == EAGAIN) {
      if (!waits) return false;
      waits_ahead_ = kWaitsAhead;
      if (!wait_readable(deadline)) return false;
    } else if (errno != EINTR) {
      ::_exit(kExitBroken);
    }
  }
}

// recv(2) costs the kernel less than recvmsg(2), and drops descriptors. With threads another one
// may be asking for a connection meanwhile.
ssize_t Channel::receive(std::span<char> room) {
  const bool alone = !threaded_ && configured_ && !streams_.has_open(FrameType::kConnect);
  if (alone) return ::recv(fd_, room.data(), room.size(), MSG_DONTWAIT);
  iovec part = {room.data(), room.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 4)];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t count = ::recvmsg(fd_, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (count > 0) take_descriptors(message);
  return count;
}

void Channel::sent(FrameType type, std::uint32_t stream, std::size_t body_bytes, bool end) {
  streams_.sent(header_of(type, stream, body_bytes, end));
}

void Channel::send_window(std::uint32_t stream, std::uint32_t bytes) {
  if (bytes == 0) return;
  protocol::Window window;
  window.set_bytes(bytes);
  CHECK(protocol::append_frame(out_, FrameType::kWindow, stream, window));
  sent(FrameType::kWindow, stream, 0, false);
}

}  // namespace subito::sdk
