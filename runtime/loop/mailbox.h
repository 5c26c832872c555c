// What two loops on two threads say to each other, without a lock.
//
//   Mailbox   a bounded ring of messages, one thread puts, one takes
//   Doorbell  wakes a loop that sleeps; rung while it is awake it costs one load
//   LinkEnd   what one loop has of a pair of mailboxes
//
// A loop that is awake looks into its mailbox twice a turn, last before it sleeps. It says first
// that it sleeps and looks then; who puts something in looks afterwards whether it sleeps: one of
// the two sees the other. So no message waits for a wakeup that never comes, and none costs a
// system call while both are busy.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/loop/loop.h"

namespace subito {

template <typename T>
class Mailbox {
 public:
  // `messages_max`: a power of two.
  explicit Mailbox(std::size_t messages_max) : slots_(messages_max), mask_(messages_max - 1) {
    CHECK(messages_max > 0 && (messages_max & mask_) == 0);
  }

  // By the one that sends. False: it is full, and `message` is as it was; take() will say so.
  bool put(T&& message) {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ == slots_.size() && !has_room(tail)) return false;
    slots_[tail & mask_] = std::move(message);
    tail_.store(tail + 1, std::memory_order_seq_cst);
    return true;
  }
  // By the one that receives: all that is there now. True: who sends waits for the room.
  template <typename Receive>
  bool take(Receive& receive) {
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    const std::uint64_t tail = tail_.load(std::memory_order_seq_cst);
    if (head == tail) return false;
    for (; head != tail; ++head) {
      T message = std::exchange(slots_[head & mask_], T());
      receive(std::move(message));
    }
    head_.store(head, std::memory_order_seq_cst);
    return waits_.load(std::memory_order_seq_cst) && waits_.exchange(false);
  }

 private:
  // Who takes makes room first and then looks whether somebody waits.
  bool has_room(std::uint64_t tail) {
    head_seen_ = head_.load(std::memory_order_acquire);
    if (tail - head_seen_ < slots_.size()) return true;
    waits_.store(true, std::memory_order_seq_cst);
    head_seen_ = head_.load(std::memory_order_seq_cst);
    return tail - head_seen_ < slots_.size();
  }

  static constexpr std::size_t kCacheLine = 64;
  std::vector<T> slots_;
  const std::size_t mask_;
  alignas(kCacheLine) std::atomic<std::uint64_t> tail_{0};
  std::uint64_t head_seen_ = 0;  // by the one that sends
  alignas(kCacheLine) std::atomic<std::uint64_t> head_{0};
  alignas(kCacheLine) std::atomic<bool> waits_{false};
};

// Owned by the loop that it wakes.
class Doorbell {
 public:
  // `look` is called in each turn, after its callbacks and before the loop sleeps; what it defers
  // runs in the same turn.
  Doorbell(Loop& loop, std::function<void()> look);
  ~Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;
  // On any thread, while it is there.
  void ring();

 private:
  struct State;
  State* state_;
};

template <typename Out, typename In>
class LinkEnd {
 public:
  // `room` is called in each turn: messages may be sent again that had no room.
  LinkEnd(Loop& loop, Mailbox<Out>& out, Mailbox<In>& in, std::function<void(In&&)> receive,
          std::function<void()> room)
      : out_(out),
        in_(in),
        receive_(std::move(receive)),
        room_(std::move(room)),
        bell_(loop, [this] { look(); }),
        ring_(loop, [this] { other_->bell_.ring(); }) {}

  // Before either loop runs. The ends go together, when one of their loops has ended.
  void connect(LinkEnd<In, Out>& other) {
    other_ = &other;
    other.other_ = this;
  }
  // The other loop hears of it at the end of this turn. False: there is no room.
  bool send(Out&& message) {
    if (!out_.put(std::move(message))) return false;
    ring_.schedule();
    return true;
  }

 private:
  friend class LinkEnd<In, Out>;
  void look() {
    if (in_.take(receive_)) other_->bell_.ring();
    room_();
  }

  Mailbox<Out>& out_;
  Mailbox<In>& in_;
  std::function<void(In&&)> receive_;
  std::function<void()> room_;
  LinkEnd<In, Out>* other_ = nullptr;
  Doorbell bell_;
  TurnEnd ring_;
};

}  // namespace subito
