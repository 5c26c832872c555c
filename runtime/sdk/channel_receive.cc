// What becomes of the frames that arrive on the channel.
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "runtime/sdk/channel.h"

namespace subito::sdk {
namespace {

using protocol::FrameType;

constexpr std::size_t kDescriptorsMax = 16;  // that came ahead of their CONNECTED
constexpr auto kDeadlineMax = std::chrono::hours(24 * 365);

Deadline deadline_after(std::uint64_t microseconds) {
  const auto limit = std::chrono::duration_cast<std::chrono::microseconds>(kDeadlineMax);
  const auto count =
      std::min<std::uint64_t>(microseconds, static_cast<std::uint64_t>(limit.count()));
  return std::chrono::steady_clock::now() + std::chrono::microseconds(count);
}

}  // namespace

void Channel::take_descriptors(const msghdr& message) {
  auto* mutable_message = const_cast<msghdr*>(&message);
  for (auto* part = CMSG_FIRSTHDR(mutable_message); part != nullptr;
       part = CMSG_NXTHDR(mutable_message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      descriptors_.emplace_back(fd);
    }
  }
  if (descriptors_.size() > kDescriptorsMax) {
    end_by_breach({ErrorCode::kProtocol, "read channel: descriptors that nobody asked for", 0});
  }
}

UniqueFd Channel::take_descriptor() {
  if (descriptors_.empty()) return {};
  UniqueFd first = std::move(descriptors_.front());
  descriptors_.pop_front();
  return first;
}

void Channel::dispatch() {
  for (;;) {
    const auto frame = parser_.next();
    if (!frame) end_by_breach(frame.error());
    if (!*frame) return;
    const auto verdict = streams_.receive((*frame)->header);
    if (!verdict) end_by_breach(verdict.error());
    deliver(**frame, *verdict == protocol::Streams::Verdict::kIgnore);
  }
}

void Channel::deliver(const protocol::Frame& frame, bool ignore) {
  const FrameType type = frame.header.type;
  Inbox* inbox = find(frame.header.stream);
  if (type == FrameType::kConnected) {
    deliver_connected(ignore ? nullptr : inbox, frame);
  } else if (ignore) {
    return;
  } else if (type == FrameType::kConfig) {
    if (auto status = protocol::parse_head(frame, config_); !status) end_by_breach(status.error());
    if (config_.values_follow()) read_values();
    configured_ = true;
    const std::uint32_t at_once = std::max(1U, config_.concurrency());
    streams_.set_invocations_max(at_once == 1 ? 1 + kAheadMax : at_once);
  } else if (type == FrameType::kInvoke) {
    deliver_invoke(frame);
  } else if (type == FrameType::kWindow) {
    protocol::Window window;
    auto status = protocol::parse_head(frame, window);
    if (status) status = streams_.granted(frame.header.stream, window.bytes());
    if (!status) end_by_breach(status.error());
    if (inbox != nullptr) inbox->changed.notify_all();
  } else if (inbox != nullptr) {
    deliver_to(*inbox, frame);
  }
}

void Channel::read_values() {
  const UniqueFd file = take_descriptor();
  struct stat info = {};
  const bool known = file.valid() && ::fstat(file.get(), &info) == 0 && info.st_size > 0;
  const auto bytes = static_cast<std::size_t>(info.st_size);
  void* pages = known ? ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file.get(), 0) : MAP_FAILED;
  const bool read = pages != MAP_FAILED && values_.ParseFromArray(pages, static_cast<int>(bytes));
  if (pages != MAP_FAILED) ::munmap(pages, bytes);
  if (!read) end_by_breach({ErrorCode::kProtocol, "accept CONFIG: its values cannot be read", 0});
}

void Channel::deliver_invoke(const protocol::Frame& frame) {
  auto incoming = std::make_unique<Incoming>();
  if (auto status = protocol::parse_head(frame, incoming->head); !status) {
    end_by_breach(status.error());
  }
  const std::uint64_t deadline = incoming->head.deadline_us();
  incoming->deadline = deadline == 0 ? Deadline::max() : deadline_after(deadline);
  incoming->inbox.stream = frame.header.stream;
  incoming->inbox.body = frame.body;
  incoming->inbox.ended = frame.end();
  inboxes_.push_back(&incoming->inbox);
  ++running_;
  arrived_.push_back(std::move(incoming));
}

void Channel::deliver_to(Inbox& inbox, const protocol::Frame& frame) {
  inbox.body += frame.body;
  inbox.ended = inbox.ended || frame.end();
  if (frame.header.type == FrameType::kResult) {
    inbox.result.emplace();
    if (auto status = protocol::parse_head(frame, *inbox.result); !status) {
      end_by_breach(status.error());
    }
  }
  if (frame.header.type == FrameType::kCancel) {
    inbox.cancelled = true;
    // What waits on behalf of a cancelled invocation has to see it as well.
    for (Inbox* other : inboxes_) {
      if (other->parent == &inbox) other->changed.notify_all();
    }
  }
  inbox.changed.notify_all();
}

void Channel::deliver_connected(Inbox* inbox, const protocol::Frame& frame) {
  protocol::Connected connected;
  if (auto status = protocol::parse_head(frame, connected); !status) end_by_breach(status.error());
  UniqueFd descriptor;
  if (connected.error().empty()) {
    if (descriptors_.empty()) {
      end_by_breach({ErrorCode::kProtocol, "accept CONNECTED: no descriptor came with it", 0});
    }
    descriptor = std::move(descriptors_.front());
    descriptors_.pop_front();
  }
  if (inbox == nullptr) return;
  inbox->descriptor = std::move(descriptor);
  inbox->connected = std::move(connected);
  inbox->ended = true;
  inbox->changed.notify_all();
}

Inbox* Channel::find(std::uint32_t stream) {
  const auto at = std::find_if(inboxes_.begin(), inboxes_.end(),
                               [stream](const Inbox* inbox) { return inbox->stream == stream; });
  return stream == 0 || at == inboxes_.end() ? nullptr : *at;
}

void Channel::end_by_breach(const Error& error) {
  std::fprintf(stderr, "the node broke the pod protocol: %s\n", error.message.c_str());
  ::_exit(kExitBreach);
}

}  // namespace subito::sdk
